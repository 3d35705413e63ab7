//! `bowshock restore` and `bowshock check`: work on a directory that nobody serves.

use anyhow::{Context, Result, bail, ensure};
use cluster::files::RealFiles;
use std::fs;
use std::path::Path;

/// Makes the data directory `to` from the backup `from`. Files are linked where the file system
/// allows it, else copied; `to` must be new or empty.
pub fn restore(from: &Path, to: &Path) -> Result<()> {
    ensure!(
        from.join("IDENTITY").is_file() && from.join("base").is_dir(),
        "{} is no backup of Bowshock: name a directory that BGSAVE wrote (DIR/backups/backup-...)",
        from.display()
    );
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let mut present = fs::read_dir(to).with_context(|| format!("cannot read {}", to.display()))?;
    ensure!(
        present.next().is_none(),
        "{} is not empty: name a new directory with --dir",
        to.display()
    );
    let base = to.join("base");
    fs::create_dir(&base).with_context(|| format!("cannot create {}", base.display()))?;
    let mut files = 0;
    for entry in fs::read_dir(from.join("base"))? {
        let entry = entry?;
        let target = base.join(entry.file_name());
        // Table files are never changed in place; the rest is small and may be.
        let table = entry.path().extension().is_some_and(|extension| extension == "sst");
        if !table || fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
        files += 1;
    }
    // Last: with its identity the directory becomes one of ours.
    let identity = to.join("IDENTITY");
    fs::copy(from.join("IDENTITY"), &identity)
        .with_context(|| format!("cannot write {}", identity.display()))?;
    for dir in [&base, &to.to_path_buf()] {
        fs::File::open(dir)?
            .sync_all()
            .with_context(|| format!("cannot sync {}", dir.display()))?;
    }
    println!("restored {files} files into {}: start with --dir {}", to.display(), to.display());
    Ok(())
}

/// Reads all of a data directory, or of a backup, and says what is wrong.
pub fn check(dir: &Path) -> Result<()> {
    ensure!(
        dir.join("IDENTITY").is_file(),
        "{} holds no IDENTITY: name a data directory or a backup",
        dir.display()
    );
    let journal = dir.join("journal");
    if journal.is_dir() {
        let report = cluster::journal::check(&RealFiles, &journal)?;
        println!("{report:?}");
        if !report.is_sound() {
            bail!("the journal in {} is damaged, see above", journal.display());
        }
    }
    check_base(&dir.join("base"))?;
    println!("{} is sound", dir.display());
    Ok(())
}

#[cfg(feature = "rocksdb")]
fn check_base(base: &Path) -> Result<()> {
    if !base.is_dir() {
        return Ok(());
    }
    let report = storage::base::check(base)?;
    report.problems.iter().for_each(|problem| println!("{problem}"));
    ensure!(
        report.problem_count == 0,
        "the base in {} has {} problems, see above: restore a backup with `bowshock restore`",
        base.display(),
        report.problem_count
    );
    Ok(())
}

#[cfg(not(feature = "rocksdb"))]
fn check_base(_: &Path) -> Result<()> {
    bail!("this build has no RocksDB and cannot read the base")
}
