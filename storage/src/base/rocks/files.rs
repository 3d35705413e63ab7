//! A feed as table files, waiting beside the store to be ingested.
//!
//! They are cut between keys, so they do not overlap, unless a clear in the first one reaches
//! over the others; that one is ingested first and so lies below them (C17). A file that was left
//! by a crash is in the staging directory and goes at the next opening.

use super::super::error::BaseError;
use super::super::view::Sink;
use super::error::run_error;
use rocksdb::{Options, SstFileWriter};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const STAGING: &str = "staging";
const ACTION: &str = "write files for";

/// Removes what an unfinished feed left.
pub(super) fn clean(path: &Path) -> Result<(), BaseError> {
    let staging = path.join(STAGING);
    match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(BaseError::io(ACTION, &staging, &error))
        }
        _ => Ok(()),
    }
}

/// Writes the files of one feed.
pub(super) struct FeedFiles<'a> {
    options: &'a Options,
    staging: PathBuf,
    file_bytes_max: u64,
    writer: Option<SstFileWriter<'a>>,
    /// Of the file being written, uncompressed.
    bytes: u64,
    done: Vec<PathBuf>,
    pub records: u64,
    pub file_bytes: u64,
}

impl<'a> FeedFiles<'a> {
    pub fn create(
        path: &Path,
        options: &'a Options,
        file_bytes_max: u64,
    ) -> Result<FeedFiles<'a>, BaseError> {
        clean(path)?;
        let staging = path.join(STAGING);
        fs::create_dir(&staging).map_err(|error| BaseError::io(ACTION, &staging, &error))?;
        Ok(FeedFiles {
            options,
            staging,
            file_bytes_max,
            writer: None,
            bytes: 0,
            done: Vec::new(),
            records: 0,
            file_bytes: 0,
        })
    }

    /// The files, in the order in which they are to be ingested; all are synced.
    pub fn finish(&mut self) -> Result<Vec<PathBuf>, BaseError> {
        self.close()?;
        Ok(std::mem::take(&mut self.done))
    }

    fn close(&mut self) -> Result<(), BaseError> {
        if let Some(mut writer) = self.writer.take() {
            writer.finish().map_err(|error| run_error(ACTION, &error))?;
            self.file_bytes += writer.file_size();
        }
        self.bytes = 0;
        Ok(())
    }

    fn write(
        &mut self,
        bytes: usize,
        write: impl FnOnce(&mut SstFileWriter<'a>) -> Result<(), rocksdb::Error>,
    ) -> Result<(), BaseError> {
        self.bytes += bytes as u64;
        self.records += 1;
        let failed = |error| run_error(ACTION, &error);
        if let Some(writer) = &mut self.writer {
            return write(writer).map_err(failed);
        }
        let file = self.staging.join(format!("feed-{}.sst", self.done.len()));
        let mut writer = SstFileWriter::create(self.options);
        writer.open(&file).map_err(failed)?;
        write(&mut writer).map_err(failed)?;
        self.done.push(file);
        self.writer = Some(writer);
        Ok(())
    }
}

impl Sink for FeedFiles<'_> {
    fn delete_range(&mut self, from: &[u8], to: &[u8]) -> Result<(), BaseError> {
        self.write(from.len() + to.len(), |writer| writer.delete_range(from, to))
    }

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), BaseError> {
        self.write(key.len() + value.len(), |writer| writer.put(key, value))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), BaseError> {
        self.write(key.len(), |writer| writer.delete(key))
    }

    fn between_keys(&mut self) -> Result<(), BaseError> {
        if self.bytes >= self.file_bytes_max { self.close() } else { Ok(()) }
    }
}
