//! Names of Redis that clients ask for, and whose value cannot be chosen here.
//!
//! Only what is true: a name whose meaning has no counterpart is not known, as in any version of
//! Redis that lacks it.

use super::live::Config;
use super::start::BaseKind;
use super::table::place;

type Answer = fn(&Config) -> String;

const FIXED: &[(&str, Answer)] = &[
    ("save", |_| String::new()),
    ("appendonly", |config| match config.start().base {
        BaseKind::Rocksdb => "yes".into(),
        BaseKind::Memory => "no".into(),
    }),
    ("databases", |_| storage::record::DBS.to_string()),
    ("tcp-keepalive", |_| "0".into()),
    ("hz", |_| "10".into()),
    ("daemonize", |_| "no".into()),
    ("supervised", |_| "no".into()),
    ("cluster-enabled", |_| "no".into()),
    ("io-threads", |config| config.start().threads.to_string()),
    ("io-threads-do-reads", |_| "yes".into()),
    ("activedefrag", |_| "no".into()),
    ("list-compress-depth", |_| "0".into()),
    ("maxmemory-clients", |_| "0".into()),
    ("replicaof", |_| String::new()),
    ("slaveof", |_| String::new()),
    ("unixsocket", |_| String::new()),
    ("aclfile", |_| String::new()),
    ("logfile", |_| String::new()),
    ("tls-port", |_| "0".into()),
    ("client-output-buffer-limit", |config| {
        let pubsub = config.print(const { place("pubsub-output-limit") });
        format!("normal 0 0 0 slave 0 0 0 pubsub {pubsub} 0 0")
    }),
];

/// The value of a fixed name, in any case.
pub fn get(config: &Config, name: &str) -> Option<String> {
    let found = FIXED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, answer)| answer(config))
}

pub fn all(config: &Config) -> impl Iterator<Item = (&'static str, String)> {
    FIXED.iter().map(move |(name, answer)| (*name, answer(config)))
}
