//! What the tests share: a connection over RESP2 and over RESP3, to a server that is emptied.

use redis::{Client, Connection, cmd};
use std::time::{Duration, Instant};

/// The dialects, as redis-rs names them in an address.
pub const PROTOCOLS: [&str; 2] = ["resp2", "resp3"];

/// The server of `SERVER_HOST` and `SERVER_PORT`.
pub fn client(protocol: &str) -> Client {
    let variable = |name| std::env::var(name).expect("run.sh HOST PORT sets it");
    let (host, port) = (variable("SERVER_HOST"), variable("SERVER_PORT"));
    Client::open(format!("redis://{host}:{port}/0?protocol={protocol}")).expect("an address")
}

/// Runs a test over RESP2, then over RESP3, each time on an emptied server.
pub fn over_both(test: impl Fn(&Client, &mut Connection)) {
    for protocol in PROTOCOLS {
        let client = client(protocol);
        let mut connection = client.get_connection().expect("a server");
        cmd("FLUSHALL").exec(&mut connection).expect("FLUSHALL");
        test(&client, &mut connection);
    }
}

/// Asks until the answer is yes.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
