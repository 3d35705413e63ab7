//! INFO: the state of this node as text, in sections that clients and tools parse.
//!
//! Names of sections and fields are Redis's. A field stands here only if its value is true of this
//! node; what Redis has and this node has not is 0 where 0 is the truth, and left out elsewhere.

mod commands;
mod errors;
mod keyspace;
pub mod process;
mod rates;
mod sections;

pub use errors::reset_errors;
pub use rates::Samples;

use crate::session::{After, Call, SessionFn};
use resp::Reply;
use storage::commands::Fail;
use storage::commands::parse::is;

pub const CODE: &[(&str, SessionFn)] = &[("info", info)];

type Section = fn(&mut Call<'_>, &mut String);

/// Sections in the order they are shown; whether they are shown unasked.
const SECTIONS: &[(&str, bool, Section)] = &[
    ("Server", true, sections::server),
    ("Clients", true, sections::clients),
    ("Memory", true, sections::memory),
    ("Persistence", true, sections::persistence),
    ("Stats", true, sections::stats),
    ("Replication", true, sections::replication),
    ("CPU", true, sections::cpu),
    ("Modules", true, |_, _| {}),
    ("Commandstats", false, commands::counts),
    ("Errorstats", true, errors::counts),
    ("Latencystats", false, commands::latencies),
    ("Cluster", true, |_, out| field(out, "cluster_enabled", 0)),
    ("Keyspace", true, keyspace::databases),
];

fn info(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let wanted = wanted(call.args.from(1).iter());
    let mut text = String::new();
    for ((name, _, section), wanted) in SECTIONS.iter().zip(wanted) {
        if !wanted {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        text.push_str("# ");
        text.push_str(name);
        text.push_str("\r\n");
        section(call, &mut text);
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(After::Done)
}

/// Which sections the arguments ask for. Unknown names ask for nothing.
fn wanted<'a>(names: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<bool> {
    if names.len() == 0 {
        return SECTIONS.iter().map(|(_, unasked, _)| *unasked).collect();
    }
    let mut wanted = vec![false; SECTIONS.len()];
    for asked in names {
        let all = is(asked, "all") || is(asked, "everything");
        let default = is(asked, "default");
        for ((name, unasked, _), wanted) in SECTIONS.iter().zip(&mut wanted) {
            *wanted |= all || (default && *unasked) || is(asked, name);
        }
    }
    wanted
}

/// Appends `name:value`.
fn field(out: &mut String, name: &str, value: impl std::fmt::Display) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = write!(out, "{name}:{value}\r\n");
}

/// Appends a number of bytes, and once more for people.
fn bytes(out: &mut String, name: &str, bytes: u64) {
    field(out, name, bytes);
    field(out, &format!("{name}_human"), human(bytes));
}

/// Bytes in the unit that suits them, with two digits behind the point.
pub fn human(bytes: u64) -> String {
    const UNITS: [(u32, char); 5] = [(10, 'K'), (20, 'M'), (30, 'G'), (40, 'T'), (50, 'P')];
    let unit = UNITS.iter().rev().find(|(power, _)| bytes >> power > 0);
    unit.map_or_else(
        || format!("{bytes}B"),
        |(power, letter)| format!("{:.2}{letter}", bytes as f64 / (1u64 << power) as f64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        let wanted = wanted(asked.iter().map(|name| name.as_bytes()));
        let shown = SECTIONS.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        shown.map(|((name, ..), _)| *name).collect()
    }

    #[test]
    fn sections_are_chosen_by_name_in_any_case() {
        assert_eq!(names(&["keyspace", "SERVER", "nosuch"]), ["Server", "Keyspace"]);
        assert!(names(&["nosuch"]).is_empty());
        assert_eq!(names(&["all"]).len(), SECTIONS.len());
        assert_eq!(names(&[]), names(&["default"]));
        assert!(!names(&[]).contains(&"Commandstats"));
        assert!(names(&["default", "commandstats"]).contains(&"Commandstats"));
    }

    #[test]
    fn bytes_for_people() {
        assert_eq!(human(0), "0B");
        assert_eq!(human(1023), "1023B");
        assert_eq!(human(916_776), "895.29K");
        assert_eq!(human(12_115_968), "11.55M");
        assert_eq!(human(25_276_510_208), "23.54G");
    }
}
