//! The data directory: one process at a time, one cluster for ever.
//!
//! `LOCK` keeps a second process out. `IDENTITY` holds what is fixed when the directory is
//! created; a directory with other things in it and no `IDENTITY` is somebody else's and is left
//! alone.

use std::io;
use std::path::{Path, PathBuf};

use super::OpenError;
use super::record::{u32_at, u64_at};
use crate::files::{Files, read_all, replace};

const MAGIC: &[u8; 8] = b"BOWSIDNT";
const VERSION: u16 = 1;
/// Longer than any identity.
const BYTES_MAX: u64 = 4096;
/// Longest bucket tag.
const TAG_BYTES_MAX: usize = 64;
/// What a file system or an interrupted creation may leave in an otherwise new directory.
const HARMLESS: [&str; 4] = ["LOCK", "IDENTITY.tmp", "lost+found", ".DS_Store"];

/// What never changes in a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Random, chosen when the cluster is created.
    pub cluster_id: u64,
    /// Number of buckets, B.
    pub buckets: u32,
    /// The two characters that enclose the part of a key its bucket is computed from.
    pub bucket_tag: String,
    /// Seed of the keys' hash (C19).
    pub hash_seed: u64,
}

/// An open data directory; dropping it gives the lock back.
pub struct DataDir {
    path: PathBuf,
    identity: Identity,
    created: bool,
    _lock: Box<dyn Send + Sync>,
}

impl DataDir {
    /// Opens the directory, or creates it with the identity `fresh`. An existing one keeps the
    /// identity it has; compare with [`identity`](Self::identity).
    pub fn open(files: &dyn Files, path: &Path, fresh: Identity) -> Result<Self, OpenError> {
        files.create_dir(path).map_err(|error| OpenError::io("create", path, &error))?;
        let names = files.list(path).map_err(|error| OpenError::io("read", path, &error))?;
        let stranger = names.iter().find(|name| !HARMLESS.contains(&name.as_str()));
        let ours = names.iter().any(|name| name == "IDENTITY");
        if let (false, Some(stranger)) = (ours, stranger) {
            let reason = format!("the directory holds {stranger} but no IDENTITY");
            let remedy = "give an empty directory, or that of a Bowshock node, with --dir";
            return Err(OpenError::Foreign { file: path.to_owned(), reason, remedy });
        }
        let lock = lock(files, path)?;
        let file = path.join("IDENTITY");
        // Looked at again under the lock: another process may just have created it.
        let found = match files.open(&file) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(OpenError::io("read", &file, &error)),
        };
        let created = found.is_none();
        let identity = match found {
            Some(found) => {
                let bytes = read_all(&*found, BYTES_MAX)
                    .map_err(|error| OpenError::io("read", &file, &error))?;
                decode(&file, &bytes)?
            }
            None => {
                let bytes = encode(&fresh);
                replace(files, &file, &bytes)
                    .map_err(|error| OpenError::io("write", &file, &error))?;
                fresh
            }
        };
        Ok(Self { path: path.to_owned(), identity, created, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the journal of its shard is.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// What was fixed when it was created.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether this call created it.
    pub fn is_created(&self) -> bool {
        self.created
    }
}

fn lock(files: &dyn Files, path: &Path) -> Result<Box<dyn Send + Sync>, OpenError> {
    let file = path.join("LOCK");
    files.lock(&file).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked { file },
        _ => OpenError::io("lock", &file, &error),
    })
}

fn encode(identity: &Identity) -> Vec<u8> {
    let tag = identity.bucket_tag.as_bytes();
    let tag = tag.get(..tag.len().min(TAG_BYTES_MAX)).unwrap_or_default();
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&identity.cluster_id.to_le_bytes());
    out.extend_from_slice(&identity.hash_seed.to_le_bytes());
    out.extend_from_slice(&identity.buckets.to_le_bytes());
    out.push(u8::try_from(tag.len()).unwrap_or(0));
    out.extend_from_slice(tag);
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    out
}

fn decode(file: &Path, bytes: &[u8]) -> Result<Identity, OpenError> {
    if !bytes.starts_with(MAGIC) {
        return Err(OpenError::Foreign {
            file: file.to_owned(),
            reason: "it does not begin with BOWSIDNT".to_owned(),
            remedy: "give an empty directory, or that of a Bowshock node, with --dir",
        });
    }
    let version = bytes.get(8..10).and_then(|two| two.try_into().ok()).map(u16::from_le_bytes);
    if let Some(version) = version.filter(|version| *version > VERSION) {
        let (file, version) = (file.to_owned(), version.into());
        return Err(OpenError::Newer { file, version, supported: VERSION.into() });
    }
    decode_body(bytes).ok_or_else(|| OpenError::Damaged {
        file: file.to_owned(),
        offset: 0,
        reason: "its checksum does not match".to_owned(),
        remedy: "restore this file from a backup of the directory".to_owned(),
    })
}

fn decode_body(bytes: &[u8]) -> Option<Identity> {
    let (body, crc) = bytes.split_at_checked(bytes.len().checked_sub(4)?)?;
    if u32_at(crc, 0)? != crc32c::crc32c(body) {
        return None;
    }
    let tag = body.get(31..31 + usize::from(*body.get(30)?))?;
    Some(Identity {
        cluster_id: u64_at(body, 10)?,
        hash_seed: u64_at(body, 18)?,
        buckets: u32_at(body, 26)?,
        bucket_tag: String::from_utf8(tag.to_vec()).ok()?,
    })
}
