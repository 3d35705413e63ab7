//! The keys of this node: partitions of resident objects.

mod apply;
mod clock;
mod entry;
mod key;
pub mod notify;
mod partition;
mod rewind;
pub mod scan;
mod settings;
mod space;
mod tail;

pub use apply::install;
pub use clock::{frequency, idle_seconds, lru, start as start_clock, touch};
pub use entry::{EPOCH_END, Entry};
pub use key::{Key, PARTITIONS, hash32, partition_of, set_hash_seed};
pub use notify::{Class, Notice};
pub use partition::{Db, Known, Partition, Watch};
pub use rewind::Rewind;
pub use settings::{Policy, Settings};
pub use space::{Locked, Space, Turn};
pub use tail::{Tail, TailError, defer, settle_all};
