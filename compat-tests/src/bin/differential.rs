//! `differential`: random commands against redis-server and Bowshock, replies compared.
//!
//! Ends with 0 only if nothing differed that `explained.txt` does not explain, errors were 10-60 %
//! of the replies, and, in runs of 300,000 commands or more, every command came at least 200 times
//! and every option at least 20 times.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use compat_tests::Result;
use compat_tests::differential::{Differential, Report};
use compat_tests::server::{Program, Server};

const USAGE: &str = "\
usage: differential [--seed N] [--commands N] [--redis-addr HOST:PORT] [--sut-addr HOST:PORT]
                    [--sut redis|memory|rocksdb] [--coverage FILE]
  --seed N         the same seed gives the same commands (default: from the clock, printed)
  --commands N     how many (default 300000)
  --redis-addr     a running redis-server 7.0.15; all its data are deleted (default: starts one)
  --sut-addr       a running server to compare; all its data are deleted (default: starts one)
  --sut            what to start: Bowshock on a base (default memory; BOWSHOCK_BIN is its path), or
                   a second redis-server, to test this program itself
  --coverage FILE  writes how often each command and option came, as Markdown";

/// A run as long as this has to reach every command and option.
const FULL_RUN: u64 = 300_000;

struct Options {
    seed: u64,
    commands: u64,
    redis: Option<SocketAddr>,
    sut: Option<SocketAddr>,
    program: Program,
    coverage: Option<PathBuf>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("differential: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options> {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let mut options = Options {
        seed: u64::try_from(clock % 1_000_000_007)?,
        commands: FULL_RUN,
        redis: None,
        sut: None,
        program: Program::bowshock(),
        coverage: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"));
        match flag.as_str() {
            "--seed" => options.seed = value()?.parse()?,
            "--commands" => options.commands = value()?.parse()?,
            "--redis-addr" => options.redis = Some(value()?.parse()?),
            "--sut-addr" => options.sut = Some(value()?.parse()?),
            "--coverage" => options.coverage = Some(value()?.into()),
            "--sut" => {
                options.program = match value()?.as_str() {
                    "redis" => Program::Redis,
                    "memory" => Program::BowshockMemory,
                    "rocksdb" => Program::BowshockRocksdb,
                    other => return Err(format!("--sut {other}?\n{USAGE}").into()),
                }
            }
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn run(options: &Options) -> Result<bool> {
    println!("seed {}", options.seed);
    let (_redis, redis) = server(options.redis, Program::Redis)?;
    let (sut_server, sut) = server(options.sut, options.program)?;
    let mut run = Differential::new(options.seed, redis, sut)?;
    let progress = |report: &Report| {
        println!(
            "{} commands, {}/s, {} unexplained differences",
            report.commands,
            report.rate(),
            report.unexplained()
        );
    };
    if let Err(error) = run.run(options.commands, progress) {
        println!("{}", run.report());
        let output = sut_server.map(|server| server.output()).unwrap_or_default();
        let tail: Vec<&str> = output.lines().rev().take(30).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        return Err(format!("{error}\n{}", tail.join("\n")).into());
    }
    println!("{}", run.report());
    let (seed, commands) = (run.report().seed, run.report().commands);
    let percent = run.report().error_percent();
    let mut good = run.report().unexplained() == 0;
    if !(10..=60).contains(&percent) {
        println!("{percent} % of the replies are errors: the run says too little");
        good = false;
    }
    let coverage = run.generator().coverage();
    let rare = coverage.below(200, 20);
    if commands >= FULL_RUN && !rare.is_empty() {
        println!("too seldom: {}", rare.join(", "));
        good = false;
    }
    if let Some(path) = &options.coverage {
        let title = format!("Seed {seed}, {commands} commands, {percent} % of the replies errors.");
        std::fs::write(path, coverage.markdown(&title))?;
    }
    Ok(good)
}

/// The server at `addr`, or a new one.
fn server(addr: Option<SocketAddr>, program: Program) -> Result<(Option<Server>, SocketAddr)> {
    if let Some(addr) = addr {
        return Ok((None, addr));
    }
    let server = Server::start(program, &[])?;
    let addr = server.addr();
    Ok((Some(server), addr))
}
