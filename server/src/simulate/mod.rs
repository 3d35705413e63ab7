//! `bowshock simulate`: reads the arguments and files, lets the simulator run, prints.
//!
//! Here is what the simulator itself must not have: files, a clock, the terminal.

mod log;
mod options;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use cluster::simulator::{
    Policy, Score, Tick, Trace, World, medians, parse_plan, picture, run as live, table, ticks_csv,
};
use options::Options;

/// Policies that stand beside the one that is looked at.
const BESIDE: &[&str] = &["hpa-70", "hpa-latency", "static-peak", "oracle"];

/// Does what the arguments after `simulate` say.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let options = match Options::parse(args) {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    let trace = trace(&options)?;
    let policies = policies(&options)?;
    let mut scores: Vec<Vec<Score>> = policies.iter().map(|_| Vec::new()).collect();
    let mut first = Vec::new();
    let began = Instant::now();
    for &seed in &options.seeds {
        let world = World::new(&trace, seed, options.nodes_max, true);
        let calm = trace.without_attack();
        let calm = calm.map(|calm| World::new(&calm, seed, options.nodes_max, true));
        for (at, (policy, scores)) in policies.iter().zip(&mut scores).enumerate() {
            let keep = at == 0
                && Some(&seed) == options.seeds.first()
                && (options.csv.is_some() || options.log.is_some() || options.svg.is_some());
            let mut clock = || u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let mut progress = Progress::new(policy, seed, world.loads.len());
            let mut score = live(&world, policy, &mut clock, &mut |at, tick: &Tick| {
                progress.at(at);
                if keep {
                    first.push(tick.clone());
                }
            })?;
            if let Some(calm) = &calm {
                score.compare_calm(&live(calm, policy, &mut || 0, &mut |_, _| {})?);
            }
            scores.push(score);
        }
    }
    if let Some(path) = &options.csv {
        std::fs::write(path, ticks_csv(&first))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &options.log {
        std::fs::write(path, first.iter().map(log::log).collect::<String>())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let (Some(dir), Some(policy)) = (&options.svg, policies.first()) {
        draw(dir, &trace, policy, options.seeds.first().copied().unwrap_or(0), &first)?;
    }
    let names = policies.iter().map(|p| p.name().to_owned());
    let rows: Vec<(String, Score)> = names.zip(scores.iter().map(|s| medians(s))).collect();
    let text =
        if options.json { json(&trace, &options, &rows)? } else { page(&trace, &options, &rows) };
    // A reader that closed the pipe has what it wanted.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// Writes the picture of a run into `dir`.
fn draw(dir: &Path, trace: &Trace, policy: &Policy, seed: u64, run: &[Tick]) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let title = format!("{} under {} (seed {seed})", trace.name, policy.name());
    let thresholds =
        [("grow: 5 ms on average over 5 min", 5000.0), ("shrink: below 2.5 ms", 2500.0)];
    let svg = picture(&title, run, &thresholds)?;
    let path = dir.join(format!("{}-{}.svg", trace.name, policy.name()));
    std::fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))
}

fn trace(options: &Options) -> anyhow::Result<Trace> {
    let name = &options.trace;
    let trace = match Trace::built_in(name) {
        Some(trace) => trace,
        None => {
            let path = name.strip_prefix("csv:").unwrap_or(name);
            let known: Vec<&str> = Trace::BUILT_IN.iter().map(|(name, _)| *name).collect();
            let text = std::fs::read_to_string(path).with_context(|| {
                format!("--trace {name}: none of {}, and no file to read", known.join(", "))
            })?;
            Trace::from_csv(&file_name(path), &text).with_context(|| path.to_owned())?
        }
    };
    Ok(match options.minutes {
        Some(minutes) => trace.cut(minutes),
        None => trace,
    })
}

/// The one that is looked at, then those beside it.
fn policies(options: &Options) -> anyhow::Result<Vec<Policy>> {
    let name = &options.policy;
    let first = match (Policy::named(name), name.strip_prefix("csv:")) {
        (Some(policy), _) => policy,
        (None, Some(path)) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("--policy {name}: cannot read the plan"))?;
            let steps = parse_plan(&text).with_context(|| path.to_owned())?;
            Policy::Plan { name: file_name(path), steps }
        }
        (None, None) => {
            let known: Vec<&str> = Policy::NAMED.iter().map(|(name, _)| *name).collect();
            anyhow::bail!("--policy {name}: none of {}, csv:FILE", known.join(", "))
        }
    };
    let beside = BESIDE.iter().filter(|name| !options.alone && **name != first.name());
    let beside: Vec<Policy> = beside.filter_map(|name| Policy::named(name)).collect();
    Ok([vec![first], beside].concat())
}

fn file_name(path: &str) -> String {
    Path::new(path)
        .file_name()
        .map_or_else(|| path.to_owned(), |n| n.to_string_lossy().into_owned())
}

fn page(trace: &Trace, options: &Options, rows: &[(String, Score)]) -> String {
    format!(
        "{}: {:.1} h, {} seed(s) {}, medians; at most {} nodes\n\n{}\n\
         too slow: minutes whose average response time is not under 5 ms\n",
        trace.name,
        trace.hours(),
        options.seeds.len(),
        options.seeds_text,
        options.nodes_max,
        table(rows),
    )
}

/// The figures of the policy as one object, those beside it within.
fn json(trace: &Trace, options: &Options, rows: &[(String, Score)]) -> anyhow::Result<String> {
    let mut rows = rows.iter();
    let (name, score) = rows.next().context("no policy")?;
    let beside = rows
        .map(|(name, score)| Ok((name.clone(), serde_json::to_value(score)?)))
        .collect::<Result<serde_json::Map<_, _>, serde_json::Error>>()?;
    let mut object = serde_json::to_value(score)?;
    let fields = object.as_object_mut().context("a score is an object")?;
    fields.insert("policy".to_owned(), name.as_str().into());
    fields.insert("trace".to_owned(), trace.name.as_str().into());
    fields.insert("seeds".to_owned(), options.seeds.as_slice().into());
    fields.insert("beside".to_owned(), beside.into());
    Ok(format!("{object:#}\n"))
}

/// One line on the terminal that says how far a long run is; nothing in a file or a pipe.
struct Progress {
    what: String,
    ticks: usize,
    began: Instant,
    shown: u64,
}

impl Progress {
    fn new(policy: &Policy, seed: u64, ticks: usize) -> Self {
        let what = format!("{}, seed {seed}", policy.name());
        Self { what, ticks: ticks.max(1), began: Instant::now(), shown: 0 }
    }

    fn at(&mut self, tick: usize) {
        let second = self.began.elapsed().as_secs();
        if second > self.shown && std::io::stderr().is_terminal() {
            self.shown = second;
            eprint!("\r{}: {} %   ", self.what, tick * 100 / self.ticks);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown > 0 {
            eprint!("\r{:60}\r", "");
        }
    }
}
