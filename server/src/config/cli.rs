//! The command line, made from the table of keys.

use super::kind::Kind;
use super::sources::{Origin, Written, variable};
use super::table::{KEYS, Row, Section};
use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::path::PathBuf;

/// What the process is started for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Serve clients.
    Serve,
    /// `restore DIR`: make `--dir` from the checkpoint in DIR.
    Restore(PathBuf),
    /// `check DIR`: read a data directory and say what is wrong with it.
    Check(PathBuf),
    /// `simulate ARG...`: virtual clusters; `crate::simulate` reads the arguments.
    Simulate(Vec<String>),
}

const ABOUT: &str = "A store that speaks Redis's protocol and keeps its data on disk.";

const EXAMPLES: &str = "\
Examples:
  bowshock                                    serve on 127.0.0.1:6379, data in ./data
  bowshock --port 7000 --dir /var/lib/bowshock
  bowshock --base memory                      a cache: nothing is written to disk
  bowshock --maxmemory 2gb --maxmemory-policy allkeys-lru
  BOWSHOCK_REQUIREPASS=secret bowshock --bind '* -::*'
  bowshock --config bowshock.toml             lines such as: maxmemory = \"2gb\"
  bowshock check ./data                       is this directory sound?
  bowshock restore ./checkpoint --dir ./data
  bowshock simulate --help                    what would autoscaling cost, and hold?

Then: redis-cli -p 6379 SET greeting hello

Every key can be given as a flag, as BOWSHOCK_<KEY> in the environment, or in the file;
a flag wins over the environment, the environment over the file. Many can be changed
while it runs: redis-cli CONFIG SET <key> <value>; CONFIG REWRITE saves them to the file.
Bytes take units: kb mb gb (powers of 1024), k m g (powers of 1000).";

pub fn command() -> Command {
    let mut command = Command::new("bowshock")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .after_help(EXAMPLES)
        .override_usage("bowshock [--KEY VALUE]...\n       bowshock restore DIR [--KEY VALUE]...\n       bowshock check DIR\n       bowshock simulate [--help]")
        .disable_help_subcommand(true)
        .subcommand(
            directory(Command::new("restore"), "The checkpoint")
                .about("Make the data directory --dir from the checkpoint in DIR"),
        )
        .subcommand(
            directory(Command::new("check"), "The data directory")
                .about("Read a data directory and report what is damaged"),
        )
        .subcommand(
            // Its arguments are none of the keys, so it reads them itself (`crate::simulate`).
            Command::new("simulate")
                .about("Put virtual clusters through days of load and compare policies")
                .disable_help_flag(true)
                .arg(
                    Arg::new("ARGS").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true),
                ),
        )
        .next_help_heading("File")
        .arg(
            Arg::new("config")
                .long("config")
                .value_name("FILE")
                .global(true)
                .value_parser(value_parser!(PathBuf))
                .help("TOML file with the same keys [env: BOWSHOCK_CONFIG]"),
        );
    for section in Section::ALL {
        let rows = KEYS.iter().filter(|row| row.section == section);
        command = command.args(rows.map(|row| flag(row).help_heading(section.title())));
    }
    command
}

fn directory(command: Command, help: &'static str) -> Command {
    let parser = NonEmptyStringValueParser::new();
    command.arg(Arg::new("DIR").required(true).value_parser(parser).help(help))
}

fn flag(row: &Row) -> Arg {
    let default =
        if row.default.is_empty() { String::new() } else { format!(" [default: {}]", row.default) };
    let mut arg = Arg::new(row.name)
        .long(row.name)
        .value_name(value_name(row.kind))
        .global(true)
        .allow_hyphen_values(true)
        .hide_possible_values(true)
        .help(format!("{}{}{default}", row.help, choices(row.kind)));
    if let Some(alias) = row.alias {
        arg = arg.alias(alias);
    }
    arg
}

fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Int { .. } => "N",
        Kind::Bytes { .. } | Kind::AutoBytes => "BYTES",
        Kind::YesNo => "yes|no",
        Kind::Choice(_) => "NAME",
        Kind::Text { .. } => "TEXT",
        Kind::Secret => "PASSWORD",
    }
}

fn choices(kind: Kind) -> String {
    match kind {
        Kind::Choice(all) => format!(" ({})", all.join(", ")),
        _ => String::new(),
    }
}

/// The values given as flags.
pub fn from_flags(matches: &ArgMatches) -> Vec<Written> {
    let given = KEYS.iter().enumerate().filter_map(|(place, row)| {
        let text = matches.get_one::<String>(row.name)?;
        Some((place, text.clone(), Origin::Flag(row.name.into())))
    });
    given.collect()
}

pub fn task(matches: &ArgMatches) -> Task {
    let dir = |matches: &ArgMatches| matches.get_one::<String>("DIR").map(PathBuf::from);
    match matches.subcommand() {
        Some(("restore", matches)) => dir(matches).map_or(Task::Serve, Task::Restore),
        Some(("check", matches)) => dir(matches).map_or(Task::Serve, Task::Check),
        Some(("simulate", matches)) => {
            let args = matches.get_many::<String>("ARGS").into_iter().flatten();
            Task::Simulate(args.cloned().collect())
        }
        _ => Task::Serve,
    }
}

/// The file to read: of the flag, else of the environment.
pub fn file(matches: &ArgMatches, environment: &[(String, String)]) -> Option<PathBuf> {
    let variable = variable("config");
    let named = || environment.iter().find(|(name, _)| *name == variable).map(|(_, path)| path);
    matches
        .get_one::<PathBuf>("config")
        .cloned()
        .or_else(|| named().filter(|path| !path.is_empty()).map(PathBuf::from))
}
