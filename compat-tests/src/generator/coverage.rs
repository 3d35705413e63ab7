//! Counts how often each command and each of its options was generated and how many replies were
//! errors, and writes the table `docs/coverage.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Counters of one run.
#[derive(Debug, Default)]
pub struct Coverage {
    commands: BTreeMap<String, Row>,
}

#[derive(Debug, Default)]
struct Row {
    count: u64,
    errors: u64,
    options: BTreeMap<&'static str, u64>,
}

impl Coverage {
    /// Makes a command known, so that it is listed even when it never comes.
    pub(crate) fn announce(&mut self, name: &str, options: &[&'static str]) {
        let row = self.commands.entry(name.to_owned()).or_default();
        for option in options {
            row.options.entry(option).or_default();
        }
    }

    pub(crate) fn count(&mut self, name: &str, options: &[&'static str]) {
        let row = self.commands.entry(name.to_owned()).or_default();
        row.count += 1;
        for option in options {
            *row.options.entry(option).or_default() += 1;
        }
    }

    /// Counts an error reply to the command that `args` spell.
    pub fn error(&mut self, args: &[Vec<u8>]) {
        let word = |at: usize| {
            args.get(at).map(|arg| String::from_utf8_lossy(arg).to_uppercase()).unwrap_or_default()
        };
        let (one, two) = (word(0), format!("{} {}", word(0), word(1)));
        let name = if self.commands.contains_key(&two) { two } else { one };
        if let Some(row) = self.commands.get_mut(&name) {
            row.errors += 1;
        }
    }

    /// Commands generated less than `commands` times, and options less than `options` times.
    pub fn below(&self, commands: u64, options: u64) -> Vec<String> {
        let mut rare = Vec::new();
        for (name, row) in &self.commands {
            if row.count < commands {
                rare.push(format!("{name}: {}", row.count));
            }
            for (option, count) in row.options.iter().filter(|(_, count)| **count < options) {
                rare.push(format!("{name} {option}: {count}"));
            }
        }
        rare
    }

    /// The table as Markdown; `title` says how it was made.
    pub fn markdown(&self, title: &str) -> String {
        let mut out = format!(
            "# Coverage of the differential run\n\nGenerated, do not edit. {title}\n\n\
             | command | times | errors | options |\n|---|---|---|---|\n"
        );
        for (name, row) in &self.commands {
            let options: Vec<String> =
                row.options.iter().map(|(option, count)| format!("{option} {count}")).collect();
            let percent = (row.errors * 100).checked_div(row.count).unwrap_or(0);
            _ = writeln!(out, "| {name} | {} | {percent} % | {} |", row.count, options.join(", "));
        }
        out
    }
}
