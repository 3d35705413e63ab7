//! The keys of this node: partitions of resident objects.

mod key;

pub use key::{Key, PARTITIONS, hash32, partition_of, set_hash_seed};
