//! The clean-shutdown mark: the file `CLEAN` names the last entry of a journal that was closed.
//!
//! With it, everything before the end was synced, so any bad or missing byte is damage and never
//! a torn tail. It is removed, synced, before the first append (C8).

use std::io;
use std::path::{Path, PathBuf};

use super::record::{u32_at, u64_at};
use super::{JournalError, LogId, OpenError};
use crate::files::{Files, read_all, replace};

const MAGIC: &[u8; 8] = b"BOWSCLN1";
const SIZE: usize = 36;

/// Leaves the mark.
pub(super) fn write(files: &dyn Files, dir: &Path, last: LogId) -> Result<(), JournalError> {
    let mut bytes = MAGIC.to_vec();
    for number in [last.term, last.node, last.index] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    let path = path(dir);
    replace(files, &path, &bytes).map_err(|error| JournalError::failed("write", &path, &error))
}

/// The last entry, if there is a mark. A mark that does not decode is none.
pub(super) fn read(files: &dyn Files, dir: &Path) -> Result<Option<LogId>, OpenError> {
    let path = path(dir);
    let fail = |error| OpenError::io("read", &path, &error);
    let file = match files.open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(fail)?,
    };
    let bytes = read_all(&*file, SIZE as u64 + 1).map_err(fail)?;
    Ok(decode(&bytes))
}

/// Removes the mark, durably.
pub(super) fn remove(files: &dyn Files, dir: &Path) -> Result<(), OpenError> {
    let path = path(dir);
    match files.remove(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| OpenError::io("remove", &path, &error))?,
    }
    files.sync_dir(dir).map_err(|error| OpenError::io("sync", dir, &error))
}

fn decode(bytes: &[u8]) -> Option<LogId> {
    let body = bytes.get(..SIZE - 4)?;
    let sound = bytes.len() == SIZE
        && body.starts_with(MAGIC)
        && u32_at(bytes, SIZE - 4)? == crc32c::crc32c(body);
    let id = LogId { term: u64_at(body, 8)?, node: u64_at(body, 16)?, index: u64_at(body, 24)? };
    sound.then_some(id)
}

fn path(dir: &Path) -> PathBuf {
    dir.join("CLEAN")
}
