//! The directory of a base: whether it is one, and of which format.
//!
//! `BASE_FORMAT` holds the line `bowshock base 1`. While a base is made the file has another
//! name, so that a start that was cut short is continued and not taken for a foreign or a damaged
//! directory.

use super::super::error::{BaseError, RESTORE};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

const FORMAT_FILE: &str = "BASE_FORMAT";
const UNFINISHED_FILE: &str = "BASE_FORMAT.new";
const INTRODUCTION: &str = "bowshock base ";
const FORMAT: u32 = 1;

/// What a directory is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A base, finished.
    Base,
    /// Nothing yet, or a base whose making was cut short.
    Fresh,
}

/// Looks at a directory, and refuses one that is not ours or not of our time.
pub(super) fn inspect(path: &Path) -> Result<Found, BaseError> {
    let file = path.join(FORMAT_FILE);
    match fs::read_to_string(&file) {
        Ok(text) => {
            let format: Option<u32> =
                text.strip_prefix(INTRODUCTION).and_then(|rest| rest.trim().parse().ok());
            match format {
                Some(FORMAT) => {}
                Some(found) if found > FORMAT => {
                    return Err(BaseError::Version { file, found, known: FORMAT });
                }
                _ => {
                    let reason = "it does not name a format".to_owned();
                    return Err(BaseError::Open { file, reason, remedy: RESTORE });
                }
            }
            let current = path.join("CURRENT");
            if !current.exists() {
                let reason = "the file is missing".to_owned();
                return Err(BaseError::Open { file: current, reason, remedy: RESTORE });
            }
            Ok(Found::Base)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => inspect_unmarked(path, &file),
        Err(error) => Err(BaseError::Open { file, reason: error.to_string(), remedy: RESTORE }),
    }
}

fn inspect_unmarked(path: &Path, format_file: &Path) -> Result<Found, BaseError> {
    if path.join(UNFINISHED_FILE).exists() {
        return Ok(Found::Fresh);
    }
    let empty = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(BaseError::io("open", path, &error)),
    };
    if empty {
        return Ok(Found::Fresh);
    }
    Err(BaseError::Open {
        file: format_file.to_owned(),
        reason: "the directory is not empty and this file is missing, so it is not a base"
            .to_owned(),
        remedy: "name another directory, or restore this one with `bowshock restore`",
    })
}

/// Says that a base is about to be made here.
pub(super) fn begin(path: &Path) -> Result<(), BaseError> {
    let write = || {
        fs::create_dir_all(path)?;
        let mut file = fs::File::create(path.join(UNFINISHED_FILE))?;
        writeln!(file, "{INTRODUCTION}{FORMAT}")?;
        file.sync_all()?;
        fs::File::open(path)?.sync_all()
    };
    write().map_err(|error| BaseError::io("create", path, &error))
}

/// Says that the base is made.
pub(super) fn finish(path: &Path) -> Result<(), BaseError> {
    let write = || {
        fs::rename(path.join(UNFINISHED_FILE), path.join(FORMAT_FILE))?;
        fs::File::open(path)?.sync_all()
    };
    write().map_err(|error| BaseError::io("create", path, &error))
}
