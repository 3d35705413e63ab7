//! The seam between the journal and a file system.
//!
//! The promises of RELIABILITY.md section 1 are about power cuts, and those cannot be tested on
//! a real disk in a second. So everything durable goes through `Files`: [`RealFiles`] is the
//! operating system, `SimFiles` (feature `sim`) an in-memory disk that knows what was synced.
//!
//! The trait has what an append-only log needs and no more: no seeks, no overwriting.

mod real;
#[cfg(any(test, feature = "sim"))]
mod sim;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use real::{RealFiles, boot_id};
#[cfg(any(test, feature = "sim"))]
pub use sim::{CrashMode, SimFiles};

/// A file system. Errors are those of the operating system, unchanged.
pub trait Files: Send + Sync {
    /// Creates a directory and its parents; an existing one is fine.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Creates a new, empty file; an existing one is `AlreadyExists`.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens an existing file for reading and appending.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Atomically gives a file another name, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Names (not paths) in a directory, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Space of the disk that holds `dir`.
    fn space(&self, dir: &Path) -> io::Result<Space>;
    /// Takes an exclusive lock, creating the file; `WouldBlock` when another process has it.
    /// Dropping the guard, or the end of the process, gives it back.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file. Used from several threads at once.
pub trait File: Send + Sync {
    /// Appends a prefix of `bytes` and returns its length, as write(2) does.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Reads at `offset`; fewer bytes than asked only at the end of the file.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Makes the contents and the length durable (fdatasync).
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts the file to `size` bytes.
    fn truncate(&self, size: u64) -> io::Result<()>;
}

/// Bytes of a disk: what this process may still use, and all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes an unprivileged process may still write.
    pub free: u64,
    /// Size of the file system in bytes.
    pub total: u64,
}

/// Appends all of `bytes`, going on after short writes and interruptions.
pub fn append_all(file: &dyn File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.append(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads a whole file, of at most `limit` bytes.
pub fn read_all(file: &dyn File, limit: u64) -> io::Result<Vec<u8>> {
    let size = file.size()?.min(limit);
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Replaces a small file so that after any crash the old or the new contents are there, whole.
pub fn replace(files: &dyn Files, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    match files.remove(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = files.create(&temporary)?;
    append_all(&*file, bytes)?;
    file.sync_data()?;
    files.rename(&temporary, path)?;
    files.sync_dir(path.parent().unwrap_or(Path::new(".")))
}
