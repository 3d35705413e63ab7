//! Numbers with a meaning. Each is its own type, so that a shard cannot be passed for a node, and
//! each prints with a letter of its own: `N1 s1 g1 b1 e1 v1 o1 r1 j1`.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty), $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl $name {
            /// The letter before the number in texts.
            pub const LETTER: &'static str = $letter;

            /// The next number; the largest one stays.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

id!(
    /// A node: one process for its whole life. Never reused in a cluster.
    NodeId(u64), "N"
);
id!(
    /// A shard. Never reused; a child's is larger than its parent's.
    ShardId(u32), "s"
);
id!(
    /// A consensus group. Never reused (C32), since nodes keep directories by it.
    GroupId(u64), "g"
);
id!(
    /// The label `1..=B` that every key carries from the moment it is stored (R70).
    BucketId(u16), "b"
);
id!(
    /// A shard's routing epoch (C10): grows by one when its range, its Writer or the set of nodes
    /// that serve its reads changes. The control group has one too: it grows with each new leader.
    Epoch(u64), "e"
);
id!(
    /// Counts the changes of a topology.
    Version(u64), "v"
);
id!(
    /// An operation: one saga from its decision to its end.
    OperationId(u64), "o"
);
id!(
    /// A request for a node; the operator answers it, and the node joins, under this number.
    RequestId(u64), "r"
);
id!(
    /// Order in which nodes joined: the largest is "the latest added" (R56).
    JoinOrder(u64), "j"
);
