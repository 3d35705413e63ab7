//! Sorted stretches of a feed that wait on disk, so that a feed's memory does not grow with it.
//!
//! A run is what one arena held: its changes grouped by order, groups ascending. All runs of a
//! feed lie one after the other in one file that has no name any more, so that it goes with the
//! process, however that ends. A group is `order 10 bytes BE | length u64 LE | changes`, the
//! changes in the order in which they happened. Nothing reads it but this process: no version.

use super::BaseError;
use std::fs::{File, OpenOptions, create_dir_all, remove_file};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const ORDER_BYTES: usize = 10;
const HEAD_BYTES: usize = ORDER_BYTES + 8;
/// Bytes gathered for one write.
const WRITE_BYTES: usize = 256 << 10;
/// Bytes that a reader asks for at a time; it holds more only for a group that is larger.
const READ_BYTES: usize = 128 << 10;
const ACTION: &str = "sort changes for";

/// The runs of one feed.
pub(crate) struct Runs {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    /// Bytes in the file.
    end: u64,
    /// Where each run ends.
    ends: Vec<u64>,
}

impl Runs {
    /// A file in `dir`, which is made when it does not exist.
    pub fn create(dir: &Path) -> Result<Runs, BaseError> {
        let path = dir.join("runs");
        let made = create_dir_all(dir).and_then(|()| {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(true).open(&path)?;
            remove_file(&path)?;
            Ok(file)
        });
        let file = made.map_err(|error| BaseError::io(ACTION, &path, &error))?;
        Ok(Runs { file, path, buffer: Vec::new(), end: 0, ends: Vec::new() })
    }

    /// Number of finished runs.
    pub fn count(&self) -> usize {
        self.ends.len()
    }

    /// Adds a group to the run being written: orders ascend, `parts` are its changes in time.
    pub fn put(&mut self, order: u128, parts: &[&[u8]]) -> Result<(), BaseError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = order.to_be_bytes();
        self.buffer.extend_from_slice(bytes.last_chunk::<ORDER_BYTES>().unwrap_or(&[0; 10]));
        self.buffer.extend_from_slice(&(length as u64).to_le_bytes());
        parts.iter().for_each(|part| self.buffer.extend_from_slice(part));
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the run.
    pub fn finish(&mut self) -> Result<(), BaseError> {
        self.flush()?;
        self.ends.push(self.end);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), BaseError> {
        let written = self.file.write_all_at(&self.buffer, self.end);
        written.map_err(|error| BaseError::io(ACTION, &self.path, &error))?;
        self.end += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(WRITE_BYTES * 2);
        Ok(())
    }

    /// A reader for each run, on its first group.
    pub fn readers(&self) -> Result<Vec<RunReader<'_>>, BaseError> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = begins.zip(self.ends.iter().copied());
        let readers = spans.map(|(at, end)| {
            let mut reader =
                RunReader { runs: self, at, end, buffer: Vec::new(), group: 0..0, order: None };
            reader.advance().map(|()| reader)
        });
        readers.collect()
    }
}

/// A walk over one run.
pub(crate) struct RunReader<'a> {
    runs: &'a Runs,
    /// What is not in the buffer yet.
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    /// The changes of the current group in the buffer.
    group: std::ops::Range<usize>,
    order: Option<u128>,
}

impl RunReader<'_> {
    /// The current group's order; `None` at the end.
    pub fn order(&self) -> Option<u128> {
        self.order
    }

    /// The current group's changes, one after the other.
    pub fn changes(&self) -> &[u8] {
        self.buffer.get(self.group.clone()).unwrap_or_default()
    }

    pub fn advance(&mut self) -> Result<(), BaseError> {
        let next = self.group.end;
        self.order = None;
        if next == self.buffer.len() && self.at == self.end {
            return Ok(());
        }
        let next = self.hold(next, HEAD_BYTES)?;
        let head = self.buffer.get(next..).and_then(<[u8]>::first_chunk::<HEAD_BYTES>);
        let Some((order, length)) = head.and_then(|head| head.split_first_chunk::<ORDER_BYTES>())
        else {
            return Err(self.failed(&Error::from(ErrorKind::UnexpectedEof)));
        };
        let mut wide = [0; 16];
        wide[16 - ORDER_BYTES..].copy_from_slice(order);
        let order = u128::from_be_bytes(wide);
        let length = length.first_chunk().map_or(0, |length| u64::from_le_bytes(*length)) as usize;
        let next = self.hold(next, HEAD_BYTES + length)?;
        self.group = next + HEAD_BYTES..next + HEAD_BYTES + length;
        self.order = Some(order);
        Ok(())
    }

    /// Makes sure that `length` bytes from `from` on are in the buffer; returns where they are.
    fn hold(&mut self, from: usize, length: usize) -> Result<usize, BaseError> {
        if self.buffer.len() - from >= length {
            return Ok(from);
        }
        self.buffer.drain(..from);
        let held = self.buffer.len();
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let more = (length - held).max(READ_BYTES - held.min(READ_BYTES)).min(left);
        self.buffer.resize(held + more, 0);
        let target = self.buffer.get_mut(held..).unwrap_or_default();
        if let Err(error) = self.runs.file.read_exact_at(target, self.at) {
            return Err(self.failed(&error));
        }
        self.at += more as u64;
        if self.buffer.len() < length {
            return Err(self.failed(&Error::from(ErrorKind::UnexpectedEof)));
        }
        Ok(0)
    }

    fn failed(&self, error: &Error) -> BaseError {
        BaseError::io(ACTION, &self.runs.path, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_read_back_as_they_were_put() {
        let dir = std::env::temp_dir().join(format!("bowshock-runs-{}", std::process::id()));
        let mut runs = Runs::create(&dir).unwrap();
        assert!(std::fs::read_dir(&dir).unwrap().next().is_none(), "the file has a name");
        std::fs::remove_dir(&dir).unwrap();
        let large = vec![7; READ_BYTES * 3];
        let groups: Vec<Vec<(u128, Vec<u8>)>> = vec![
            (0..5000u128).map(|n| (n << 40, n.to_le_bytes().repeat(n as usize % 9))).collect(),
            Vec::new(),
            vec![(0, vec![]), (1, large.clone()), (u128::MAX >> 48, vec![1])],
        ];
        for run in &groups {
            for (order, bytes) in run {
                let (left, right) = bytes.split_at(bytes.len() / 3);
                runs.put(*order, &[left, right]).unwrap();
            }
            runs.finish().unwrap();
        }
        assert_eq!(runs.count(), 3);
        for (mut reader, run) in runs.readers().unwrap().into_iter().zip(groups) {
            for (order, bytes) in run {
                assert_eq!((reader.order(), reader.changes()), (Some(order), &bytes[..]));
                reader.advance().unwrap();
            }
            assert_eq!(reader.order(), None);
        }
    }
}
