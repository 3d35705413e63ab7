//! The same on the operating system's files.

use super::*;
use crate::files::{RealFiles, boot_id};

#[test]
fn a_journal_on_a_real_disk() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("data");
    let identity =
        Identity { cluster_id: 5, buckets: 1000, bucket_tag: "{}".to_owned(), hash_seed: 1 };
    let dir = DataDir::open(&RealFiles, &path, identity.clone()).unwrap();
    let second = DataDir::open(&RealFiles, &path, identity).map(|_| ()).unwrap_err();
    assert!(matches!(second, OpenError::Locked { .. }), "{second}");
    let mut options = Options::new(dir.journal());
    options.sync = Sync::Always;
    options.segment_bytes = 4096;
    options.boot_id = boot_id();
    let files: Arc<dyn Files> = Arc::new(RealFiles);
    let (journal, _) = Journal::open(files.clone(), options.clone(), 0).unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    journal.on_release(Box::new(move |upto| send.send(upto).unwrap_or_default()));
    let all = fill(&journal, 100);
    // The thread syncs by itself and says so.
    let wait = Duration::from_secs(60);
    while receive.recv_timeout(wait).unwrap() < 100 {}
    assert_eq!(read_all(&journal, 1, 1000), all);
    journal.purge(50);
    journal.close().unwrap();
    let (journal, opened) = Journal::open(files.clone(), options.clone(), 50).unwrap();
    assert!(opened.clean && opened.cut.is_none());
    assert_eq!(read_all(&journal, 51, 1 << 20), all[50..]);
    assert!(check(&*files, &options.dir).unwrap().is_sound());
}

#[test]
fn a_file_in_the_way_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("data");
    std::fs::write(&path, b"x").unwrap();
    let error = RealFiles.create_dir(&path).map_err(|error| OpenError::io("create", &path, &error));
    let text = error.unwrap_err().to_string();
    assert!(text.contains(&path.display().to_string()) && text.contains("in the way"), "{text}");
}
