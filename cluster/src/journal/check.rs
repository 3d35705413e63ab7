//! `bowshock check`: verifies every record of every segment and changes nothing.

use std::path::{Path, PathBuf};

use super::OpenError;
use super::record::Kind;
use super::scan::Scan;
use super::segment::{self, HEADER, Header, HeaderError};
use crate::files::{Files, read_all};

/// What [`check`] found, segment by segment, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// One per `.seg` file.
    pub segments: Vec<SegmentReport>,
}

/// One segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentReport {
    /// The file.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// Valid records, votes included.
    pub records: u64,
    /// First and last index of its valid entries.
    pub entries: Option<(u64, u64)>,
    /// Offset and description of the first thing that is wrong. At the end of the last segment
    /// this may be a torn tail, which opening cuts.
    pub damage: Option<(u64, String)>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.segments.iter().all(|segment| segment.damage.is_none())
    }
}

/// Verifies the journal in `dir`. Fails only if a file cannot be read at all.
pub fn check(files: &dyn Files, dir: &Path) -> Result<CheckReport, OpenError> {
    let names = files.list(dir).map_err(|error| OpenError::io("read", dir, &error))?;
    let mut segments = Vec::new();
    let mut next = None;
    for number in names.iter().filter_map(|name| segment::number(name)) {
        segments.push(check_segment(files, segment::path(dir, number), &mut next)?);
    }
    Ok(CheckReport { segments })
}

fn check_segment(
    files: &dyn Files,
    path: PathBuf,
    next: &mut Option<u64>,
) -> Result<SegmentReport, OpenError> {
    let fail = |error| OpenError::io("read", &path, &error);
    let file = files.open(&path).map_err(fail)?;
    let bytes = file.size().map_err(fail)?;
    let start = read_all(&*file, HEADER as u64).map_err(fail)?;
    let mut report = SegmentReport { bytes, ..SegmentReport::default() };
    match Header::decode(&start) {
        Err(error) => {
            let reason = match error {
                HeaderError::Magic => "not a journal segment".to_owned(),
                HeaderError::Newer(version) => format!("format version {version} is newer"),
                HeaderError::Checksum => "the header's checksum does not match".to_owned(),
            };
            report.damage = Some((0, reason));
        }
        Ok((header, seed)) => {
            let expected = next.filter(|next| !header.restart && *next != header.first_index);
            if let Some(expected) = expected {
                let reason = format!("begins at {}, not at {expected}", header.first_index);
                report.damage = Some((0, reason));
            }
            let mut index = header.first_index;
            let mut scan = Scan::new(&*file, seed, HEADER as u64, bytes);
            report.walk(&mut scan, &mut index);
            *next = Some(index);
        }
    }
    report.file = path;
    Ok(report)
}

impl SegmentReport {
    fn walk(&mut self, scan: &mut Scan<'_>, next: &mut u64) {
        loop {
            let offset = scan.offset;
            let head = match scan.next() {
                Ok(None) => return,
                Ok(Some((head, _))) => head,
                Err(bad) => {
                    self.damage.get_or_insert((bad.offset, bad.reason));
                    return;
                }
            };
            self.records = self.records.saturating_add(1);
            if !Kind::from_byte(head.kind).is_some_and(Kind::is_entry) {
                continue;
            }
            if head.id.index != *next {
                let reason = format!("entry {} stands where {next} belongs", head.id.index);
                self.damage.get_or_insert((offset, reason));
            }
            *next = head.id.index.saturating_add(1);
            let first = self.entries.map_or(head.id.index, |(first, _)| first);
            self.entries = Some((first, head.id.index));
        }
    }
}
