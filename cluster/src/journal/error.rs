//! What can go wrong with a journal: when it is opened, and while it runs.
//!
//! An error of opening is read by a person whose server did not start: it names the file, what
//! is wrong with it and what to do. An error while running ends the process (RELIABILITY.md 1).

use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory or its journal was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system said no.
    #[error("cannot {what} {}: {reason}; {remedy}", file.display())]
    Io {
        /// What was tried: `create`, `read`, `lock` ...
        what: &'static str,
        /// The file or directory.
        file: PathBuf,
        /// The system's text.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another process has the directory.
    #[error("{} is locked: another process uses this data directory; stop it or choose another directory with --dir", file.display())]
    Locked {
        /// The lock file.
        file: PathBuf,
    },
    /// The file or directory is not ours.
    #[error("foreign {}: {reason}; {remedy}", file.display())]
    Foreign {
        /// The file or directory.
        file: PathBuf,
        /// How that was seen.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A later release wrote it.
    #[error("{} has format version {version}, this release reads up to {supported}; start a newer release", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// The version found.
        version: u64,
        /// The newest version this build reads.
        supported: u64,
    },
    /// Bytes that were durable are wrong or missing.
    #[error("{} is damaged at byte {offset}: {reason}; {remedy}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

impl OpenError {
    pub(crate) fn io(what: &'static str, file: &Path, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "give the server's user read and write permission there, or choose another \
                 directory with --dir"
            }
            io::ErrorKind::ReadOnlyFilesystem => {
                "mount the disk writable, or choose another directory with --dir"
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some disk space",
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "a file is in the way: move it, or choose another directory with --dir"
            }
            io::ErrorKind::NotFound => "check the path given with --dir",
            _ => "check the disk and the system's log",
        };
        Self::Io { what, file: file.to_owned(), reason: error.to_string(), remedy }
    }

    pub(crate) fn damaged(file: &Path, offset: u64, reason: impl Into<String>) -> Self {
        let remedy = format!(
            "restore the data directory from a backup, or, to give up every write from there on, \
             cut the file to {offset} bytes and remove the segments after it and the file CLEAN"
        );
        Self::Damaged { file: file.to_owned(), offset, reason: reason.into(), remedy }
    }
}

/// Why a running journal does not go on. Cloned to everybody who waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A write or sync failed. Nothing is retried: what the disk holds is unknown, and the
    /// kernel reports a failed sync only once.
    #[error("journal: cannot {what} {}: {reason}", file.display())]
    Failed {
        /// `write`, `sync`, `create` ...
        what: &'static str,
        /// The segment.
        file: PathBuf,
        /// The system's text.
        reason: String,
    },
    /// A record that was good does not read back.
    #[error("journal: {} is damaged at byte {offset}: {reason}", file.display())]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The entries asked for were purged.
    #[error("journal: entry {asked} was purged, the first is {first}")]
    Purged {
        /// Index asked for.
        asked: u64,
        /// First index there is.
        first: u64,
    },
    /// [`close`](super::Journal::close) was called.
    #[error("journal: closed")]
    Closed,
}

impl JournalError {
    pub(crate) fn failed(what: &'static str, file: &Path, error: &io::Error) -> Self {
        Self::Failed { what, file: file.to_owned(), reason: error.to_string() }
    }
}
