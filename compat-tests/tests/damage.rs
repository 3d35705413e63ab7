//! Damaged data directories: each start either ends with one clear line that names the file and a
//! remedy, or repairs and says what it cut. Never a panic, never silence, and nothing that was
//! acknowledged is lost without a word.
//!
//! The damage is done to a directory that a Bowshock has really written: 3,000 strings and 50 hashes,
//! fed into the base by SAVE, and 500 more that are in the journal only.
//!
//! Three tests mount a small file system and one starts the server as another user; they need
//! root, which CI has, and say so when they have not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use compat_tests::server::{Ended, Program, Server, Start, TempDir, try_start};

const FED: usize = 3_000;
const JOURNALED: usize = 500;
/// Somebody who owns nothing here.
const NOBODY: &str = "65534";
const PROGRAM: Program = Program::BowshockRocksdb;

/// A written directory, ended without a clean shutdown.
struct Fixture {
    dir: PathBuf,
    /// Holds the directory.
    _home: TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let server = Server::start(PROGRAM, &[]).unwrap_or_else(|error| panic!("{error}"));
        let mut client = server.client().unwrap();
        let write = |client: &mut compat_tests::client::Client, from: usize, to: usize| {
            for at in from..to {
                client.queue(&[
                    "SET",
                    &format!("key:{at}"),
                    &format!("value:{at}:{}", "x".repeat(100)),
                ]);
                client.queue(&["HSET", &format!("hash:{}", at % 50), &at.to_string(), "v"]);
            }
            client.flush().unwrap();
            for _ in from..to {
                assert!(!client.receive().unwrap().is_error());
                assert!(!client.receive().unwrap().is_error());
            }
        };
        write(&mut client, 0, FED);
        // SAVE feeds the base up to here before it answers (C22).
        assert!(!client.command(&["SAVE"]).unwrap().is_error());
        // In ten acknowledged steps, so that the journal has entries before and behind a damage.
        for step in 0..10 {
            let from = FED + step * JOURNALED / 10;
            write(&mut client, from, from + JOURNALED / 10);
        }
        let (dir, home) = server.into_dir().unwrap();
        Fixture { dir, _home: home }
    }

    /// The largest file with this ending in a folder of the directory.
    fn file(&self, folder: &str, ending: &str) -> PathBuf {
        let files = fs::read_dir(self.dir.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        files
            .filter(|path| path.to_string_lossy().ends_with(ending))
            .max_by_key(|path| fs::metadata(path).unwrap().len())
            .unwrap_or_else(|| panic!("no *{ending} in {folder}"))
    }

    /// The journal segment that holds this text last; else the newest one.
    fn segment(&self, text: &str) -> PathBuf {
        let files =
            fs::read_dir(self.dir.join("journal")).unwrap().map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|end| end == "seg")).collect();
        paths.sort();
        let holds = |path: &&PathBuf| find_last(&fs::read(path).unwrap(), text).is_some();
        let path = paths.iter().rfind(holds).or(paths.last());
        path.expect("a journal has segments").clone()
    }

    fn start(&self) -> Start {
        try_start(PROGRAM, &self.dir, &[]).unwrap_or_else(|error| panic!("{error}"))
    }

    fn expect_refusal(&self, names: &Path) {
        match self.start() {
            Start::Refused(ended) => check_refusal(&ended, names),
            Start::Serves(server) => panic!("it serves:\n{}", server.output()),
        }
    }
}

/// A refusal has an exit code, no panic, and a last word that names the file and says what to do.
fn check_refusal(ended: &Ended, names: &Path) {
    let output = &ended.output;
    assert!(!ended.status.success(), "exit code 0:\n{output}");
    assert!(ended.status.code().is_some(), "ended by a signal ({}):\n{output}", ended.status);
    assert!(!output.contains("panicked at"), "{output}");
    let name = match names.is_dir() {
        true => names.to_string_lossy(),
        false => names.file_name().unwrap().to_string_lossy(),
    };
    let line = output.lines().find(|line| line.contains(&*name) && has_remedy(line));
    assert!(line.is_some(), "no line names {name} and a remedy:\n{output}");
}

/// A remedy tells the reader to do something.
fn has_remedy(line: &str) -> bool {
    const WORDS: [&str; 21] = [
        "restore",
        "run ",
        "remove",
        "delete",
        "move ",
        "choose",
        "use another",
        "use a ",
        "give",
        "stop ",
        "start bowshock",
        "start it",
        "start a newer",
        "check ",
        "grant",
        "chown",
        "free ",
        "remount",
        "make ",
        "upgrade",
        "set ",
    ];
    let line = line.to_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

/// Where `text` begins in `bytes` for the last time.
fn find_last(bytes: &[u8], text: &str) -> Option<usize> {
    bytes.windows(text.len()).rposition(|part| part == text.as_bytes())
}

fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(at).unwrap()] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

fn get(server: &Server, at: usize) -> String {
    server.client().unwrap().command(&["GET", &format!("key:{at}")]).unwrap().render()
}

fn value(at: usize) -> String {
    format!("\"value:{at}:{}\"", "x".repeat(100))
}

/// Where the journal's bytes end: preallocated zeros behind them are no content.
fn written_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)
}

#[test]
fn an_undamaged_directory_serves_everything() {
    let fixture = Fixture::new();
    match fixture.start() {
        Start::Serves(server) => {
            for at in [0, 1, FED - 1, FED, FED + JOURNALED - 1] {
                assert_eq!(get(&server, at), value(at));
            }
        }
        Start::Refused(ended) => panic!("{ended:?}"),
    }
}

#[test]
fn a_flipped_byte_in_the_middle_of_the_journal_is_refused() {
    let fixture = Fixture::new();
    // Among the last entries, which are not in the base yet, but with entries behind it.
    let text = format!("value:{}:", FED + JOURNALED / 2);
    let path = fixture.segment(&text);
    let mut bytes = fs::read(&path).unwrap();
    let middle = written_end(&bytes) - written_end(&bytes) / 20;
    let at = find_last(&bytes, &text).unwrap_or(middle);
    bytes[at] ^= 0x01;
    fs::write(&path, bytes).unwrap();
    fixture.expect_refusal(&path);
}

#[test]
fn a_torn_journal_tail_is_cut_and_reported() {
    let fixture = Fixture::new();
    let path = fixture.segment(&format!("value:{}:", FED + JOURNALED - 1));
    let mut bytes = fs::read(&path).unwrap();
    let end = written_end(&bytes);
    bytes.truncate(end - 5);
    fs::write(&path, bytes).unwrap();
    match fixture.start() {
        Start::Serves(server) => {
            let output = server.output();
            assert!(!output.contains("panicked at"), "{output}");
            let name = path.file_name().unwrap().to_string_lossy();
            let said = |line: &&str| {
                let small = line.to_lowercase();
                line.contains(&*name)
                    && ["cut", "torn", "truncat"].iter().any(|w| small.contains(w))
            };
            assert!(output.lines().any(|line| said(&line)), "nothing said of the cut:\n{output}");
            // Only what was torn is gone.
            assert_eq!(get(&server, 0), value(0));
            assert_eq!(get(&server, FED), value(FED));
        }
        Start::Refused(ended) => panic!("{ended:?}"),
    }
}

#[test]
fn a_missing_base_file_is_refused() {
    let fixture = Fixture::new();
    let path = fixture.file("base", ".sst");
    fs::remove_file(&path).unwrap();
    fixture.expect_refusal(&path);
}

/// A block is read when it is needed, so the damage is found at the start or at the read; either
/// way it is said, and no wrong value is served.
#[test]
fn a_flipped_byte_in_a_base_file_is_never_served() {
    let fixture = Fixture::new();
    let path = fixture.file("base", ".sst");
    flip(&path, length(&path) / 3);
    match fixture.start() {
        Start::Refused(ended) => check_refusal(&ended, &path),
        Start::Serves(server) => {
            let mut errors = 0;
            let mut client = server.client().unwrap();
            for at in 0..FED {
                let reply = client.command(&["GET", &format!("key:{at}")]).unwrap();
                if reply.is_error() {
                    errors += 1;
                } else {
                    assert_eq!(reply.render(), value(at), "key:{at}");
                }
            }
            for at in 0..50 {
                errors += usize::from(
                    client.command(&["HLEN", &format!("hash:{at}")]).unwrap().is_error(),
                );
            }
            let output = server.output();
            assert!(!output.contains("panicked at"), "{output}");
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(errors > 0 || output.contains(&*name), "the damage went unnoticed:\n{output}");
        }
    }
}

#[test]
fn a_foreign_directory_is_refused_and_left_alone() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("letter.txt"), "not a database").unwrap();
    fs::create_dir(home.path().join("photos")).unwrap();
    match try_start(PROGRAM, home.path(), &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Refused(ended) => check_refusal(&ended, home.path()),
        Start::Serves(server) => panic!("it serves:\n{}", server.output()),
    }
    let mut names: Vec<String> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "LOCK")
        .collect();
    names.sort();
    assert_eq!(names, ["letter.txt", "photos"]);
}

#[test]
fn a_newer_format_is_refused() {
    let fixture = Fixture::new();
    let path = fixture.dir.join("IDENTITY");
    let mut bytes = fs::read(&path).unwrap();
    // The format's number stands behind the eight bytes that say what the file is.
    assert_eq!(&bytes[..8], b"BOWSIDNT");
    bytes[8] = 99;
    fs::write(&path, bytes).unwrap();
    fixture.expect_refusal(&path);
}

#[test]
fn a_missing_identity_is_refused() {
    let fixture = Fixture::new();
    let path = fixture.dir.join("IDENTITY");
    fs::remove_file(&path).unwrap();
    fixture.expect_refusal(&path);
}

#[test]
fn no_permission_is_refused() {
    let fixture = Fixture::new();
    fs::set_permissions(&fixture.dir, fs::Permissions::from_mode(0o700)).unwrap();
    // Root may read anything, so the server is started as somebody else.
    let wrapper = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    // That user needs a copy of the program in a place it may read.
    let bin = TempDir::new().unwrap();
    fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let readable = bin.path().join("bowshock");
    fs::copy(PROGRAM.executable().unwrap_or_else(|error| panic!("{error}")), &readable).unwrap();
    let readable = readable.to_string_lossy().into_owned();
    let wrapper: Vec<&str> = wrapper
        .iter()
        .copied()
        .chain(["sh", "-c", "shift; exec \"$0\" \"$@\"", &readable])
        .collect();
    match try_start(PROGRAM, &fixture.dir, &wrapper).unwrap_or_else(|error| panic!("{error}")) {
        Start::Refused(ended) => check_refusal(&ended, &fixture.dir),
        Start::Serves(server) => panic!("it serves:\n{}", server.output()),
    }
}

#[test]
fn a_second_process_is_refused_and_the_first_goes_on() {
    let server = Server::start(PROGRAM, &[]).unwrap_or_else(|error| panic!("{error}"));
    let mut client = server.client().unwrap();
    client.command(&["SET", "k", "v"]).unwrap();
    match try_start(PROGRAM, server.dir(), &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Refused(ended) => check_refusal(&ended, server.dir()),
        Start::Serves(second) => panic!("it serves:\n{}", second.output()),
    }
    assert_eq!(client.command(&["SET", "k", "w"]).unwrap().render(), "OK");
}

/// A file system in memory, mounted on a directory; unmounted when dropped.
struct Mount {
    at: TempDir,
}

impl Mount {
    fn new(size: &str) -> Mount {
        let at = TempDir::new().unwrap();
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], at.path());
        Mount { at }
    }

    fn remount(&self, options: &str) {
        run("mount", &["-o", &format!("remount,{options}")], self.at.path());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, since a server that is being killed may still have files open.
        _ = Command::new("umount").arg("-l").arg(self.at.path()).status();
    }
}

fn run(program: &str, args: &[&str], path: &Path) {
    let status = Command::new(program).args(args).arg(path).status().unwrap();
    assert!(status.success(), "{program} {args:?}: {status} (this test needs root)");
}

/// Writes are refused with a clear error before the disk is full, reads go on, and after a restart
/// everything that was acknowledged is there.
#[test]
fn a_full_disk_refuses_writes_and_loses_none() {
    let mount = Mount::new("8m");
    let dir = mount.at.path().join("data");
    fs::create_dir(&dir).unwrap();
    let mut server = match try_start(PROGRAM, &dir, &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Serves(server) => server,
        // Eight megabytes may be too little to begin with: then it says so.
        Start::Refused(ended) => return check_refusal(&ended, &dir),
    };
    let mut client = server.client().unwrap();
    let value = "x".repeat(10_000);
    let mut acknowledged = Vec::new();
    let refusal = (0..5_000).find_map(|at| {
        let key = format!("key:{at}");
        let reply = client
            .command(&["SET", &key, &value])
            .unwrap_or_else(|error| panic!("the server went away ({error}):\n{}", server.output()));
        if reply.is_error() {
            return Some(reply.render());
        }
        acknowledged.push(key);
        None
    });
    let refusal = refusal.expect("50 MB went into 8 MB");
    assert!(refusal.contains("MISCONF") && refusal.contains("disk"), "{refusal}");
    if let Some(key) = acknowledged.first() {
        assert_eq!(client.command(&["STRLEN", key]).unwrap().integer(), Some(10_000));
    }
    assert!(!server.output().contains("panicked at"), "{}", server.output());
    server.restart().unwrap_or_else(|error| panic!("{error}"));
    let mut client = server.client().unwrap();
    for key in &acknowledged {
        assert_eq!(client.command(&["STRLEN", key]).unwrap().integer(), Some(10_000), "{key}");
    }
}

#[test]
fn a_start_on_a_full_disk_says_so() {
    let mount = Mount::new("8m");
    let dir = mount.at.path().join("data");
    fs::create_dir(&dir).unwrap();
    let filler = mount.at.path().join("filler");
    // Fills up to the last byte; the error is the goal.
    _ = fs::write(&filler, vec![1; 9 << 20]);
    match try_start(PROGRAM, &dir, &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Refused(ended) => check_refusal(&ended, &dir),
        Start::Serves(server) => {
            // It may serve reads, if it refuses writes.
            let reply = server.client().unwrap().command(&["SET", "k", "v"]).unwrap().render();
            assert!(reply.contains("MISCONF") && reply.contains("disk"), "{reply}");
        }
    }
}

#[test]
fn a_read_only_disk_is_refused() {
    let mount = Mount::new("64m");
    let dir = mount.at.path().join("data");
    fs::create_dir(&dir).unwrap();
    match try_start(PROGRAM, &dir, &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Serves(mut server) => {
            server.client().unwrap().command(&["SET", "k", "v"]).unwrap();
            server.kill9().unwrap();
        }
        Start::Refused(ended) => panic!("{ended:?}"),
    }
    mount.remount("ro");
    match try_start(PROGRAM, &dir, &[]).unwrap_or_else(|error| panic!("{error}")) {
        Start::Refused(ended) => check_refusal(&ended, &dir),
        Start::Serves(server) => panic!("it serves:\n{}", server.output()),
    }
}

/// A refusal comes at once: nobody waits for a supervisor's timeout to learn of a damage.
#[test]
fn a_refusal_is_quick() {
    let fixture = Fixture::new();
    fs::remove_file(fixture.dir.join("IDENTITY")).unwrap();
    let start = Instant::now();
    assert!(matches!(fixture.start(), Start::Refused(_)));
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
