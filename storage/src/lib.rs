//! Objects, keyspace, commands, and the base beneath them.

pub mod base;
pub mod bucket;
pub mod bytes;
pub mod commands;
pub mod keyspace;
pub mod objects;
mod prefetch;
pub mod record;
pub mod table;
pub mod varint;
