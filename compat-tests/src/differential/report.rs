//! What a run found: differences grouped by pattern, the first of each told in full.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Instant;

use super::explained::Explained;
use super::state::StateDifference;
use crate::reply::Reply;
use crate::text::quote_command;

/// Commands on the same key that are shown before a difference.
const BEFORE: usize = 20;
/// Patterns that are told in full.
const TOLD_MAX: usize = 40;
/// Characters of one reply that are shown.
const SHOWN_MAX: usize = 1_000;

type History = VecDeque<(Vec<Vec<u8>>, Reply)>;

/// Counters and texts of one run.
#[derive(Debug)]
pub struct Report {
    /// The seed that gives this run again.
    pub seed: u64,
    /// Commands compared.
    pub commands: u64,
    /// Errors among redis-server's replies.
    pub errors: u64,
    /// Comparisons of all data.
    pub states: u64,
    started: Instant,
    patterns: BTreeMap<String, (u64, String)>,
    explained: Vec<Explained>,
}

impl Report {
    pub(crate) fn new(seed: u64) -> Report {
        Report {
            seed,
            commands: 0,
            errors: 0,
            states: 0,
            started: Instant::now(),
            patterns: BTreeMap::new(),
            explained: Explained::table(),
        }
    }

    /// How many differences have no explanation.
    pub fn unexplained(&self) -> u64 {
        self.patterns.values().map(|(count, _)| count).sum()
    }

    /// Errors among the replies, in percent.
    pub fn error_percent(&self) -> u64 {
        (self.errors * 100).checked_div(self.commands).unwrap_or(0)
    }

    /// Commands per second since the start.
    pub fn rate(&self) -> u64 {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (self.commands * 1000).checked_div(millis).unwrap_or(0)
    }

    pub(crate) fn difference(
        &mut self,
        args: &[Vec<u8>],
        redis: &Reply,
        sut: &Reply,
        history: &History,
    ) {
        let name = args.first().map(|name| String::from_utf8_lossy(name).to_uppercase());
        let name = name.unwrap_or_default();
        let (redis_text, sut_text) = (one_line(redis), one_line(sut));
        if let Some(line) =
            self.explained.iter_mut().find(|line| line.covers(&name, &redis_text, &sut_text))
        {
            line.count += 1;
            return;
        }
        let pattern = format!("{name}: {} / {}", class(redis), class(sut));
        let entry = self.patterns.entry(pattern).or_default();
        entry.0 += 1;
        if entry.0 == 1 {
            let keys: Vec<&Vec<u8>> =
                args.iter().skip(1).filter(|arg| crate::generator::is_key(arg)).collect();
            entry.1 = format!(
                "{}    > {}\n    redis: {}\n    other: {}\n",
                before(history, &keys),
                shown(&quote_command(args)),
                shown(&redis.render()).replace('\n', "\n           "),
                shown(&sut.render()).replace('\n', "\n           ")
            );
        }
    }

    pub(crate) fn state_difference(&mut self, difference: &StateDifference, history: &History) {
        let entry = self.patterns.entry(format!("STATE: {}", difference.what)).or_default();
        entry.0 += 1;
        if entry.0 == 1 {
            let past = before(history, &[&difference.key]);
            entry.1 = format!("{past}    {}\n", shown(&difference.text));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut patterns: Vec<_> = self.patterns.iter().collect();
        patterns.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (pattern, (count, text)) in patterns.iter().take(TOLD_MAX) {
            writeln!(f, "{pattern} ({count} times), first:\n{text}")?;
        }
        for (pattern, (count, _)) in &patterns {
            writeln!(f, "{count:8}  {pattern}")?;
        }
        for line in self.explained.iter().filter(|line| line.count > 0) {
            writeln!(f, "{:8}  explained: {}", line.count, line.reason)?;
        }
        write!(
            f,
            "seed {}: {} commands, {} % errors, {} times all data, {}/s: {} unexplained differences",
            self.seed,
            self.commands,
            self.error_percent(),
            self.states,
            self.rate(),
            self.unexplained()
        )
    }
}

/// The last commands that had one of `keys`, oldest first, with redis-server's replies.
fn before(history: &History, keys: &[&Vec<u8>]) -> String {
    let of_keys = history
        .iter()
        .rev()
        .filter(|(args, _)| keys.is_empty() || args.iter().skip(1).any(|arg| keys.contains(&arg)));
    let mut lines: Vec<String> = of_keys
        .take(BEFORE)
        .map(|(args, reply)| {
            format!("    {} -> {}\n", shown(&quote_command(args)), shown(&one_line(reply)))
        })
        .collect();
    lines.reverse();
    lines.concat()
}

fn one_line(reply: &Reply) -> String {
    reply.render().replace('\n', " ")
}

fn shown(text: &str) -> String {
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    text.chars().take(SHOWN_MAX).chain("...".chars()).collect()
}

/// What kind of reply, without its data: differences of one class have one cause, mostly.
fn class(reply: &Reply) -> String {
    match reply {
        Reply::Error(text) => {
            let text = String::from_utf8_lossy(text);
            // What is quoted in an error comes from the command.
            let end = text.find(['\'', '`']).unwrap_or(text.len());
            text.get(..end).unwrap_or("").to_owned()
        }
        Reply::Simple(text) => String::from_utf8_lossy(text).into_owned(),
        Reply::Integer(_) => "integer".to_owned(),
        Reply::Bulk(_) => "bulk".to_owned(),
        Reply::Array(items) if items.is_empty() => "empty array".to_owned(),
        Reply::Array(_) => "array".to_owned(),
        other => other.render().lines().next().unwrap_or("").to_owned(),
    }
}
