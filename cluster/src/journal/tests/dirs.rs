//! The data directory.

use super::*;

fn identity(cluster_id: u64) -> Identity {
    Identity { cluster_id, buckets: 1000, bucket_tag: "{}".to_owned(), hash_seed: 9 }
}

fn refused(disk: &SimFiles) -> OpenError {
    DataDir::open(disk, Path::new("/data"), identity(2)).map(|_| ()).unwrap_err()
}

#[test]
fn an_identity_is_written_once_and_kept() {
    let disk = SimFiles::new();
    let dir = DataDir::open(&disk, Path::new("/data"), identity(1)).unwrap();
    assert!(dir.is_created());
    assert!(matches!(refused(&disk), OpenError::Locked { .. }));
    drop(dir);
    disk.crash(CrashMode::Drop, 1);
    let dir = DataDir::open(&disk, Path::new("/data"), identity(2)).unwrap();
    assert_eq!((dir.identity(), dir.is_created()), (&identity(1), false));
    assert_eq!(dir.journal(), Path::new("/data/journal"));
}

#[test]
fn a_crash_while_creating_leaves_a_directory_that_opens() {
    for steps in 0..8 {
        for seed in 0..8 {
            let disk = SimFiles::new();
            disk.stop_after(steps);
            let created = DataDir::open(&disk, Path::new("/data"), identity(1)).is_ok();
            disk.crash(CrashMode::Tear, seed);
            let dir = DataDir::open(&disk, Path::new("/data"), identity(2)).unwrap();
            assert!(!created || dir.identity() == &identity(1), "{steps} steps, seed {seed}");
        }
    }
}

#[test]
fn other_directories_are_left_alone() {
    let disk = SimFiles::new();
    disk.create_dir(Path::new("/data")).unwrap();
    disk.plant(Path::new("/data/thesis.tex"), b"x");
    let error = refused(&disk);
    assert!(error.to_string().contains("foreign /data: the directory holds thesis.tex"), "{error}");
    assert!(disk.contents(Path::new("/data/LOCK")).is_none(), "nothing was written");
}

#[test]
fn a_changed_identity_is_refused() {
    let disk = SimFiles::new();
    drop(DataDir::open(&disk, Path::new("/data"), identity(1)).unwrap());
    let file = Path::new("/data/IDENTITY");
    let good = disk.contents(file).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x80;
        disk.plant(file, &bytes);
        let error = refused(&disk);
        match at {
            0..8 => assert!(matches!(error, OpenError::Foreign { .. })),
            8..10 => assert!(matches!(error, OpenError::Newer { .. })),
            _ => assert!(matches!(error, OpenError::Damaged { .. })),
        }
    }
    for size in 0..good.len() {
        disk.plant(file, &good[..size]);
        refused(&disk);
    }
}
