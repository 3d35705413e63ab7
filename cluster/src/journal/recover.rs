//! Reading a journal's files back: what is there, what was torn, what is damaged.
//!
//! Where a record does not verify there are two stories. A **torn tail**: the machine stopped
//! before the bytes were synced, nobody was promised them, they are cut. **Damage**: bytes that
//! were durable are wrong; cutting would lose acknowledged writes in silence, so opening is
//! refused. What tells them apart:
//!
//! 1. Only the last segment can be torn (see `segment`); elsewhere it is damage.
//! 2. With the clean mark everything was synced: damage.
//! 3. Nothing valid follows: torn. A process that dies inside write(2) leaves a prefix.
//! 4. Valid records follow, and the boot id is that of the segment's writer: the operating
//!    system lived on and had every write whole, in order: damage.
//! 5. Valid records follow after another boot: an operating system writes cached pages in any
//!    order, so a power cut leaves such holes in what was not synced, up to a second of it under
//!    `everysec`. Each record says which index its writer knew to be synced. If a later one says
//!    that of the bad record, damage; if none does, torn.
//!
//! Limit: in cases 3 and 5 a byte that rotted in the very last synced group, before a crash, and
//! with no later write, looks torn. It is reported as a cut all the same.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::record::{Head, Kind};
use super::scan::{Bad, Scan, find_valid};
use super::segment::{self, HEADER, Header, HeaderError, MAGIC, OPENING, Segment, VERSION};
use super::{Cut, LogId, OpenError, Options, clean};
use crate::files::{File, Files};

/// What the files hold. Nothing was changed but a torn tail and void segments removed.
#[derive(Default)]
pub(super) struct Recovered {
    pub segments: Vec<Segment>,
    pub last: LogId,
    pub term: u64,
    pub time_ms: u64,
    pub cut: Option<Cut>,
    pub clean: bool,
    /// Number for the next segment.
    pub next_number: u64,
}

struct Found {
    path: PathBuf,
    file: Arc<dyn File>,
    header: Header,
    seed: u32,
    size: u64,
}

/// Verifies every record of every segment.
pub(super) fn recover(files: &dyn Files, options: &Options) -> Result<Recovered, OpenError> {
    let mark = clean::read(files, &options.dir)?;
    let mut state = Recovered { clean: mark.is_some(), next_number: 1, ..Recovered::default() };
    let mut found = find(files, options, &mut state)?;
    // A restarted journal voids what was before it; its removal may have been interrupted.
    if let Some(restart) = found.iter().rposition(|found| found.header.restart) {
        for void in found.drain(..restart) {
            remove(files, &options.dir, &void.path)?;
        }
    }
    let count = found.len();
    for (i, found) in found.into_iter().enumerate() {
        let is_last = i.saturating_add(1) == count;
        state.read(found, is_last, options)?;
    }
    if let (Some(mark), Some(last)) = (mark, state.segments.last())
        && state.last.index < mark.index
    {
        let reason =
            format!("it ends at entry {}, the clean mark says {}", state.last.index, mark.index);
        return Err(OpenError::damaged(&last.path, last.size(), reason));
    }
    Ok(state)
}

/// Removes a segment's file, durably.
pub(super) fn remove(files: &dyn Files, dir: &Path, path: &Path) -> Result<(), OpenError> {
    files.remove(path).map_err(|error| OpenError::io("remove", path, &error))?;
    files.sync_dir(dir).map_err(|error| OpenError::io("sync", dir, &error))
}

/// Opens all segments and reads their headers. Removes a last one whose creation was interrupted.
fn find(
    files: &dyn Files,
    options: &Options,
    state: &mut Recovered,
) -> Result<Vec<Found>, OpenError> {
    let dir = &options.dir;
    let names = files.list(dir).map_err(|error| OpenError::io("read", dir, &error))?;
    let numbers: Vec<u64> = names.iter().filter_map(|name| segment::number(name)).collect();
    let mut all = Vec::new();
    for (i, number) in numbers.iter().enumerate() {
        state.next_number = number.saturating_add(1);
        let path = segment::path(dir, *number);
        let fail = |error| OpenError::io("read", &path, &error);
        let file = files.open(&path).map_err(fail)?;
        let size = file.size().map_err(fail)?;
        let mut bytes = vec![0; HEADER];
        let read = file.read_at(0, &mut bytes).map_err(fail)?;
        bytes.truncate(read);
        let decoded = Header::decode(&bytes);
        let is_last = i.saturating_add(1) == numbers.len();
        if is_last && size <= OPENING && is_void(&*file, &bytes, &decoded, size) {
            remove(files, dir, &path)?;
            continue;
        }
        let (header, seed) = decoded.map_err(|error| refuse(&path, &error))?;
        if header.number != *number || header.cluster_id != options.cluster_id {
            return Err(foreign(&path, "it belongs to another place or cluster"));
        }
        all.push(Found { path, file, header, seed, size });
    }
    Ok(all)
}

/// Whether a short last file is a segment whose opening was never synced, so never used.
fn is_void(
    file: &dyn File,
    bytes: &[u8],
    decoded: &Result<(Header, u32), HeaderError>,
    size: u64,
) -> bool {
    match decoded {
        Ok((_, seed)) => !matches!(Scan::new(file, *seed, HEADER as u64, size).next(), Ok(Some(_))),
        Err(HeaderError::Newer(_)) => false,
        Err(_) => {
            let magic = bytes.get(..bytes.len().min(MAGIC.len())).unwrap_or_default();
            MAGIC.starts_with(magic) || bytes.iter().all(|byte| *byte == 0)
        }
    }
}

fn refuse(path: &Path, error: &HeaderError) -> OpenError {
    match error {
        HeaderError::Magic => foreign(path, "it does not begin with BOWSJRNL"),
        HeaderError::Newer(version) => newer(path, (*version).into()),
        HeaderError::Checksum => {
            OpenError::damaged(path, 0, "the checksum of the header does not match")
        }
    }
}

fn foreign(path: &Path, reason: &str) -> OpenError {
    let remedy = "move it out of the journal's directory, or choose another with --dir";
    OpenError::Foreign { file: path.to_owned(), reason: reason.to_owned(), remedy }
}

fn newer(path: &Path, version: u64) -> OpenError {
    OpenError::Newer { file: path.to_owned(), version, supported: VERSION.into() }
}

impl Recovered {
    fn read(&mut self, found: Found, is_last: bool, options: &Options) -> Result<(), OpenError> {
        let Found { path, file, header, seed, size } = found;
        let previous = header.previous();
        let start = match self.segments.last() {
            Some(before) if self.next_index() != header.first_index => {
                let reason = format!(
                    "it begins at entry {}, the segment before it, {}, ends before entry {}",
                    header.first_index,
                    before.path.display(),
                    self.next_index(),
                );
                return Err(OpenError::damaged(&path, 0, reason));
            }
            Some(before) => before.start.saturating_add(before.size()),
            None => {
                self.last = previous;
                0
            }
        };
        self.term = self.term.max(header.term);
        let segment = Segment::opened(path, file, header, seed, start, size);
        if let Err(bad) = self.walk(&segment)? {
            self.judge(&segment, &bad, is_last, options)?;
            self.cut(&segment, bad)?;
        }
        self.segments.push(segment);
        Ok(())
    }

    /// Index of the next entry: one more than the last, or 0 where there never was one.
    pub fn next_index(&self) -> u64 {
        let fresh = self.last.index == 0 && self.last.term == 0;
        let has_none = self.segments.first().is_none_or(|first| first.header.first_index == 0);
        if fresh && has_none { 0 } else { self.last.index.saturating_add(1) }
    }

    /// Reads records up to the end or the first bad one.
    fn walk(&mut self, segment: &Segment) -> Result<Result<(), Bad>, OpenError> {
        let size = segment.size();
        let mut next = segment.header.first_index;
        let mut scan = Scan::new(&*segment.file, segment.seed, HEADER as u64, size);
        loop {
            let offset = scan.offset;
            let head = match scan.next() {
                Ok(None) => return Ok(Ok(())),
                Ok(Some((head, _))) => head,
                Err(bad) => return Ok(Err(bad)),
            };
            let Some(kind) = Kind::from_byte(head.kind) else {
                return Err(newer(&segment.path, u64::from(VERSION).saturating_add(1)));
            };
            if kind == Kind::Truncate {
                return Err(foreign(&segment.path, "it is a replicated journal, not a solo one"));
            }
            if kind == Kind::Vote {
                self.term = self.term.max(head.id.term);
            }
            if !kind.is_entry() {
                continue;
            }
            if head.id.index != next {
                let reason = format!("entry {} stands where {next} belongs", head.id.index);
                return Err(OpenError::damaged(&segment.path, offset, reason));
            }
            segment.mark(next, offset);
            next = next.saturating_add(1);
            self.last = head.id;
            self.term = self.term.max(head.id.term);
            self.time_ms = self.time_ms.max(head.time_ms);
        }
    }

    /// Refuses damage; see the top of this file for the reasoning.
    fn judge(
        &self,
        segment: &Segment,
        bad: &Bad,
        is_last: bool,
        options: &Options,
    ) -> Result<(), OpenError> {
        let damaged = |why: &str| {
            let reason = format!("{}, and {why}", bad.reason);
            Err(OpenError::damaged(&segment.path, bad.offset, reason))
        };
        if bad.unread {
            let (file, reason) = (segment.path.clone(), bad.reason.clone());
            let remedy = "check the disk and the system's log";
            return Err(OpenError::Io { what: "read", file, reason, remedy });
        }
        // Later segments may hold no entry; that they exist says this one was synced.
        if !is_last || segment.header.number.saturating_add(1) < self.next_number {
            return damaged("this is not the last segment");
        }
        if bad.offset < OPENING {
            return damaged("the opening was synced before the segment was used");
        }
        if self.clean {
            return damaged("the journal was closed cleanly");
        }
        let same_boot = options.boot_id != 0 && options.boot_id == segment.header.boot_id;
        let next = self.last.index.max(segment.header.previous().index).saturating_add(1);
        // Entry 0 is synced before the journal is used at all.
        let is_first = segment.header.first_index == 0 && self.last == LogId::default();
        let proof = |head: &Head| same_boot || is_first || head.synced >= next;
        if self.after(segment, bad)?.iter().any(proof) {
            return damaged("valid records follow that were written after it was safe");
        }
        Ok(())
    }

    /// Heads of valid records behind a bad one.
    fn after(&self, segment: &Segment, bad: &Bad) -> Result<Vec<Head>, OpenError> {
        let from = bad.offset.saturating_add(1);
        let size = usize::try_from(segment.size().saturating_sub(from)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; size];
        let fail = |error| OpenError::io("read", &segment.path, &error);
        let read = segment.file.read_at(from, &mut bytes).map_err(fail)?;
        bytes.truncate(read);
        Ok(find_valid(&bytes, segment.seed, from).collect())
    }

    /// Cuts a torn tail; opening syncs the last segment anyway before it begins another.
    fn cut(&mut self, segment: &Segment, bad: Bad) -> Result<(), OpenError> {
        let fail = |error| OpenError::io("cut", &segment.path, &error);
        segment.file.truncate(bad.offset).map_err(fail)?;
        let bytes = segment.size().saturating_sub(bad.offset);
        segment.set_size(bad.offset);
        let (file, offset, reason) = (segment.path.clone(), bad.offset, bad.reason);
        self.cut = Some(Cut { file, offset, bytes, reason });
        Ok(())
    }
}
