//! Replays every file of `scripts/` on redis-server and on Bowshock.
//!
//! `COMPAT_SCRIPT=name` runs the scripts whose name contains it; `COMPAT_REWRITE=1` writes the
//! replies of redis-server into the files; `BOWSHOCK_BASE=rocksdb` runs Bowshock on its base.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::PathBuf;

use compat_tests::script::Script;
use compat_tests::server::{Program, Server};

fn scripts() -> Vec<PathBuf> {
    // Tests run in their package's directory.
    let folder = "scripts";
    let wanted = std::env::var("COMPAT_SCRIPT").unwrap_or_default();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(&wanted))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "no script matches {wanted:?}");
    paths
}

fn replay_all(program: Program) {
    let mut failures = String::new();
    let mut steps = 0;
    for path in scripts() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let script = Script::parse(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        steps += script.steps();
        let server = Server::start(program, &[]).unwrap_or_else(|error| panic!("{error}"));
        match script.run(server.addr()) {
            Ok(differences) if differences.is_empty() => {}
            Ok(differences) => {
                failures += &format!("\n{name}: {} replies differ\n", differences.len());
                for difference in &differences {
                    failures += &difference.to_string();
                }
            }
            Err(error) => failures += &format!("\n{name}: {error}\n{}", server.output()),
        }
    }
    assert!(failures.is_empty(), "{program:?} (- expected, + got):\n{failures}");
    println!("{program:?}: {steps} replies as expected");
}

#[test]
fn redis_answers_as_written() {
    if std::env::var_os("COMPAT_REWRITE").is_none() {
        return replay_all(Program::Redis);
    }
    let mut failures = String::new();
    for path in scripts() {
        let script = Script::parse(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let server = Server::start(Program::Redis, &[]).unwrap();
        match script.rewrite(server.addr()) {
            Ok(text) => std::fs::write(&path, text).unwrap(),
            Err(error) => failures += &format!("{}: {error}\n", path.display()),
        }
    }
    assert!(failures.is_empty(), "not rewritten:\n{failures}");
}

#[test]
fn bowshock_answers_as_written() {
    if std::env::var_os("COMPAT_REWRITE").is_none() {
        replay_all(Program::bowshock());
    }
}
