use super::super::conformance::{self, Subject};
use super::super::meta;
use super::*;
use crate::objects::{Str, Value};
use crate::record::put_object;
use proptest::prelude::*;
use rocksdb::SstFileWriter;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;

/// A directory of its own for a test, gone with it.
struct TestDir(PathBuf);

impl TestDir {
    fn new() -> TestDir {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bowshock-base-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        TestDir(path)
    }

    fn base(&self) -> PathBuf {
        self.0.join("base")
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct OnDisk {
    base: RocksBase,
    dir: TestDir,
}

/// Files so small that a feed has several.
fn small_files(path: PathBuf) -> RocksOptions {
    RocksOptions { feed_file_bytes: 200, block_cache_bytes: 1 << 20, ..RocksOptions::new(path) }
}

impl OnDisk {
    fn new() -> OnDisk {
        let dir = TestDir::new();
        OnDisk { base: RocksBase::open(small_files(dir.base())).unwrap(), dir }
    }
}

impl Subject for OnDisk {
    fn base(&self) -> &dyn Base {
        &self.base
    }

    fn check(&self) -> Report {
        self.base.check().unwrap()
    }

    fn reopen(self) -> Self {
        let OnDisk { base, dir } = self;
        drop(base);
        assert_eq!(super::check(&dir.base()).unwrap().problem_count, 0);
        OnDisk { base: RocksBase::open(small_files(dir.base())).unwrap(), dir }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rocks_base_is_its_model(steps in conformance::steps()) {
        conformance::run(OnDisk::new(), &steps);
    }
}

fn string(text: &str) -> Value {
    Value::Str(Str::new(text.as_bytes()))
}

/// A feed of one entry that creates keys named by numbers.
fn feed(index: u64, numbers: std::ops::Range<u32>) -> Feed {
    let mut batch = Vec::new();
    for number in numbers {
        let key = format!("key:{number}");
        put_object(&mut batch, 1, 0, key.as_bytes(), true, &string("value"), None);
    }
    let mut feed = Feed::new(1 << 20);
    feed.add(index, 1, 0, &batch).unwrap();
    feed
}

fn key(name: &str) -> BaseKey<'_> {
    let hash = crate::keyspace::hash32(name.as_bytes());
    BaseKey { bucket: 1, db: 0, hash, key: name.as_bytes() }
}

fn open(dir: &TestDir) -> Result<RocksBase, BaseError> {
    RocksBase::open(RocksOptions::new(dir.base()))
}

/// A closed base with some feeds.
fn filled() -> TestDir {
    let dir = TestDir::new();
    let base = open(&dir).unwrap();
    for index in 1..=3 {
        base.ingest(feed(index, index as u32 * 100..index as u32 * 100 + 100)).unwrap();
    }
    dir
}

fn file_ending(dir: &TestDir, end: &str) -> PathBuf {
    let paths = fs::read_dir(dir.base()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.to_str().unwrap().contains(end)).collect();
    found.sort();
    found.pop().unwrap()
}

/// Opening fails with one line that has all of `parts`.
#[track_caller]
fn assert_refused(dir: &TestDir, parts: &[&str]) {
    let line = open(dir).err().expect("it opened").to_string();
    assert!(!line.contains('\n'), "{line}");
    for part in parts {
        assert!(line.contains(part), "no {part:?} in {line:?}");
    }
    assert!(super::check(&dir.base()).is_err());
}

#[test]
fn a_torn_ingest_is_cleaned_at_open() {
    let dir = filled();
    let staging = dir.base().join("staging");
    fs::create_dir_all(&staging).unwrap();
    fs::write(staging.join("feed-0.sst"), b"half a file").unwrap();
    let base = open(&dir).unwrap();
    assert!(!staging.join("feed-0.sst").exists());
    assert_eq!(base.index(), 3);
    base.ingest(feed(4, 0..100)).unwrap();
    assert_eq!((base.index(), base.counts().unwrap()), (4, vec![(0, 1, 400)]));
    assert_eq!(base.stats().ingests, 1);
}

#[test]
fn an_unfinished_creation_is_continued() {
    let dir = TestDir::new();
    format::begin(&dir.base()).unwrap();
    assert_eq!(open(&dir).unwrap().index(), 0);
    assert_eq!(format::inspect(&dir.base()).unwrap(), Found::Base);
}

#[test]
fn missing_and_damaged_files_are_named_with_the_remedy() {
    let restore = "bowshock restore";
    let dir = filled();
    let table = file_ending(&dir, ".sst");
    fs::remove_file(&table).unwrap();
    assert_refused(&dir, &[table.to_str().unwrap(), restore]);

    let dir = filled();
    let table = file_ending(&dir, ".sst");
    fs::write(&table, b"something else").unwrap();
    assert_refused(&dir, &[table.to_str().unwrap(), restore]);

    let dir = filled();
    let current = dir.base().join("CURRENT");
    fs::write(&current, b"rubbish").unwrap();
    assert_refused(&dir, &[current.to_str().unwrap(), restore]);
    fs::remove_file(&current).unwrap();
    assert_refused(&dir, &[current.to_str().unwrap(), restore]);

    let dir = filled();
    let manifest = file_ending(&dir, "MANIFEST-");
    fs::write(&manifest, [7; 5000]).unwrap();
    assert_refused(&dir, &[manifest.to_str().unwrap(), restore]);
    fs::remove_file(&manifest).unwrap();
    assert_refused(&dir, &[manifest.to_str().unwrap(), restore]);
}

#[test]
fn foreign_directories_and_newer_formats_are_refused() {
    let dir = TestDir::new();
    fs::create_dir(dir.base()).unwrap();
    fs::write(dir.base().join("letter.txt"), b"dear").unwrap();
    assert_refused(&dir, &["BASE_FORMAT", "not a base"]);

    let dir = filled();
    fs::write(dir.base().join("BASE_FORMAT"), b"bowshock base 2\n").unwrap();
    assert_refused(&dir, &["BASE_FORMAT", "format 2", "start the version that wrote it"]);

    let dir = filled();
    fs::write(dir.base().join("BASE_FORMAT"), b"x").unwrap();
    assert_refused(&dir, &["BASE_FORMAT", "does not name a format"]);

    let dir = filled();
    let base = open(&dir).unwrap();
    let mut record = base.record().encode();
    record[0] += 1;
    let file = dir.0.join("newer.sst");
    let options = base.feed_options.clone();
    let mut writer = SstFileWriter::create(&options);
    writer.open(&file).unwrap();
    writer.put(meta::BASE_KEY, &record).unwrap();
    writer.finish().unwrap();
    base.db.ingest_external_file(vec![&file]).unwrap();
    drop(base);
    assert_refused(&dir, &[dir.base().to_str().unwrap(), "start the version that wrote it"]);
}

#[test]
fn a_base_is_opened_once() {
    let dir = filled();
    let _first = open(&dir).unwrap();
    let line = open(&dir).err().expect("it opened twice").to_string();
    assert!(line.contains("LOCK") && line.contains("another process"), "{line}");
}

#[test]
fn check_names_the_file_with_a_flipped_bit() {
    let dir = filled();
    assert_eq!(super::check(&dir.base()).unwrap().keys, 300);
    let table = file_ending(&dir, ".sst");
    let mut bytes = fs::read(&table).unwrap();
    bytes[200] ^= 1;
    fs::write(&table, bytes).unwrap();
    let line = super::check(&dir.base()).unwrap_err().to_string();
    assert!(line.contains(table.file_name().unwrap().to_str().unwrap()), "{line}");
}

#[test]
fn check_finds_what_does_not_fit() {
    let dir = filled();
    let base = open(&dir).unwrap();
    // A key that was created twice, and a deletion of a key that never was.
    base.ingest(feed(4, 100..101)).unwrap();
    let mut batch = Vec::new();
    for bucket in [1, 1, 2] {
        let change = crate::record::Change::Delete { bucket, db: 0, key: b"no", wide: false };
        change.encode(&mut batch);
    }
    let mut twice = Feed::new(1);
    twice.add(5, 1, 0, &batch).unwrap();
    base.ingest(twice).unwrap();
    let report = base.check().unwrap();
    assert_eq!(report.problems, ["counter of db 0 bucket 1 says 299, there are 300 keys"]);
}

#[test]
fn a_checkpoint_is_a_base() {
    let dir = filled();
    let base = open(&dir).unwrap();
    let copy = dir.0.join("copy");
    base.checkpoint(&copy).unwrap();
    base.ingest(feed(4, 0..100)).unwrap();
    let copied = RocksBase::open(RocksOptions::new(&copy)).unwrap();
    assert_eq!((copied.index(), copied.counts().unwrap()), (3, vec![(0, 1, 300)]));
    assert!(copied.load(key("key:299")).unwrap().1.is_some());
    assert!(copied.load(key("key:5")).unwrap().1.is_none());
    assert_eq!((base.index(), copied.check().unwrap().problem_count), (4, 0));
}

#[test]
fn probes_rule_out_absent_keys_from_memory_even_with_a_tiny_cache() {
    let dir = filled();
    let options = RocksOptions { block_cache_bytes: 1, ..RocksOptions::new(dir.base()) };
    let base = RocksBase::open(options).unwrap();
    let absent =
        (1000..2000).filter(|number| base.probe(key(&format!("key:{number}"))) == Cached::Absent);
    assert!(absent.count() > 900);
    assert!((100..400).all(|number| base.probe(key(&format!("key:{number}"))) == Cached::Unknown));
    assert!(base.stats().block_cache_bytes > 0);
}

#[test]
fn stale_deadlines_go_with_the_next_feed_and_never_a_true_one() {
    let dir = TestDir::new();
    let base = open(&dir).unwrap();
    let dated = |index, deadline| {
        let mut batch = Vec::new();
        put_object(&mut batch, 1, 0, b"k", index == 1, &string("v"), deadline);
        let mut feed = Feed::new(1);
        feed.add(index, 1, 0, &batch).unwrap();
        base.ingest(feed).unwrap();
    };
    dated(1, Some(10));
    dated(2, Some(20));
    assert_eq!(base.due(None, 15, 9).unwrap(), []);
    assert_eq!(base.check().unwrap().stale_deadlines, 1);
    // Found stale, but the next feed makes it true again.
    dated(3, Some(10));
    assert_eq!(base.due(None, 15, 9).unwrap().len(), 1);
    dated(4, None);
    assert_eq!(base.due(None, 99, 9).unwrap(), []);
    assert_eq!(base.check().unwrap().stale_deadlines, 2);
    dated(5, None);
    assert_eq!(base.check().unwrap().stale_deadlines, 0);
}

#[test]
fn loads_during_feeds_see_one_index() {
    let dir = TestDir::new();
    let base = open(&dir).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut loads = 0u64;
            while !stop.load(Ordering::Relaxed) || loads == 0 {
                let (index, loaded) = base.load(key("counter")).unwrap();
                let text = loaded.map_or("0".into(), |loaded| match loaded.value {
                    Value::Str(string) => String::from_utf8(string.bytes().to_vec()).unwrap(),
                    _ => panic!("not a string"),
                });
                assert_eq!(text, index.to_string());
                loads += 1;
            }
        });
        for index in 1..=60u64 {
            let mut batch = Vec::new();
            let value = string(&index.to_string());
            put_object(&mut batch, 1, 0, b"counter", index == 1, &value, None);
            let mut feed = Feed::new(1);
            feed.add(index, 1, 0, &batch).unwrap();
            base.ingest(feed).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}
