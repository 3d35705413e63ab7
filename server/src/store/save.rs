//! Backups, and DEBUG RELOAD.

use super::Store;
use crate::node::Node;
use anyhow::{Context, Result};
use std::path::Path;
use std::sync::atomic::Ordering;
use storage::keyspace::PARTITIONS;

impl Node {
    /// Makes a backup: feeds the base, then writes a checkpoint of it into `backups/`.
    pub fn save(&self) -> Result<(), String> {
        let store = self.store.as_ref().ok_or("there is nothing on disk with --base memory")?;
        save(store).map_err(|error| format!("{error:#}"))
    }

    /// Puts everything into the base and forgets what is in memory (DEBUG RELOAD).
    pub fn reload(&self) -> Result<(), String> {
        let store = self.store.as_ref().ok_or("there is nothing on disk with --base memory")?;
        store.feeder.feed_now()?;
        let fed = self.space.fed_epoch.load(Ordering::Acquire);
        for number in 0..PARTITIONS as u16 {
            self.space.partition(number).unload_all(fed);
        }
        Ok(())
    }
}

fn save(store: &Store) -> Result<()> {
    store.feeder.feed_now().map_err(anyhow::Error::msg)?;
    let backups = store.dir.path().join("backups");
    std::fs::create_dir_all(&backups)
        .with_context(|| format!("cannot create {}", backups.display()))?;
    let dir = backups.join(format!("backup-{}", crate::node::wall_ms()));
    let half = dir.with_extension("part");
    std::fs::create_dir(&half).with_context(|| format!("cannot create {}", half.display()))?;
    store.base.checkpoint(&half.join("base"))?;
    let identity = store.dir.path().join("IDENTITY");
    std::fs::copy(&identity, half.join("IDENTITY"))
        .with_context(|| format!("cannot copy {}", identity.display()))?;
    std::fs::rename(&half, &dir).with_context(|| format!("cannot finish {}", dir.display()))?;
    sync_dir(&backups)?;
    tracing::info!("backup written: {}", dir.display());
    Ok(())
}

fn sync_dir(dir: &Path) -> Result<()> {
    let opened =
        std::fs::File::open(dir).with_context(|| format!("cannot open {}", dir.display()))?;
    opened.sync_all().with_context(|| format!("cannot sync {}", dir.display()))
}
