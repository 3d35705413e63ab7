//! CONFIG SET and REWRITE. The texts of refusals were read from redis-server 7.0.15.

use super::super::change::{check, rewrite, rewritten};
use super::*;

fn set(config: &Config, words: &[&str]) -> Result<(), String> {
    let pairs: Vec<(&[u8], &[u8])> =
        words.chunks(2).map(|pair| (pair[0].as_bytes(), pair[1].as_bytes())).collect();
    for (place, value) in check(config, &pairs)? {
        config.store(place, &value);
    }
    Ok(())
}

#[test]
fn refusals_are_redis_ones() {
    let config = config(&[]);
    let before: Vec<_> = (0..KEYS.len()).map(|place| config.value(place)).collect();
    let related = "ERR CONFIG SET failed (possibly related to argument";
    for (words, text) in [
        (&["x", "1"][..], "ERR Unknown option or number of arguments for CONFIG SET - 'x'".into()),
        (
            &["maxmemory", "abc"],
            format!("{related} 'maxmemory') - argument must be a memory value"),
        ),
        (
            &["maxmemory", "1tb"],
            format!("{related} 'maxmemory') - argument must be a memory value"),
        ),
        (
            &["maxmemory", "1", "MAXMEMORY", "2"],
            format!("{related} 'MAXMEMORY') - duplicate parameter"),
        ),
        (
            &["hash-max-ziplist-entries", "1", "hash-max-listpack-entries", "2"],
            format!("{related} 'hash-max-listpack-entries') - duplicate parameter"),
        ),
        (&["databases", "3"], format!("{related} 'databases') - can't set immutable config")),
        (&["tcp-backlog", "3"], format!("{related} 'tcp-backlog') - can't set immutable config")),
        (&["appendonly", "no"], format!("{related} 'appendonly') - can't set immutable config")),
        (
            &["maxmemory-policy", "foo"],
            format!(
                "{related} 'maxmemory-policy') - argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, allkeys-lru, allkeys-lfu, allkeys-random, noeviction"
            ),
        ),
        (
            &["appendfsync", "foo"],
            format!(
                "{related} 'appendfsync') - argument(s) must be one of the following: everysec, always, no"
            ),
        ),
        (
            &["maxclients", "abc"],
            format!("{related} 'maxclients') - argument couldn't be parsed into an integer"),
        ),
        (
            &["maxclients", "-1"],
            format!(
                "{related} 'maxclients') - argument must be between 1 and 4294967295 inclusive"
            ),
        ),
        (
            &["timeout", ""],
            format!("{related} 'timeout') - argument couldn't be parsed into an integer"),
        ),
        (
            &["protected-mode", "maybe"],
            format!("{related} 'protected-mode') - argument must be 'yes' or 'no'"),
        ),
        (
            &["maxmemory", "1", "notify-keyspace-events", "Q"],
            format!(
                "{related} 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
            ),
        ),
        (
            &["maxmemory-samples", "0"],
            format!(
                "{related} 'maxmemory-samples') - argument must be between 1 and 2147483647 inclusive"
            ),
        ),
        (
            &["slowlog-log-slower-than", "-5"],
            format!(
                "{related} 'slowlog-log-slower-than') - argument must be between -1 and 9223372036854775807 inclusive"
            ),
        ),
        (
            &["proto-max-bulk-len", "10"],
            format!(
                "{related} 'proto-max-bulk-len') - argument must be between 1048576 and 9223372036854775807 inclusive"
            ),
        ),
        (
            &["timeout", "5", "unknown", "1"],
            "ERR Unknown option or number of arguments for CONFIG SET - 'unknown'".into(),
        ),
    ] {
        assert_eq!(set(&config, words), Err(text), "{words:?}");
    }
    let after: Vec<_> = (0..KEYS.len()).map(|place| config.value(place)).collect();
    assert_eq!(before, after, "a refused set changed something");
}

#[test]
fn a_set_is_seen_by_all_who_ask() {
    let config = config(&[]);
    let words =
        ["maxmemory", "100mb", "maxmemory-policy", "ALLKEYS-LFU", "save", "", "timeout", "9"];
    set(&config, &words).unwrap();
    assert_eq!(config.print(place("maxmemory")), "104857600");
    assert_eq!(config.print(place("maxmemory-policy")), "allkeys-lfu");
    let mut settings = config.settings();
    assert_eq!((settings.maxmemory, settings.policy), (100 << 20, Policy::AllKeysLfu));
    assert_eq!(config.timeout_s(), 9);
    set(&config, &["notify-keyspace-events", "KEA", "zset-max-ziplist-value", "9"]).unwrap();
    settings.active_expire = false;
    config.apply_to(&mut settings);
    assert_eq!(config.print(place("notify-keyspace-events")), "AKE");
    assert!(settings.notify != 0 && settings.thresholds.zset_value == 9);
    assert!(!settings.active_expire, "what CONFIG does not know is left alone");
    set(&config, &["requirepass", "a"]).unwrap();
    assert!(config.accepts(b"a") && !config.accepts(b"b") && !config.protects());
    set(&config, &["requirepass", ""]).unwrap();
    assert!(!config.requires_password() && config.protects());
}

#[test]
fn rewriting_keeps_comments_and_adds_what_differs() {
    let text = "# Mine.\nport = 7000 # not the usual\nmaxmemory = \"1mb\"\n\n# Slow ones.\nhash-max-ziplist-entries = 3\n";
    let file = TomlFile::new("rewrite", text);
    let config = load_with(&["--config", file.path(), "--timeout", "4"], &[]).unwrap().config;
    let same = rewritten(&config, text, Path::new("f")).unwrap();
    assert_eq!(same, format!("{text}timeout = 4\n"));
    set(&config, &["maxmemory", "2mb", "hash-max-listpack-entries", "5", "protected-mode", "no"])
        .unwrap();
    rewrite(&config, config.file().unwrap()).unwrap();
    let written = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(
        written,
        "# Mine.\nport = 7000 # not the usual\nmaxmemory = \"2097152\"\n\n# Slow ones.\nhash-max-ziplist-entries = 5\ntimeout = 4\nprotected-mode = \"no\"\n"
    );
    let again = load_with(&["--config", file.path()], &[]).unwrap().config;
    (0..KEYS.len()).for_each(|place| assert_eq!(again.value(place), config.value(place)));
}
