//! An in-memory disk that remembers what was synced.
//!
//! Each file has its live contents and the contents a power cut would leave; each directory has
//! its live names and a list of name changes nobody synced yet. [`SimFiles::crash`] forgets or
//! tears what was not synced, by a seed, and makes every open handle useless, as the end of the
//! machine does. It is harsher than common file systems: unsynced name changes are kept or lost
//! one by one, unsynced sectors in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{File, Files, Space};

const SECTOR: usize = 512;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a power cut does to bytes and names that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMode {
    /// All of them are gone.
    Drop,
    /// A seeded choice of 512-byte sectors, lengths and names survives.
    Tear,
}

/// An in-memory disk; clones are the same disk.
#[derive(Clone, Default)]
pub struct SimFiles(Arc<Mutex<Disk>>);

#[derive(Default)]
struct Disk {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    dirs: BTreeSet<PathBuf>,
    locks: BTreeSet<PathBuf>,
    boots: u64,
    space: Option<Space>,
    write_budget: Option<usize>,
    syncs_fail: bool,
    write_bytes_max: Option<usize>,
    steps_left: Option<u64>,
}

#[derive(Default)]
struct Inode {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// Length of the prefix in which `live` and `durable` are known to agree.
    agreed: usize,
}

#[derive(Clone)]
enum NameChange {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl SimFiles {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cuts the power: see [`CrashMode`]. Handles and locks from before are dead afterwards.
    pub fn crash(&self, mode: CrashMode, seed: u64) {
        let mut disk = self.0.lock();
        let mut dice = Dice(seed);
        disk.boots += 1;
        disk.locks.clear();
        disk.steps_left = None;
        for change in std::mem::take(&mut disk.unsynced_names) {
            if mode == CrashMode::Tear && dice.below(2) == 0 {
                change.apply(&mut disk.durable_names);
            }
        }
        disk.names = disk.durable_names.clone();
        for inode in &mut disk.inodes {
            inode.crash(mode, &mut dice);
        }
    }

    /// After `steps` more changes or syncs all of them fail with EIO, until
    /// [`crash`](Self::crash) or [`resume`](Self::resume): the end comes in the middle of
    /// something.
    pub fn stop_after(&self, steps: u64) {
        self.0.lock().steps_left = Some(steps);
    }

    /// Ends what [`stop_after`](Self::stop_after) began without a power cut: the process died,
    /// the machine did not.
    pub fn resume(&self) {
        self.0.lock().steps_left = None;
    }

    /// A number that changes with each power cut: the boot id of this machine.
    pub fn boot_id(&self) -> u128 {
        u128::from(self.0.lock().boots) + 1
    }

    /// After `bytes` more bytes every append fails with ENOSPC; `None` ends that.
    pub fn fill_after(&self, bytes: Option<usize>) {
        self.0.lock().write_budget = bytes;
    }

    /// Every sync of a file fails with EIO.
    pub fn fail_syncs(&self, fail: bool) {
        self.0.lock().syncs_fail = fail;
    }

    /// One append takes at most this many bytes, as write(2) may.
    pub fn shorten_writes(&self, bytes_max: Option<usize>) {
        self.0.lock().write_bytes_max = bytes_max;
    }

    /// What [`Files::space`] answers.
    pub fn set_space(&self, space: Space) {
        self.0.lock().space = Some(space);
    }

    /// The live contents of a file.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.0.lock();
        let inode = disk.inodes.get(*disk.names.get(path)?)?;
        Some(inode.live.clone())
    }

    /// Puts a file on the disk, durably: for planting damage.
    pub fn plant(&self, path: &Path, bytes: &[u8]) {
        let mut disk = self.0.lock();
        let number = disk.inodes.len();
        let (live, durable, agreed) = (bytes.to_vec(), bytes.to_vec(), bytes.len());
        disk.inodes.push(Inode { live, durable, agreed });
        disk.names.insert(path.to_owned(), number);
        disk.durable_names.insert(path.to_owned(), number);
    }

    fn handle(&self, disk: &Disk, number: usize) -> Arc<dyn File> {
        Arc::new(SimFile { disk: self.clone(), number, boot: disk.boots })
    }
}

impl Disk {
    fn step(&mut self) -> io::Result<()> {
        match &mut self.steps_left {
            Some(0) => Err(io::Error::from_raw_os_error(EIO)),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, number) => {
                names.insert(path, number);
            }
            Self::Unlink(path) => {
                names.remove(&path);
            }
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(&from) {
                    names.insert(to, number);
                }
            }
        }
    }

    fn is_in(&self, dir: &Path) -> bool {
        let (Self::Link(path, _) | Self::Unlink(path) | Self::Rename(_, path)) = self;
        path.parent() == Some(dir)
    }
}

impl Inode {
    fn sync(&mut self) {
        self.durable.truncate(self.agreed);
        self.durable.extend_from_slice(self.live.get(self.agreed..).unwrap_or_default());
        self.agreed = self.live.len();
    }

    fn crash(&mut self, mode: CrashMode, dice: &mut Dice) {
        let unchanged = self.agreed == self.live.len() && self.agreed == self.durable.len();
        if mode == CrashMode::Tear && !unchanged {
            self.durable = self.torn(dice);
        }
        self.live.clone_from(&self.durable);
        self.agreed = self.live.len();
    }

    /// The durable contents with a choice of the live sectors written over them.
    fn torn(&self, dice: &mut Dice) -> Vec<u8> {
        let (old, new) = (self.durable.len(), self.live.len());
        let size = match dice.below(4) {
            0 => old,
            1 => new,
            _ => {
                let (low, high) = (old.min(new), old.max(new));
                let sectors = (high - low).div_ceil(SECTOR) as u64;
                ((low / SECTOR + dice.below(sectors + 1) as usize) * SECTOR).clamp(low, high)
            }
        };
        let mut torn = self.durable.clone();
        torn.resize(size, 0);
        let keep_all = dice.below(4) == 0;
        for start in (0..size).step_by(SECTOR) {
            let end = (start + SECTOR).min(size).min(new);
            if end > self.agreed && (keep_all || dice.below(2) == 0) {
                let (Some(to), Some(from)) = (torn.get_mut(start..end), self.live.get(start..end))
                else {
                    continue;
                };
                to.copy_from_slice(from);
            }
        }
        torn
    }
}

impl Files for SimFiles {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        for dir in dir.ancestors() {
            disk.dirs.insert(dir.to_owned());
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut disk = self.0.lock();
        disk.step()?;
        if disk.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = disk.inodes.len();
        disk.inodes.push(Inode::default());
        disk.names.insert(path.to_owned(), number);
        disk.unsynced_names.push(NameChange::Link(path.to_owned(), number));
        Ok(self.handle(&disk, number))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let disk = self.0.lock();
        let number = disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(&disk, *number))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.step()?;
        if !disk.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let change = NameChange::Rename(from.to_owned(), to.to_owned());
        change.clone().apply(&mut disk.names);
        disk.unsynced_names.push(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.step()?;
        disk.names.remove(path).ok_or(io::ErrorKind::NotFound)?;
        disk.unsynced_names.push(NameChange::Unlink(path.to_owned()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.0.lock();
        if !disk.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let paths = disk.names.keys().chain(&disk.dirs);
        let inside = paths.filter(|path| path.parent() == Some(dir));
        let mut names: Vec<String> = inside
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect();
        names.sort();
        Ok(names)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.0.lock();
        disk.step()?;
        let changes = std::mem::take(&mut disk.unsynced_names);
        for change in changes {
            if change.is_in(dir) {
                change.apply(&mut disk.durable_names);
            } else {
                disk.unsynced_names.push(change);
            }
        }
        Ok(())
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        let plenty = Space { free: 1 << 40, total: 1 << 40 };
        Ok(self.0.lock().space.unwrap_or(plenty))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        if !self.0.lock().names.contains_key(path) {
            self.create(path)?;
        }
        let mut disk = self.0.lock();
        if !disk.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Locked { disk: self.clone(), path: path.to_owned(), boot: disk.boots }))
    }
}

struct Locked {
    disk: SimFiles,
    path: PathBuf,
    boot: u64,
}

impl Drop for Locked {
    fn drop(&mut self) {
        let mut disk = self.disk.0.lock();
        if disk.boots == self.boot {
            disk.locks.remove(&self.path);
        }
    }
}

struct SimFile {
    disk: SimFiles,
    number: usize,
    boot: u64,
}

impl SimFile {
    fn with<T>(&self, f: impl FnOnce(&mut Disk, usize) -> io::Result<T>) -> io::Result<T> {
        let mut disk = self.disk.0.lock();
        if disk.boots != self.boot {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        f(&mut disk, self.number)
    }

    fn with_inode<T>(&self, f: impl FnOnce(&mut Inode) -> T) -> io::Result<T> {
        self.with(|disk, number| {
            let inode = disk.inodes.get_mut(number).ok_or(io::ErrorKind::NotFound)?;
            Ok(f(inode))
        })
    }
}

impl File for SimFile {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|disk, number| {
            disk.step()?;
            let budget = disk.write_budget.unwrap_or(usize::MAX);
            if budget == 0 {
                return Err(io::Error::from_raw_os_error(ENOSPC));
            }
            let size = bytes.len().min(budget).min(disk.write_bytes_max.unwrap_or(usize::MAX));
            disk.write_budget = disk.write_budget.map(|budget| budget - size);
            let inode = disk.inodes.get_mut(number).ok_or(io::ErrorKind::NotFound)?;
            inode.live.extend_from_slice(bytes.get(..size).unwrap_or_default());
            Ok(size)
        })
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.with_inode(|inode| {
            let rest = inode.live.get(offset as usize..).unwrap_or_default();
            let size = rest.len().min(into.len());
            if let (Some(to), Some(from)) = (into.get_mut(..size), rest.get(..size)) {
                to.copy_from_slice(from);
            }
            size
        })
    }

    fn size(&self) -> io::Result<u64> {
        self.with_inode(|inode| inode.live.len() as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|disk, number| {
            disk.step()?;
            if disk.syncs_fail {
                return Err(io::Error::from_raw_os_error(EIO));
            }
            let inode = disk.inodes.get_mut(number).ok_or(io::ErrorKind::NotFound)?;
            inode.sync();
            Ok(())
        })
    }

    fn truncate(&self, size: u64) -> io::Result<()> {
        self.with(|disk, number| {
            disk.step()?;
            let inode = disk.inodes.get_mut(number).ok_or(io::ErrorKind::NotFound)?;
            inode.live.resize(size as usize, 0);
            inode.agreed = inode.agreed.min(size as usize);
            Ok(())
        })
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit.max(1)
    }
}
