//! Reading records one after another, each verified.

use std::io;

use super::record::{HEAD, Head, Kind};
use crate::files::File;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// A walk over the records of a segment's file.
pub(super) struct Scan<'a> {
    file: &'a dyn File,
    seed: u32,
    size: u64,
    /// Where the next record begins.
    pub offset: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

/// A place where no valid record is.
#[derive(Debug)]
pub(super) struct Bad {
    pub offset: u64,
    pub reason: String,
    /// The disk would not read: says nothing about the bytes.
    pub unread: bool,
}

impl<'a> Scan<'a> {
    /// Walks from `offset`, which must be where a record begins, to `size`.
    pub fn new(file: &'a dyn File, seed: u32, offset: u64, size: u64) -> Self {
        Self { file, seed, size, offset, buffer: Vec::new(), buffer_at: offset }
    }

    /// The next record and its payload; `None` at the end.
    pub fn next(&mut self) -> Result<Option<(Head, &[u8])>, Bad> {
        let offset = self.offset;
        if offset >= self.size {
            return Ok(None);
        }
        let bad = |reason: &str| Bad { offset, reason: reason.to_owned(), unread: false };
        let left = self.size.saturating_sub(offset);
        if left < HEAD as u64 {
            return Err(bad("the file ends inside a record"));
        }
        self.fill(HEAD)?;
        let head = Head::decode(self.at(HEAD)).ok_or_else(|| bad("the file is too short"))?;
        // Lengths are compared with the file before anything is allocated for them.
        if head.size() as u64 > left {
            return Err(bad("a record is longer than the rest of the file"));
        }
        self.fill(head.size())?;
        if !head.is_valid(self.at(head.size()), self.seed, offset) {
            return Err(bad("the checksum of a record does not match"));
        }
        self.offset = offset.saturating_add(head.size() as u64);
        let from = usize::try_from(offset.saturating_sub(self.buffer_at)).unwrap_or(usize::MAX);
        let payload = from.saturating_add(HEAD)..from.saturating_add(head.size());
        Ok(Some((head, self.buffer.get(payload).unwrap_or_default())))
    }

    fn at(&self, size: usize) -> &[u8] {
        let from =
            usize::try_from(self.offset.saturating_sub(self.buffer_at)).unwrap_or(usize::MAX);
        self.buffer.get(from..from.saturating_add(size)).unwrap_or_default()
    }

    /// Has at least `size` bytes from `offset` on in the buffer, or up to the end of the file.
    fn fill(&mut self, size: usize) -> Result<(), Bad> {
        if self.at(size).len() == size {
            return Ok(());
        }
        let left = usize::try_from(self.size.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        self.buffer.resize(size.max(CHUNK).min(left), 0);
        self.buffer_at = self.offset;
        let offset = self.offset;
        let failed = |error: io::Error| {
            let reason = format!("cannot read: {error}");
            Bad { offset, reason, unread: true }
        };
        let read = self.file.read_at(self.offset, &mut self.buffer).map_err(failed)?;
        self.buffer.truncate(read);
        Ok(())
    }
}

/// The valid records that begin anywhere in `bytes`, which stand at `start` of the file.
///
/// Nearly every offset is refused by its head alone, so this is one pass over the bytes.
pub(super) fn find_valid(bytes: &[u8], seed: u32, start: u64) -> impl Iterator<Item = Head> {
    (0..bytes.len()).filter_map(move |at| {
        let rest = bytes.get(at..)?;
        let head = Head::decode(rest)?;
        Kind::from_byte(head.kind)?;
        let record = rest.get(..head.size())?;
        head.is_valid(record, seed, start.saturating_add(at as u64)).then_some(head)
    })
}
