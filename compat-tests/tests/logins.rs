//! Failed logins slow down the next ones from their address, and nobody who is logged in.
#![allow(clippy::unwrap_used)]

use compat_tests::client::Client;
use compat_tests::reply::Reply;
use compat_tests::server::{Program, Server};
use std::time::{Duration, Instant};

const WRONG: &str = "WRONGPASS invalid username-password pair or user is disabled.";

/// The server counts in whole milliseconds.
fn at_least(waited: Duration, ms: u64) {
    assert!(
        waited + Duration::from_millis(1) >= Duration::from_millis(ms),
        "{waited:?} of {ms} ms"
    );
}

fn fail(client: &mut Client, args: &[&str]) -> Duration {
    let begun = Instant::now();
    assert_eq!(client.command(args).unwrap(), Reply::Error(WRONG.into()));
    begun.elapsed()
}

#[test]
fn guessing_gets_slower_and_others_do_not_wait() {
    let server = Server::start(Program::bowshock(), &["--requirepass", "secret"]).unwrap();
    let mut user = server.client().unwrap();
    assert_eq!(user.command(&["AUTH", "secret"]).unwrap(), Reply::Simple("OK".into()));
    let mut guesser = server.client().unwrap();
    for _ in 0..3 {
        fail(&mut guesser, &["AUTH", "guess"]);
    }
    // On another connection too, and by HELLO.
    let mut guesser = server.client().unwrap();
    at_least(fail(&mut guesser, &["AUTH", "guess"]), 100);
    let hello = ["HELLO", "3", "AUTH", "default", "guess"];
    at_least(fail(&mut guesser, &hello), 200);
    at_least(fail(&mut guesser, &["AUTH", "guess"]), 400);
    let guessing = std::thread::spawn(move || {
        fail(&mut guesser, &["AUTH", "guess"]);
        Instant::now()
    });
    for command in [&["SET", "k", "v"][..], &["AUTH", "secret"]] {
        assert_eq!(user.command(command).unwrap(), Reply::Simple("OK".into()));
    }
    let served = Instant::now();
    assert!(guessing.join().unwrap() > served);
}

#[test]
fn a_success_forgets_and_the_delay_can_be_switched_off() {
    let server = Server::start(Program::bowshock(), &["--requirepass", "secret"]).unwrap();
    let mut client = server.client().unwrap();
    for _ in 0..5 {
        fail(&mut client, &["AUTH", "guess"]);
    }
    let begun = Instant::now();
    assert_eq!(client.command(&["AUTH", "secret"]).unwrap(), Reply::Simple("OK".into()));
    // The right one waits like a wrong one.
    at_least(begun.elapsed(), 400);
    let mut other = server.client().unwrap();
    assert!(fail(&mut other, &["AUTH", "guess"]) < Duration::from_millis(400));
    let off = ["CONFIG", "SET", "login-delay-max", "0"];
    assert_eq!(client.command(&off).unwrap(), Reply::Simple("OK".into()));
    let begun = Instant::now();
    for _ in 0..10 {
        fail(&mut other, &["AUTH", "guess"]);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "ten would have waited longer");
}
