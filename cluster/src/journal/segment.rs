//! A segment: one file of the journal, `00000000000000000007.seg`.
//!
//! It opens with a header and the node's vote, so a segment needs nothing from those before it
//! and purging is removing files. **A segment is created only after the one before it was synced
//! whole, and used only after its own opening and its name were.** So only the last segment can
//! have a torn tail, and a file no longer than its opening holds no entry.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::record::{self, HEAD, Kind, u64_at};
use super::{JournalError, LogId};
use crate::files::{File, Files, append_all};

/// First bytes of each segment.
pub(super) const MAGIC: &[u8; 8] = b"BOWSJRNL";
/// Newest format this build reads, and the one it writes.
pub(super) const VERSION: u16 = 1;
/// Bytes of the header.
pub(super) const HEADER: usize = 92;
/// Bytes of the header and the vote.
pub(super) const OPENING: u64 = (HEADER + HEAD) as u64;
/// A position is remembered every so many bytes, so that a read from an index starts near it.
const MARK_EVERY: u64 = 64 * 1024;

/// What the first bytes of a segment say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The journal begins here: segments before this one are void.
    pub restart: bool,
    pub cluster_id: u64,
    pub boot_id: u128,
    pub number: u64,
    /// Log id of the entry before the first one; its index is `first_index - 1`.
    pub first_index: u64,
    pub previous_term: u64,
    pub previous_node: u64,
    /// The vote.
    pub term: u64,
    pub node: u64,
}

/// Why a header was not decoded.
pub(super) enum HeaderError {
    Magic,
    Newer(u16),
    Checksum,
}

impl Header {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&u16::from(self.restart).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.cluster_id.to_le_bytes());
        out.extend_from_slice(&self.boot_id.to_le_bytes());
        for number in [
            self.number,
            self.first_index,
            self.previous_term,
            self.previous_node,
            self.term,
            self.node,
        ] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header, and the seed of the checksums of this segment's records.
    pub fn decode(bytes: &[u8]) -> Result<(Self, u32), HeaderError> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(HeaderError::Magic);
        }
        let word = |at: usize| {
            bytes.get(at..at + 2).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes)
        };
        let version = word(8).ok_or(HeaderError::Checksum)?;
        if version > VERSION {
            return Err(HeaderError::Newer(version));
        }
        let seed = record::u32_at(bytes, HEADER - 4).ok_or(HeaderError::Checksum)?;
        let body = bytes.get(..HEADER - 4).ok_or(HeaderError::Checksum)?;
        if version == 0 || crc32c::crc32c(body) != seed {
            return Err(HeaderError::Checksum);
        }
        let number = |at| u64_at(bytes, at).ok_or(HeaderError::Checksum);
        let header = Self {
            restart: word(10) == Some(1),
            cluster_id: number(16)?,
            boot_id: u128::from(number(24)?) | u128::from(number(32)?) << 64,
            number: number(40)?,
            first_index: number(48)?,
            previous_term: number(56)?,
            previous_node: number(64)?,
            term: number(72)?,
            node: number(80)?,
        };
        Ok((header, seed))
    }

    /// Log id of the entry before the first.
    pub fn previous(&self) -> LogId {
        let index = self.first_index.saturating_sub(1);
        LogId { term: self.previous_term, node: self.previous_node, index }
    }
}

/// A segment in use. The file is written under the journal's write lock and read by anybody.
pub(super) struct Segment {
    pub path: PathBuf,
    pub file: Arc<dyn File>,
    pub header: Header,
    pub seed: u32,
    /// Bytes of the journal before this segment; a running sum that purging does not change.
    pub start: u64,
    size: AtomicU64,
    /// (index, offset), ascending.
    marks: Mutex<Vec<(u64, u64)>>,
}

impl Segment {
    /// Creates the file with its opening, durably.
    pub fn create(
        files: &dyn Files,
        dir: &Path,
        header: Header,
        start: u64,
    ) -> Result<Self, JournalError> {
        let path = path(dir, header.number);
        let fail = |what| {
            let path = path.clone();
            move |error| JournalError::failed(what, &path, &error)
        };
        let mut opening = header.encode();
        let seed = record::u32_at(&opening, HEADER - 4).unwrap_or(0);
        let id = LogId { term: header.term, node: header.node, index: header.previous().index };
        record::begin(&mut opening, Kind::Vote, 0, id, 0);
        if let Some(vote) = opening.get_mut(HEADER..) {
            record::seal(vote, seed, HEADER as u64, id.index);
        }
        let file = files.create(&path).map_err(fail("create"))?;
        append_all(&*file, &opening).map_err(fail("write"))?;
        file.sync_data().map_err(fail("sync"))?;
        files.sync_dir(dir).map_err(fail("sync the directory of"))?;
        Ok(Self::opened(path, file, header, seed, start, OPENING))
    }

    /// A segment that is already there, `size` bytes of it good.
    pub fn opened(
        path: PathBuf,
        file: Arc<dyn File>,
        header: Header,
        seed: u32,
        start: u64,
        size: u64,
    ) -> Self {
        Self { path, file, header, seed, start, size: size.into(), marks: Mutex::default() }
    }

    /// Bytes written.
    pub fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    pub fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    /// Remembers where an entry begins, if the last such place is far enough behind.
    pub fn mark(&self, index: u64, offset: u64) {
        let mut marks = self.marks.lock();
        let last = marks.last().map_or(OPENING, |(_, offset)| *offset);
        if offset.saturating_sub(last) >= MARK_EVERY {
            marks.push((index, offset));
        }
    }

    /// A place at or before the entry `index`.
    pub fn seek(&self, index: u64) -> u64 {
        let marks = self.marks.lock();
        let after = marks.partition_point(|(marked, _)| *marked <= index);
        after.checked_sub(1).and_then(|i| marks.get(i)).map_or(OPENING, |(_, offset)| *offset)
    }
}

/// The file of segment `number`.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.seg"))
}

/// The number in a segment's name.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
