//! What can be wrong with a base, each in one line that names the file and the remedy.

use crate::objects::Corrupt;
use std::path::PathBuf;

/// What helps when files of a base are lost or damaged: they cannot be made from anything else on
/// this node.
pub(crate) const RESTORE: &str = "restore the directory from a backup with `bowshock restore`, \
     or empty it and let the node join its cluster again";

#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// The directory cannot be opened as it is.
    #[error("cannot open the base: {}: {reason}; {remedy}", file.display())]
    Open { file: PathBuf, reason: String, remedy: &'static str },
    /// The disk, or RocksDB, refused.
    #[error("cannot {action} the base: {reason}")]
    Io { action: &'static str, reason: String },
    /// Bytes that cannot be what was written.
    #[error("the base is damaged: {place}: {reason}; {RESTORE}")]
    Corrupt { place: String, reason: String },
    /// Written by a later version.
    #[error(
        "cannot open the base: {}: format {found}, and this version knows formats up to {known}; \
         start the version that wrote it, or restore an older backup with `bowshock restore`",
        file.display()
    )]
    Version { file: PathBuf, found: u32, known: u32 },
    /// The feed does not go beyond what the base already holds.
    #[error("a feed up to journal index {feed} is not above the base's index {base}")]
    Behind { base: u64, feed: u64 },
    /// A base in memory has no files.
    #[error("a base in memory has no files to make a checkpoint of")]
    NoFiles,
}

impl BaseError {
    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
        error: &std::io::Error,
    ) -> BaseError {
        BaseError::Io { action, reason: format!("{}: {error}", path.display()) }
    }

    /// A record whose content does not decode.
    pub(crate) fn record(key: &[u8], error: &Corrupt) -> BaseError {
        BaseError::Corrupt { place: describe(key), reason: error.to_string() }
    }
}

/// A record's key as a person can search for it.
pub(crate) fn describe(key: &[u8]) -> String {
    match crate::record::RecordKey::decode(key) {
        Ok(record) if record.bucket != super::meta::BUCKET => format!(
            "bucket {} db {} key \"{}\" subkey \"{}\"",
            record.bucket,
            record.db,
            record.key.escape_ascii(),
            record.subkey.escape_ascii()
        ),
        _ => format!("record \"{}\"", key.escape_ascii()),
    }
}
