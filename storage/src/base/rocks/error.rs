//! RocksDB's errors in our words: the file it speaks of, and what helps.

use super::super::error::{BaseError, RESTORE};
use rocksdb::ErrorKind;
use std::path::{Path, PathBuf};

/// Why a directory could not be opened.
pub(super) fn open_error(path: &Path, error: &rocksdb::Error) -> BaseError {
    let reason = one_line(error);
    let file = named_file(&reason).map_or_else(|| manifest(path), |name| path.join(name));
    let locked = file.ends_with("LOCK");
    let remedy = if locked { "another process has it open: stop that one first" } else { RESTORE };
    BaseError::Open { file, reason, remedy }
}

/// An error of an open base.
pub(super) fn run_error(action: &'static str, error: &rocksdb::Error) -> BaseError {
    let reason = one_line(error);
    match error.kind() {
        ErrorKind::Corruption => BaseError::Corrupt {
            place: named_file(&reason).unwrap_or("a table file").to_owned(),
            reason,
        },
        _ => BaseError::Io { action, reason },
    }
}

fn one_line(error: &rocksdb::Error) -> String {
    let words: Vec<&str> = error.as_ref().split_whitespace().collect();
    words.join(" ")
}

/// The first name of a RocksDB file in a message.
fn named_file(message: &str) -> Option<&str> {
    message
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | ',' | '\'' | '"' | '(' | ')'))
        .filter_map(|word| word.rsplit('/').next())
        .map(|name| name.trim_end_matches('.'))
        .find(|name| {
            *name == "CURRENT"
                || *name == "LOCK"
                || name.starts_with("MANIFEST-")
                || name.strip_suffix(".sst").or(name.strip_suffix(".log")).is_some_and(|stem| {
                    !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit())
                })
        })
}

/// The list of files, which a message without a name speaks of.
fn manifest(path: &Path) -> PathBuf {
    let current = std::fs::read_to_string(path.join("CURRENT")).unwrap_or_default();
    let name = current.trim();
    path.join(if name.starts_with("MANIFEST-") { name } else { "CURRENT" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_in_a_message() {
        for (message, name) in [
            ("Corruption: Can't access /000009.sst: IO error: No such file", Some("000009.sst")),
            ("IO error: While lock file: /x/y/LOCK: Resource unavailable", Some("LOCK")),
            ("Corruption: CURRENT file does not end with newline", Some("CURRENT")),
            ("checksum mismatch in /b.sst/000012.sst offset 5", Some("000012.sst")),
            ("The file /x/MANIFEST-000005 may be corrupted.", Some("MANIFEST-000005")),
            ("Corruption: no meta-nextfile entry in descriptor", None),
        ] {
            assert_eq!(named_file(message), name, "{message}");
        }
    }
}
