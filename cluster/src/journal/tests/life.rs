//! The ordinary life of a journal.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_appended_is_read_back_now_and_after_reopening() {
    let bench = Bench::new(Sync::No);
    let (journal, opened) = bench.open(0).unwrap();
    assert_eq!((opened.first_index, opened.last.index, opened.term), (0, 0, 1));
    let one = journal.append(b"one", 5);
    let two = journal.append(b"", 7);
    assert_eq!((one, two, journal.end(), journal.released()), (1, 1, 1, 0));
    assert!(journal.read(1, 1 << 20).unwrap().is_empty(), "nothing is released before the flush");
    journal.flush(two).unwrap();
    assert_eq!((journal.written(), journal.released(), journal.synced()), (1, 1, 0));
    let entries = journal.read(0, 1 << 20).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].batches().count(), 0, "entry 0 is the membership");
    assert_eq!(entries[1].batches().collect::<Vec<_>>(), [&b"one"[..], b""]);
    assert_eq!((entries[1].id, entries[1].time_ms), (LogId { term: 1, node: 1, index: 1 }, 7));
    drop(journal);
    let (journal, opened) = bench.open(0).unwrap();
    assert_eq!((opened.term, opened.last.index, opened.time_ms, opened.clean), (2, 1, 7, false));
    assert_eq!(journal.read(0, 1 << 20).unwrap(), entries);
    assert_eq!(journal.append(b"three", 6), 2);
    journal.flush(2).unwrap();
    let third = journal.read(2, 1).unwrap();
    assert_eq!((third[0].id.term, third[0].time_ms), (2, 7), "time never goes back");
}

#[test]
fn a_clean_close_is_noticed_once() {
    let bench = Bench::new(Sync::EverySec);
    let (journal, _) = bench.open(0).unwrap();
    journal.append(b"kept", 1);
    let other = journal.clone();
    journal.close().unwrap();
    assert_eq!(other.flush(9), Err(JournalError::Closed));
    bench.disk.crash(CrashMode::Drop, 1);
    let (journal, opened) = bench.open(0).unwrap();
    assert!(opened.clean);
    assert_eq!(read_all(&journal, 0, 1), [(1, b"kept".to_vec())]);
    drop(journal);
    assert!(!bench.open(0).unwrap().1.clean);
}

#[test]
fn always_releases_with_the_sync_and_one_sync_serves_all() {
    let bench = Bench::new(Sync::Always);
    let (journal, _) = bench.open(0).unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let seen = told.clone();
    journal.on_release(Box::new(move |upto| seen.store(upto, Ordering::Relaxed)));
    let before = journal.stats().fsyncs;
    fill(&journal, 10);
    assert_eq!((journal.written(), journal.released()), (10, 0));
    bench.step(&journal, 0).unwrap();
    assert_eq!((journal.released(), told.load(Ordering::Relaxed)), (10, 10));
    assert_eq!(journal.stats().fsyncs, before + 1);
    fill(&journal, 1);
    journal.set_sync(Sync::No);
    assert_eq!((journal.released(), told.load(Ordering::Relaxed), journal.synced()), (11, 11, 10));
    journal.sync_to(11).unwrap();
    assert_eq!(journal.synced(), 11);
}

#[test]
fn everysec_syncs_within_the_second() {
    let bench = Bench::new(Sync::EverySec);
    let (journal, _) = bench.open(0).unwrap();
    fill(&journal, 1);
    bench.step(&journal, 700).unwrap();
    assert_eq!(journal.synced(), 0);
    fill(&journal, 1);
    bench.step(&journal, 200).unwrap();
    assert_eq!(journal.synced(), 2);
    fill(&journal, 1);
    bench.step(&journal, 700).unwrap();
    assert_eq!(journal.synced(), 2, "the second begins with the first unsynced byte");
    bench.step(&journal, 100).unwrap();
    assert_eq!(journal.synced(), 3);
}

#[test]
fn a_large_batch_is_a_run() {
    let mut bench = Bench::new(Sync::No);
    bench.options.entry_bytes_max = 100;
    bench.options.segment_bytes = 600;
    let (journal, _) = bench.open(0).unwrap();
    let large: Vec<u8> = (0..2000u32).map(|i| i as u8).collect();
    let small = journal.append(b"small", 1);
    let run = journal.append(&large, 2);
    let after = journal.append(b"after", 3);
    assert_eq!((small, run, after), (1, 22, 23));
    journal.flush(after).unwrap();
    let expected = [(1, b"small".to_vec()), (22, large.clone()), (23, b"after".to_vec())];
    assert_eq!(read_all(&journal, 0, 1), expected);
    assert_eq!(journal.read(2, 1).unwrap()[0].first_index, 2);
    assert!(bench.segments().len() > 2, "the run spans segments");
    for size in 90..110 {
        let batch = vec![7; size];
        let index = journal.append(&batch, 4);
        journal.flush(index).unwrap();
        let read = read_all(&journal, after + 1, 1 << 20);
        assert_eq!(read.last().unwrap(), &(index, batch), "a batch about as large as an entry");
    }
}

#[test]
fn an_unfinished_run_is_void() {
    let mut bench = Bench::new(Sync::No);
    bench.options.entry_bytes_max = 100;
    let (journal, _) = bench.open(0).unwrap();
    journal.append(b"before", 1);
    let run = journal.append(&[1; 1000], 2);
    journal.flush(run).unwrap();
    drop(journal);
    let file = bench.segments().pop().unwrap();
    bench.change(&file, |bytes| bytes.truncate(bytes.len() - 200));
    let (journal, opened) = bench.open(0).unwrap();
    assert!(opened.cut.is_some() && opened.last.index > 2 && opened.last.index < run);
    assert_eq!(read_all(&journal, 0, 1 << 20), [(1, b"before".to_vec())]);
    let next = journal.append(b"next", 3);
    journal.flush(next).unwrap();
    assert_eq!(next, opened.last.index + 1);
    let expected = [(1, b"before".to_vec()), (next, b"next".to_vec())];
    assert_eq!(read_all(&journal, 0, 1), expected);
}

#[test]
fn purge_removes_whole_segments_and_the_rest_opens() {
    let mut bench = Bench::new(Sync::No);
    bench.options.segment_bytes = 1000;
    let (journal, _) = bench.open(0).unwrap();
    let all = fill(&journal, 100);
    let tail = journal.tail_bytes();
    assert!(journal.bytes_since(0) > journal.bytes_since(50));
    assert_eq!(journal.bytes_since(100), 0);
    journal.purge(50);
    assert!(journal.tail_bytes() < tail);
    let Err(JournalError::Purged { first, .. }) = journal.read(1, 1) else { panic!() };
    assert!(first > 20 && first <= 51, "{first}");
    assert_eq!(read_all(&journal, 51, 1), all[50..]);
    drop(journal);
    let (journal, opened) = bench.open(50).unwrap();
    assert_eq!((opened.first_index, opened.last.index), (first, 100));
    assert_eq!(read_all(&journal, 51, 300), all[50..]);
    drop(journal);
    let error = bench.open(first - 2).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "a hole below the journal: {error}");
}

#[test]
fn a_journal_that_ends_below_the_base_restarts_behind_it() {
    let bench = Bench::new(Sync::No);
    let (journal, _) = bench.open(0).unwrap();
    fill(&journal, 10);
    drop(journal);
    let (journal, opened) = bench.open(30).unwrap();
    assert!(opened.restarted);
    assert_eq!((opened.first_index, opened.last.index, opened.term), (31, 30, 2));
    assert_eq!(journal.append(b"x", 1), 31);
    journal.flush(31).unwrap();
    assert_eq!(bench.segments().len(), 1);
    drop(journal);
    let (journal, opened) = bench.open(30).unwrap();
    assert_eq!((opened.restarted, opened.last.index, opened.term), (false, 31, 3));
    assert_eq!(read_all(&journal, 31, 1), [(31, b"x".to_vec())]);
}

#[test]
fn restarts_do_not_pile_up_files() {
    let bench = Bench::new(Sync::No);
    for term in 1..20 {
        let (journal, opened) = bench.open(0).unwrap();
        assert_eq!(opened.term, term);
        drop(journal);
    }
    assert!(bench.segments().len() <= 2);
}

#[test]
fn a_failed_sync_or_write_poisons() {
    for sync_fails in [true, false] {
        let bench = Bench::new(Sync::Always);
        let (journal, _) = bench.open(0).unwrap();
        let told = Arc::new(AtomicU64::new(0));
        let count = told.clone();
        journal.on_fatal(Box::new(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        journal.append(b"never released", 1);
        bench.disk.fail_syncs(sync_fails);
        bench.disk.fill_after((!sync_fails).then_some(20));
        let result = journal.flush(1).and_then(|()| bench.step(&journal, 10));
        let error = result.unwrap_err();
        bench.disk.fail_syncs(false);
        bench.disk.fill_after(None);
        assert_eq!(journal.sync_to(1), Err(error.clone()));
        assert_eq!(journal.flush(1), Err(error.clone()), "nothing is tried again");
        assert_eq!(bench.step(&journal, 10), Err(error.clone()));
        assert_eq!((journal.released(), told.load(Ordering::Relaxed)), (0, 1));
        assert_eq!(journal.stats().last_error, Some(error.to_string()));
        assert_eq!(journal.close(), Err(error));
    }
}

#[test]
fn short_writes_are_gone_on_with() {
    let bench = Bench::new(Sync::No);
    bench.disk.shorten_writes(Some(7));
    let (journal, _) = bench.open(0).unwrap();
    let all = fill(&journal, 20);
    drop(journal);
    assert_eq!(read_all(&bench.open(0).unwrap().0, 1, 1 << 20), all);
}

#[test]
fn the_reserve_is_watched() {
    let bench = Bench::new(Sync::No);
    let (journal, _) = bench.open(0).unwrap();
    let gib = 1 << 30;
    for (ms, free, low) in [(0, gib, false), (100, 1, false), (100, 1, true), (200, gib, false)] {
        bench.disk.set_space(crate::files::Space { free, total: 10 * gib });
        bench.step(&journal, ms).unwrap();
        assert_eq!(journal.reserve_low(), low);
    }
}

#[test]
fn a_fast_writer_meets_the_reserve_between_two_questions() {
    let bench = Bench::new(Sync::No);
    let (journal, _) = bench.open(0).unwrap();
    bench.disk.set_space(crate::files::Space { free: 60_000, total: 1_000_000 });
    bench.step(&journal, 0).unwrap();
    let append = |times: usize| {
        for _ in 0..times {
            let end = journal.append(&[7; 1000], 1);
            journal.flush(end).unwrap();
        }
    };
    // 50,000 bytes, 5 % of the disk, are the reserve.
    append(5);
    assert!(!journal.reserve_low());
    append(6);
    assert!(journal.reserve_low());
    bench.disk.set_space(crate::files::Space { free: 90_000, total: 1_000_000 });
    bench.step(&journal, 200).unwrap();
    assert!(!journal.reserve_low());
}

#[test]
fn four_threads_append_in_one_order() {
    let mut bench = Bench::new(Sync::Always);
    bench.options.driver = Driver::Thread;
    bench.options.segment_bytes = 8192;
    let (journal, _) = bench.open(0).unwrap();
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let (journal, order) = (&journal, &order);
            scope.spawn(move || {
                for i in 0..500u16 {
                    let batch = [&[thread][..], &i.to_le_bytes()].concat();
                    // As partition locks do: order of execution is order of appending.
                    let mut order = order.lock();
                    let index = journal.append(&batch, 1);
                    order.push((index, batch));
                    drop(order);
                    if i % 3 == 0 {
                        journal.flush(index).unwrap();
                    }
                }
                journal.sync_to(journal.end()).unwrap();
            });
        }
    });
    journal.sync_to(journal.end()).unwrap();
    let order = order.into_inner();
    assert!(order.is_sorted_by_key(|(index, _)| *index));
    journal.set_sync(Sync::No);
    assert_eq!(read_all(&journal, 1, 1000), order);
    assert_eq!(journal.synced(), journal.end());
    journal.close().unwrap();
    assert_eq!(read_all(&bench.open(0).unwrap().0, 1, 1 << 20), order);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn a_reader_gets_what_was_appended(
        segment_bytes in 512u64..20_000,
        entry_bytes_max in 1usize..3000,
        bite in 1usize..5000,
        batches in proptest::collection::vec((0usize..4000, any::<u8>(), any::<bool>()), 1..60),
    ) {
        let mut bench = Bench::new(Sync::No);
        bench.options.segment_bytes = segment_bytes;
        bench.options.entry_bytes_max = entry_bytes_max.max(16);
        let (journal, _) = bench.open(0).unwrap();
        let mut expected = Vec::new();
        for (size, byte, flush) in batches {
            let batch = vec![byte; size];
            let index = journal.append(&batch, 1);
            expected.push((index, batch));
            if flush {
                journal.flush(index).unwrap();
            }
        }
        journal.flush(journal.end()).unwrap();
        prop_assert_eq!(&read_all(&journal, 1, bite), &expected);
        drop(journal);
        prop_assert!(check(&bench.disk, Path::new("/data/journal")).unwrap().is_sound());
        prop_assert_eq!(&read_all(&bench.open(0).unwrap().0, 1, bite), &expected);
        for file in bench.segments() {
            let size = bench.disk.contents(&file).unwrap().len() as u64;
            let record = entry_bytes_max.max(16) as u64 + 52;
            prop_assert!(size <= segment_bytes.max(144 + 65 + record), "{}", size);
        }
    }
}
