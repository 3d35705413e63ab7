//! The configuration from outside: what is written where, and what comes of it.

mod change;
mod docs;

use super::sources::from_toml;
use super::table::{APPEND_FSYNC, KEYS, POLICIES, find, place};
use super::*;
use cluster::journal::Sync;
use std::path::{Path, PathBuf};
use storage::keyspace::Policy;

fn load_with(args: &[&str], environment: &[(&str, &str)]) -> Result<Loaded, NotLoaded> {
    let args = ["bowshock"].iter().chain(args).map(OsString::from);
    load(args, environment.iter().map(|(name, value)| (name.into(), value.into())))
}

fn config(args: &[&str]) -> Config {
    load_with(args, &[]).unwrap().config
}

fn line_of(result: Result<Loaded, NotLoaded>) -> String {
    match result {
        Err(error @ NotLoaded::Config(_)) => error.to_string(),
        Err(error) => panic!("a complaint of the command line: {error}"),
        Ok(_) => panic!("it was accepted"),
    }
}

/// A file that is gone when the test ends.
struct TomlFile(PathBuf);

impl TomlFile {
    fn new(name: &str, text: &str) -> TomlFile {
        let name = format!("bowshock-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        TomlFile(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TomlFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_command_line_is_sound() {
    cli::command().debug_assert();
}

#[test]
fn every_default_is_a_value_of_its_key() {
    let config = config(&[]);
    for (place, row) in KEYS.iter().enumerate() {
        let value = row.kind.parse(row.default).unwrap();
        assert_eq!(config.value(place), value, "{}", row.name);
        assert_eq!(row.kind.parse(&config.print(place)).unwrap(), value, "{}", row.name);
        assert_eq!(find(row.name), Some(place), "{} twice", row.name);
        assert!(row.alias.is_none_or(|alias| find(alias) == Some(place)), "{:?}", row.alias);
        assert!(fixed::get(&config, row.name).is_none(), "{} is fixed too", row.name);
    }
}

#[test]
fn choices_agree_with_the_enums_they_stand_for() {
    for (name, (policy, known)) in POLICIES.iter().zip(Policy::NAMES) {
        assert_eq!(*name, known);
        let settings = config(&["--maxmemory-policy", name]).settings();
        assert_eq!(settings.policy, policy);
    }
    let sync = |name| config(&["--appendfsync", name]).appendfsync();
    let syncs: Vec<Sync> = APPEND_FSYNC.iter().map(|name| sync(name)).collect();
    assert_eq!(syncs, [Sync::EverySec, Sync::Always, Sync::No]);
}

#[test]
fn defaults_serve_this_host_only() {
    let config = config(&[]);
    let start = config.start();
    assert_eq!((start.port, start.bind.as_str()), (6379, "127.0.0.1 -::1"));
    assert_eq!(start.http.as_deref(), Some("127.0.0.1:9121"));
    assert_eq!((start.base, start.buckets), (BaseKind::Rocksdb, 1000));
    assert!(start.threads >= 1);
    assert_eq!((start.hash_seed, start.block_cache, start.disk_reserve), (None, None, None));
    assert!(config.protects() && !config.requires_password());
    assert_eq!(config.maxclients(), 10_000);
    assert_eq!(config.query_buffer_limit(), 1 << 30);
    assert_eq!(config.settings().bulk_len_max, 512 << 20);
    assert_eq!(config.base_lag_max(), 256 << 20);
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = TomlFile::new("order", "timeout = 1\nmaxclients = 11\nslowlog-max-len = 21\n");
    let environment = [("BOWSHOCK_TIMEOUT", "2"), ("BOWSHOCK_MAXCLIENTS", "12")];
    let loaded = load_with(&["--config", file.path(), "--timeout", "3"], &environment).unwrap();
    let config = loaded.config;
    assert_eq!((config.timeout_s(), config.maxclients(), config.slowlog_len()), (3, 12, 21));
    assert_eq!(config.latency_ms(), 0);
    // The file may be named by the environment too.
    let config = load_with(&[], &[("BOWSHOCK_CONFIG", file.path())]).unwrap().config;
    assert_eq!((config.timeout_s(), config.file()), (1, Some(Path::new(file.path()))));
}

#[test]
fn units_hold_wherever_bytes_are_taken() {
    let file = TomlFile::new("units", "feed-bytes = \"64mb\"\nmaxmemory = 1000\n");
    let loaded = load_with(
        &["--config", file.path(), "--block-cache", "1G"],
        &[("BOWSHOCK_BASE_LAG_MAX", "2gb")],
    );
    let config = loaded.unwrap().config;
    assert_eq!(config.feed_bytes(), 64 << 20);
    assert_eq!(config.settings().maxmemory, 1000);
    assert_eq!(config.base_lag_max(), 2 << 30);
    assert_eq!(config.start().block_cache, Some(1_000_000_000));
}

#[test]
fn a_bad_value_says_key_value_what_is_allowed_and_where() {
    assert_eq!(
        line_of(load_with(&["--maxmemory", "lots"], &[])),
        "maxmemory = 'lots', from the flag --maxmemory: must be bytes such as 1024, 100mb or 2gb, at least 0"
    );
    assert_eq!(
        line_of(load_with(&[], &[("BOWSHOCK_PORT", "tcp://10.0.0.1:6379")])),
        "port = 'tcp://10.0.0.1:6379', from the environment variable BOWSHOCK_PORT: must be a whole number, 0 to 65535"
    );
    let file = TomlFile::new("bad", "appendfsync = \"sometimes\"\n");
    assert_eq!(
        line_of(load_with(&["--config", file.path()], &[])),
        format!(
            "appendfsync = 'sometimes', from {}: must be one of everysec, always, no",
            file.path()
        )
    );
    let file = TomlFile::new("list", "bind = [\"a\"]\n");
    let line = line_of(load_with(&["--config", file.path()], &[]));
    assert!(line.starts_with("bind = '[\"a\"]', from"), "{line}");
    // A password is never shown, not even a wrong one.
    assert!(load_with(&["--requirepass", "x"], &[]).is_ok());
}

#[test]
fn an_unknown_key_is_named_with_the_likely_one() {
    let path = Path::new("some.toml");
    let error = from_toml("maxmemory-polcy = \"noeviction\"", path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "some.toml sets the unknown key 'maxmemory-polcy' (did you mean maxmemory-policy?); bowshock --help lists all keys"
    );
    let error = from_toml("Port = 1", path).unwrap_err().to_string();
    assert!(error.contains("unknown key 'Port'"), "{error}");
    let error = from_toml("[server]\nport = 1", path).unwrap_err().to_string();
    assert!(error.contains("unknown key 'server'"), "{error}");
    let error = from_toml("port = ", path).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the file of --config, some.toml: "), "{error}");
    assert!(!error.contains('\n'), "{error}");
    assert!(load_with(&["--prot", "1"], &[]).is_err());
    // Others write into the environment too.
    let loaded = load_with(&[], &[("BOWSHOCK_SERVICE_HOST", "10.0.0.1"), ("PATH", "")]).unwrap();
    assert_eq!(loaded.warnings.len(), 1, "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("BOWSHOCK_SERVICE_HOST"));
}

#[test]
fn a_missing_file_is_an_error() {
    let line = line_of(load_with(&["--config", "/nonexistent/b.toml"], &[]));
    assert!(line.starts_with("cannot read the file of --config, /nonexistent/b.toml: "), "{line}");
}

#[test]
fn subcommands_name_a_directory_and_take_keys_on_either_side() {
    let loaded = load_with(&["--port", "7", "restore", "from", "--dir", "to"], &[]).unwrap();
    assert_eq!(loaded.task, Task::Restore("from".into()));
    assert_eq!(loaded.config.start().dir, Path::new("to"));
    assert_eq!(loaded.config.start().port, 7);
    assert_eq!(load_with(&["check", "d"], &[]).unwrap().task, Task::Check("d".into()));
    let task = load_with(&["simulate", "--trace", "dos", "--help"], &[]).unwrap().task;
    assert_eq!(task, Task::Simulate(["--trace", "dos", "--help"].map(String::from).to_vec()));
    assert_eq!(load_with(&[], &[]).unwrap().task, Task::Serve);
    assert!(matches!(load_with(&["check"], &[]), Err(NotLoaded::CommandLine(_))));
    assert!(matches!(load_with(&["chek", "d"], &[]), Err(NotLoaded::CommandLine(_))));
}

#[test]
fn help_shows_every_key_under_its_heading() {
    let Err(NotLoaded::CommandLine(error)) = load_with(&["--help"], &[]) else {
        panic!("help is shown instead of loading")
    };
    let help = error.to_string();
    for row in KEYS {
        assert!(help.contains(&format!("--{} <", row.name)), "{}", row.name);
        assert!(help.contains(row.section.title()), "{}", row.section.title());
        assert!(help.contains(row.help), "{}", row.help);
    }
    assert!(help.contains("Examples:") && help.contains("BOWSHOCK_CONFIG"));
}

#[test]
fn older_names_and_negative_numbers_are_taken() {
    let config = config(&["--hash-max-ziplist-entries", "7", "--slowlog-log-slower-than", "-1"]);
    assert_eq!(config.settings().thresholds.hash_entries, 7);
    assert_eq!(config.slowlog_us(), -1);
}

#[test]
fn a_password_is_kept_as_its_hash() {
    let config = config(&["--requirepass", "secret"]);
    assert!(config.requires_password() && !config.protects());
    assert!(config.accepts(b"secret"));
    assert!(!config.accepts(b"Secret") && !config.accepts(b""));
    let shown = config.print(place("requirepass"));
    assert!(shown.starts_with("sha256:2bb80d537b1da3e3"), "{shown}");
    // The shown form sets the same password, and is none itself.
    let again = load_with(&[], &[("BOWSHOCK_REQUIREPASS", &shown)]).unwrap().config;
    assert!(again.accepts(b"secret") && !again.accepts(shown.as_bytes()));
    // What only looks like a hash is an ordinary password.
    let odd = load_with(&["--requirepass", "sha256:zz"], &[]).unwrap().config;
    assert!(odd.accepts(b"sha256:zz"));
}

#[cfg(unix)]
#[test]
fn what_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let variable = ("BOWSHOCK_REQUIREPASS".into(), OsString::from_vec(vec![0xff]));
    let line = line_of(load([OsString::from("bowshock")], [variable]));
    assert_eq!(line, "the environment variable BOWSHOCK_REQUIREPASS is not UTF-8 text");
    let config = config(&[]);
    let refused = super::change::check(&config, &[(b"requirepass", &[0xff])]).unwrap_err();
    assert!(refused.ends_with("argument must be UTF-8 text"), "{refused}");
}

#[test]
fn debug_is_for_whom_the_key_says() {
    for (choice, local, remote) in
        [("no", false, false), ("local", true, false), ("yes", true, true)]
    {
        let config = config(&["--enable-debug-command", choice]);
        let allowed = (config.debug_allowed(true), config.debug_allowed(false));
        assert_eq!(allowed, (local, remote), "{choice}");
    }
}

#[test]
fn start_values_are_read() {
    let config = config(&[
        "--http",
        "off",
        "--base",
        "memory",
        "--threads",
        "3",
        "--bucket-tag",
        "<>",
        "--hash-seed",
        "9",
        "--log-level",
        "debug",
        "--bind",
        "* -::*",
    ]);
    let start = config.start();
    assert_eq!((start.http.clone(), start.base, start.threads), (None, BaseKind::Memory, 3));
    assert_eq!((start.bucket_tag.open, start.bucket_tag.close), (b'<', b'>'));
    assert_eq!((start.hash_seed, start.bind.as_str()), (Some(9), "* -::*"));
    assert_eq!(start.log_level, tracing::level_filters::LevelFilter::DEBUG);
    for bad in [["--http", "9121"], ["--bucket-tag", "{{"], ["--buckets", "16385"], ["--bind", " "]]
    {
        assert!(load_with(&bad, &[]).is_err(), "{bad:?}");
    }
}

/// C22
#[test]
fn without_maxmemory_the_base_on_disk_gets_a_share_and_the_one_in_memory_no_limit() {
    let limit = |args: &[&str]| config(args).settings().maxmemory;
    let memory = config(&[]).start().memory_bytes;
    assert!(memory > 0);
    assert_eq!(limit(&[]), memory / 100 * 60);
    assert_eq!(limit(&["--maxmemory-share", "25"]), memory / 100 * 25);
    assert_eq!(limit(&["--maxmemory", "1mb", "--maxmemory-share", "25"]), MB);
    assert_eq!(limit(&["--base", "memory"]), 0);
    assert_eq!(config(&[]).print(place("maxmemory")), "0");
}

const MB: u64 = 1 << 20;
