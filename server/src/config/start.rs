//! What is decided when the process starts and stays.

use super::check::parse_tag;
use super::kind::Kind;
use super::live::auto;
use super::sources::Values;
use super::table::{KEYS, place};
use std::path::PathBuf;
use std::thread::available_parallelism;
use storage::bucket::Tag;
use tracing::level_filters::LevelFilter;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BaseKind {
    /// RocksDB beneath, a journal beside it.
    Rocksdb,
    /// Nothing on disk.
    Memory,
}

#[derive(Clone, Debug)]
pub struct Start {
    pub port: u16,
    /// Separated by spaces.
    pub bind: String,
    pub tcp_backlog: i32,
    /// Cores that serve clients, at least 1.
    pub threads: usize,
    /// `host:port`; `None` with `--http off`.
    pub http: Option<String>,
    pub base: BaseKind,
    pub dir: PathBuf,
    /// Bytes; `None`: the journal decides.
    pub disk_reserve: Option<u64>,
    /// Bytes; `None`: chosen with `maxmemory`.
    #[cfg_attr(not(feature = "rocksdb"), expect(dead_code, reason = "only RocksDB has one"))]
    pub block_cache: Option<u64>,
    pub log_level: LevelFilter,
    pub buckets: u16,
    pub bucket_tag: Tag,
    /// What this process may use, bytes; 0: unknown.
    pub memory_bytes: u64,
    /// `None`: of the directory, or drawn for a new one.
    pub hash_seed: Option<u64>,
}

impl Start {
    pub fn new(values: &Values) -> Start {
        let number = |place| values.get(place).number();
        let text = |place| values.get(place).text().to_string();
        let print = |place: usize| match KEYS.get(place) {
            Some(row) if matches!(row.kind, Kind::Choice(_)) => row.kind.print(values.get(place)),
            _ => String::new(),
        };
        let threads = usize::try_from(number(place("threads"))).unwrap_or(0);
        let processors = || available_parallelism().map_or(1, usize::from);
        Start {
            port: u16::try_from(number(place("port"))).unwrap_or(6379),
            bind: text(place("bind")),
            tcp_backlog: i32::try_from(number(place("tcp-backlog"))).unwrap_or(511),
            threads: if threads == 0 { processors() } else { threads },
            http: Some(text(place("http"))).filter(|addr| addr != "off"),
            base: if print(place("base")) == "memory" {
                BaseKind::Memory
            } else {
                BaseKind::Rocksdb
            },
            dir: PathBuf::from(text(place("dir"))),
            disk_reserve: auto(number(place("disk-reserve"))),
            block_cache: auto(number(place("block-cache"))),
            log_level: print(place("log-level")).parse().unwrap_or(LevelFilter::INFO),
            buckets: u16::try_from(number(place("buckets"))).unwrap_or(1000),
            bucket_tag: parse_tag(&text(place("bucket-tag"))).unwrap_or_default(),
            memory_bytes: crate::machine::usable_bytes(),
            hash_seed: text(place("hash-seed")).parse().ok(),
        }
    }
}
