//! Torn tails are cut, damage is refused.

use super::*;

fn damaged(bench: &Bench) -> (PathBuf, u64) {
    match bench.open(0).map(|_| ()).unwrap_err() {
        OpenError::Damaged { file, offset, .. } => (file, offset),
        other => panic!("{other}"),
    }
}

type Written = (Bench, PathBuf, Vec<u8>, Vec<(u64, Vec<u8>)>);

/// A journal of 20 entries, not closed, and its one segment's bytes.
fn written(sync: bool) -> Written {
    let bench = Bench::new(Sync::No);
    let (journal, _) = bench.open(0).unwrap();
    let mut all = fill(&journal, 10);
    if sync {
        journal.sync_to(10).unwrap();
    }
    all.extend(fill(&journal, 10));
    let file = bench.segments().pop().unwrap();
    let bytes = bench.disk.contents(&file).unwrap();
    (bench, file, bytes, all)
}

const RECORD: usize = 52 + 4 + 53;

#[test]
fn a_tail_torn_at_any_byte_is_cut() {
    for lost in 1..=RECORD {
        let (bench, file, bytes, all) = written(false);
        bench.change(&file, |bytes| bytes.truncate(bytes.len() - lost));
        let (journal, opened) = bench.open(0).unwrap();
        assert_eq!(opened.last.index, 19, "{lost} bytes lost");
        assert_eq!(opened.cut.is_some(), lost < RECORD);
        if let Some(cut) = opened.cut {
            assert_eq!(
                (cut.offset, cut.bytes),
                ((bytes.len() - RECORD) as u64, (RECORD - lost) as u64)
            );
        }
        assert_eq!(read_all(&journal, 1, 1 << 20), all[..19]);
    }
}

#[test]
fn a_bad_byte_anywhere_in_the_last_record_is_cut() {
    for back in 1..=RECORD {
        let (bench, file, ..) = written(false);
        bench.change(&file, |bytes| {
            let at = bytes.len() - back;
            bytes[at] ^= 0x40;
        });
        assert_eq!(bench.open(0).unwrap().1.last.index, 19);
    }
}

#[test]
fn a_flipped_byte_with_records_behind_it_is_refused_in_the_same_boot() {
    let (_, _, bytes, _) = written(false);
    for at in (144..bytes.len() - RECORD).step_by(17) {
        let (bench, file, bytes, _) = written(false);
        bench.change(&file, |bytes| bytes[at] ^= 1);
        let (named, offset) = damaged(&bench);
        assert_eq!(named, file);
        assert!(offset <= at as u64 && offset + RECORD as u64 > at as u64, "{offset} for {at}");
        assert!(bytes.len() as u64 > offset);
        let report = check(&bench.disk, Path::new("/data/journal")).unwrap();
        assert_eq!(report.segments[0].damage.as_ref().unwrap().0, offset);
        assert!(!report.is_sound());
    }
}

#[test]
fn after_a_power_cut_what_was_known_to_be_synced_is_refused_and_the_rest_is_cut() {
    for (entry, is_refused) in [(3, true), (10, true), (11, false), (15, false)] {
        let (bench, file, bytes, _) = written(true);
        let at = bytes.len() - (20 - entry) * RECORD - 1;
        bench.change(&file, |bytes| bytes[at] ^= 1);
        bench.disk.crash(CrashMode::Drop, 0);
        if is_refused {
            assert_eq!(damaged(&bench).0, file);
        } else {
            let (journal, opened) = bench.open(0).unwrap();
            assert_eq!(opened.last.index, entry as u64 - 1);
            assert_eq!(read_all(&journal, 1, 1 << 20).len(), entry - 1);
        }
    }
}

#[test]
fn after_a_clean_close_nothing_is_cut() {
    let (bench, file, ..) = written(false);
    let (journal, _) = bench.open(0).unwrap();
    fill(&journal, 3);
    journal.close().unwrap();
    let last = bench.segments().pop().unwrap();
    assert_ne!(last, file);
    let whole = bench.disk.contents(&last).unwrap();
    for lost in [1, RECORD, 3 * RECORD] {
        bench.disk.plant(&last, &whole[..whole.len() - lost]);
        let (named, offset) = damaged(&bench);
        assert_eq!((named, offset <= (whole.len() - lost) as u64), (last.clone(), true));
    }
    bench.disk.plant(&last, &whole);
    assert_eq!(bench.open(0).unwrap().1.last.index, 23);
}

#[test]
fn a_missing_or_torn_earlier_segment_is_refused() {
    for remove in [true, false] {
        let mut bench = Bench::new(Sync::No);
        bench.options.segment_bytes = 1000;
        let (journal, _) = bench.open(0).unwrap();
        fill(&journal, 50);
        drop(journal);
        let files = bench.segments();
        if remove {
            bench.disk.remove(&files[2]).unwrap();
            assert_eq!(damaged(&bench), (files[3].clone(), 0));
        } else {
            bench.change(&files[2], |bytes| bytes.truncate(bytes.len() - 1));
            assert_eq!(damaged(&bench).0, files[2]);
        }
    }
}

#[test]
fn records_pass_only_at_their_own_place() {
    let (bench, file, ..) = written(false);
    bench.change(&file, |bytes| {
        let at = bytes.len() - RECORD;
        let stale = bytes[at - RECORD..at].to_vec();
        bytes[at..].copy_from_slice(&stale);
    });
    assert_eq!(bench.open(0).unwrap().1.last.index, 19);
}

#[test]
fn foreign_and_newer_files_are_named() {
    let (mut bench, file, bytes, _) = written(false);
    bench.change(&file, |bytes| bytes[0] = b'X');
    let error = bench.open(0).map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { file: named, .. } if *named == file), "{error}");
    bench.disk.plant(&file, &bytes);
    bench.change(&file, |bytes| bytes[8] = 9);
    let error = bench.open(0).map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { version: 9, .. }), "{error}");
    bench.disk.plant(&file, &bytes);
    bench.options.cluster_id = 78;
    let error = bench.open(0).map(|_| ()).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { .. }), "{error}");
}
