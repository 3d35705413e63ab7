//! A short differential run in every test run; the long one is the binary `differential`.
//!
//! `COMPAT_SEED` and `COMPAT_COMMANDS` choose another run. The run itself is tested too: two
//! redis-servers must not differ, and one that is configured otherwise must be found out.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use compat_tests::differential::Differential;
use compat_tests::server::{Program, Server};

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Runs `commands` commands against redis-server and another server, and returns the report's text
/// with the number of unexplained differences.
fn run(program: Program, extra: &[&str], seed: u64, commands: u64) -> (String, u64) {
    let redis = Server::start(Program::Redis, &[]).unwrap_or_else(|error| panic!("{error}"));
    let sut = Server::start(program, extra).unwrap_or_else(|error| panic!("{error}"));
    let mut run = Differential::new(seed, redis.addr(), sut.addr()).unwrap();
    if let Err(error) = run.run(commands, |_| {}) {
        panic!("{}\n{error}\n{}", run.report(), sut.output());
    }
    (run.report().to_string(), run.report().unexplained())
}

#[test]
fn bowshock_answers_random_commands_as_redis() {
    let (seed, commands) = (number("COMPAT_SEED", 42), number("COMPAT_COMMANDS", 30_000));
    let (report, unexplained) = run(Program::bowshock(), &[], seed, commands);
    assert_eq!(unexplained, 0, "{report}");
}

#[test]
fn redis_does_not_differ_from_itself() {
    let (report, unexplained) = run(Program::Redis, &[], number("COMPAT_SEED", 7), 30_000);
    assert_eq!(unexplained, 0, "{report}");
}

#[test]
fn a_server_that_differs_is_found_out() {
    let (report, unexplained) = run(Program::Redis, &["--hash-max-listpack-value", "8"], 7, 30_000);
    assert!(unexplained > 0, "{report}");
    assert!(
        report.contains("OBJECT: bulk / bulk") || report.contains("STATE: encoding"),
        "{report}"
    );
}
