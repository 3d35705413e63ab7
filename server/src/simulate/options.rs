//! The arguments of `bowshock simulate`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use cluster::simulator::{Policy, Trace};

/// Most seeds of one run.
const SEEDS_MAX: u64 = 10_000;

/// What is to be simulated.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    pub trace: String,
    pub policy: String,
    pub seeds: Vec<u64>,
    /// As they were written.
    pub seeds_text: String,
    pub nodes_max: u32,
    pub minutes: Option<u32>,
    pub csv: Option<PathBuf>,
    pub log: Option<PathBuf>,
    pub svg: Option<PathBuf>,
    pub json: bool,
    pub alone: bool,
}

impl Options {
    /// Reads the arguments after `simulate`; help is an error, as clap has it.
    pub fn parse(args: &[String]) -> Result<Self, clap::Error> {
        let name = "bowshock simulate".to_owned();
        let matches = command().try_get_matches_from([&name].into_iter().chain(args))?;
        let text = |key| matches.get_one::<String>(key).cloned().unwrap_or_default();
        let (seeds_text, seeds) =
            matches.get_one::<(String, Vec<u64>)>("seeds").cloned().unwrap_or_default();
        Ok(Self {
            trace: text("trace"),
            policy: text("policy"),
            seeds,
            seeds_text,
            nodes_max: number(&matches, "nodes-max").unwrap_or(1),
            minutes: number(&matches, "minutes"),
            csv: matches.get_one::<PathBuf>("csv").cloned(),
            log: matches.get_one::<PathBuf>("log").cloned(),
            svg: matches.get_one::<PathBuf>("svg").cloned(),
            json: matches.get_flag("json"),
            alone: matches.get_flag("alone"),
        })
    }
}

fn number(matches: &ArgMatches, key: &str) -> Option<u32> {
    matches.get_one::<u32>(key).copied()
}

fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let at_least_one = || value_parser!(u32).range(1..);
    Command::new("bowshock simulate")
        .about("Puts virtual clusters through days of load, in seconds, and compares policies: what they cost and how often they were too slow.")
        .override_usage("bowshock simulate [--trace TRACE] [--policy POLICY] [--seeds 1-20] ...")
        .after_help(help())
        .arg(option("trace", "TRACE", "The load: one of those below, or csv:FILE").default_value("diurnal"))
        .arg(option("policy", "POLICY", "Who decides: one of those below, or csv:FILE").default_value("predictive"))
        .arg(
            option("seeds", "SEEDS", "Seeds of noise, provisioning and failures: 7, or 1-20, or 1,4,9; figures are medians")
                .default_value("1-20")
                .value_parser(seeds),
        )
        .arg(option("nodes-max", "N", "Most nodes a policy may use").default_value("100").value_parser(at_least_one()))
        .arg(option("minutes", "N", "Cut the trace to so many minutes, or hold its last value so long").value_parser(value_parser!(u32).range(1..=527_040)))
        .arg(option("csv", "FILE", "Write the first seed's run of the policy, a line per 10 s").value_parser(value_parser!(PathBuf)))
        .arg(option("log", "FILE", "Write what the cluster did in that run and what operators were told, with the reasons").value_parser(value_parser!(PathBuf)))
        .arg(option("svg", "DIR", "Draw that run: load, nodes by role, response time, actions; as DIR/TRACE-POLICY.svg").value_parser(value_parser!(PathBuf)))
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object instead of the table"))
        .arg(Arg::new("alone").long("alone").action(ArgAction::SetTrue).help("Leave out the policies that stand beside for comparison"))
}

fn help() -> String {
    let mut text = String::from("Traces:\n");
    for (name, what) in Trace::BUILT_IN {
        let _ = writeln!(text, "  {name:<12} {what}");
    }
    text.push_str(
        "  csv:FILE     lines of time,reads/s,writes/s,clients (time in seconds)\n\nPolicies:\n",
    );
    for (name, what) in Policy::NAMED {
        let _ = writeln!(text, "  {name:<12} {what}");
    }
    text.push_str(
        "  csv:FILE     a plan of your own, lines of time,nodes (time in seconds)

The world: a level 1 node does 1000 reads or writes a second, one after the other (M/M/1);
applying a replicated write costs a quarter of a read. A new node comes after a minute
(median; 3 min at the 95th percentile), then copies 10 GB at 100 MB/s; it is paid from the
moment it is asked for. Load varies by 12 % from one 10 s to the next. A minute is too slow
if its average response time is not under 5 ms; requests shed count as 1 s.

Columns: x oracle = node-hours by those of who knows the future; reversals = changes of
direction within 30 min; copies = copies of a shard begun; balance = busiest shard by mean.

Examples:
  bowshock simulate --trace diurnal --seeds 1-20
  bowshock simulate --trace flash --policy csv:plan.csv --csv run.csv
  bowshock simulate --trace csv:load.csv --policy hpa-latency --json",
    );
    text
}

/// `7`, `1-20`, `1,4,9`, with the text itself.
fn seeds(text: &str) -> Result<(String, Vec<u64>), String> {
    let wrong = || format!("expected 7, 1-20 or 1,4,9; at most {SEEDS_MAX} seeds");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u64, u64) =
            from.trim().parse().ok().zip(to.trim().parse().ok()).ok_or_else(wrong)?;
        if from > to || to - from >= SEEDS_MAX {
            return Err(wrong());
        }
        all.extend(from..=to);
    }
    if all.len() as u64 > SEEDS_MAX { Err(wrong()) } else { Ok((text.to_owned(), all)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Options::parse(&args).map_err(|error| error.to_string())
    }

    #[test]
    fn seeds_are_ranges_and_lists() {
        assert_eq!(parse("").unwrap().seeds, (1..=20).collect::<Vec<_>>());
        assert_eq!(parse("--seeds 1-3,9").unwrap().seeds, [1, 2, 3, 9]);
        for wrong in ["3-1", "x", "", "1-", "1-99999999999"] {
            let error = parse(&format!("--seeds={wrong}")).unwrap_err();
            assert!(error.contains("expected 7, 1-20 or 1,4,9"), "{wrong}: {error}");
        }
    }

    #[test]
    fn help_names_every_trace_and_policy() {
        let help = parse("--help").unwrap_err();
        for (name, what) in Trace::BUILT_IN.iter().chain(Policy::NAMED) {
            assert!(help.contains(name) && help.contains(what), "{name}: {help}");
        }
        assert!(parse("--nodes-max 0").is_err() && parse("--minutes 0").is_err());
    }
}
