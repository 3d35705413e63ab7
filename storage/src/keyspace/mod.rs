//! The keys of this node: partitions of resident objects.

mod clock;
mod entry;
mod key;
pub mod notify;
mod partition;
mod settings;
mod space;

pub use clock::{frequency, idle_seconds, lru, start as start_clock, touch};
pub use entry::{EPOCH_END, Entry};
pub use key::{Key, PARTITIONS, hash32, partition_of, set_hash_seed};
pub use notify::{Class, Notice};
pub use partition::{Db, Known, Partition, Watch};
pub use settings::{Policy, Settings};
pub use space::{Locked, Space, Turn};
