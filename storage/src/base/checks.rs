//! Looks at every record of a base and says what does not fit.

use super::meta;
use super::read;
use super::totals::Totals;
use super::view::{Cursor, View};
use super::{BaseError, BaseRecord};
use crate::record::{Main, RecordKey};

/// Problems that are told one by one; the rest are only counted.
const PROBLEMS_MAX: usize = 100;

/// What `check` found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Where in the journal the base stands.
    pub record: BaseRecord,
    pub keys: u64,
    /// Element records of large objects.
    pub elements: u64,
    /// Deadline records that are in force, and those that are not.
    pub deadlines: u64,
    pub stale_deadlines: u64,
    /// Bytes of all records' keys and values, uncompressed.
    pub bytes: u64,
    /// One line each, the first hundred.
    pub problems: Vec<String>,
    /// All of them; 0 for a sound base.
    pub problem_count: u64,
}

impl Report {
    pub(crate) fn problem(&mut self, line: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(line);
        }
    }
}

/// Decodes everything, and compares counters, deadlines and elements with the main records.
pub(crate) fn check(view: &impl View) -> Result<Report, BaseError> {
    let mut report = Report { record: read::base_record(view)?, ..Report::default() };
    check_deadlines(view, &mut report)?;
    let counted = check_data(view, &mut report)?;
    let stored = read::totals(view)?;
    if stored != counted {
        let places = stored.keys().chain(counted.keys());
        let places: std::collections::BTreeSet<_> = places.collect();
        for place in places {
            let (stored, counted) =
                (stored.get(place).unwrap_or(&0), counted.get(place).unwrap_or(&0));
            if stored != counted {
                let (db, bucket) = place;
                report.problem(format!(
                    "counter of db {db} bucket {bucket} says {stored}, there are {counted} keys"
                ));
            }
        }
    }
    Ok(report)
}

fn check_deadlines(view: &impl View, report: &mut Report) -> Result<(), BaseError> {
    let mut cursor = view.cursor(meta::DEADLINES, meta::END);
    while let Some((bytes, _)) = cursor.item() {
        report.bytes += bytes.len() as u64;
        match meta::decode_deadline(bytes) {
            Ok((deadline, main_key)) => {
                let main = view.get(main_key, |value| {
                    Main::decode(value).is_ok_and(|main| main.deadline == Some(deadline))
                })?;
                match main {
                    Some(true) => report.deadlines += 1,
                    _ => report.stale_deadlines += 1,
                }
            }
            Err(error) => report.problem(BaseError::record(bytes, &error).to_string()),
        }
        cursor.next();
    }
    cursor.status()
}

/// Walks all objects; gives the live keys by db and bucket.
fn check_data(view: &impl View, report: &mut Report) -> Result<Totals, BaseError> {
    let mut totals = Totals::new();
    // The large object whose elements may follow.
    let mut large: Vec<u8> = Vec::new();
    let mut dated = 0;
    let mut cursor = view.cursor(meta::END, &[u8::MAX]);
    while let Some((bytes, value)) = cursor.item() {
        report.bytes += (bytes.len() + value.len()) as u64;
        match RecordKey::decode(bytes) {
            Err(error) => report.problem(BaseError::record(bytes, &error).to_string()),
            Ok(key) if key.subkey.is_empty() => {
                report.keys += 1;
                *totals.entry((key.db, key.bucket)).or_default() += 1;
                large.clear();
                match Main::decode(value).and_then(|main| main.value().map(|_| main)) {
                    Ok(main) => {
                        if !main.single {
                            large.extend_from_slice(bytes);
                        }
                        if let Some(deadline) = main.deadline {
                            dated += 1;
                            let record = meta::deadline_key(deadline, bytes);
                            if view.get(&record, |_| ())?.is_none() {
                                let place = super::error::describe(bytes);
                                report.problem(format!("{place}: no deadline record"));
                            }
                        }
                    }
                    Err(error) => report.problem(BaseError::record(bytes, &error).to_string()),
                }
            }
            Ok(_) => {
                report.elements += 1;
                if large.is_empty() || !bytes.starts_with(&large) {
                    let place = super::error::describe(bytes);
                    report.problem(format!("{place}: element without a large object"));
                }
            }
        }
        cursor.next();
    }
    cursor.status()?;
    if dated != report.deadlines {
        let found = report.deadlines;
        report.problem(format!("{dated} keys have deadlines, {found} deadline records fit"));
    }
    Ok(totals)
}
