//! What idle, stuck and slow clients may cost: memory, told by the kernel.
//!
//! Ten thousand idle connections, then as many that have sent a header and one byte, and a
//! hundred that ask for large values and read nothing. The bounds are the server's promises; that
//! a lying header reserves nothing is what keeps the second one.
#![allow(clippy::unwrap_used)]

use compat_tests::reply::Reply;
use compat_tests::server::{Program, Server};
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const CLIENTS: usize = 10_000;
const KIB: u64 = 1024;

fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * KIB
}

/// Both processes need a descriptor per connection.
fn allow_descriptors() {
    let wanted = CLIENTS as u64 + 1000;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut numbers = line.split_whitespace().skip(3);
    let soft: u64 = numbers.next().unwrap().parse().unwrap();
    if soft >= wanted {
        return;
    }
    let limit = format!("--nofile={wanted}:{}", numbers.next().unwrap());
    let pid = std::process::id().to_string();
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(status.success(), "the limit of open files is {soft}; the test needs {wanted}");
}

/// One test at a time: together they would need more open files than many machines allow.
static ALONE: Mutex<()> = Mutex::new(());

fn server() -> (MutexGuard<'static, ()>, Server) {
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    allow_descriptors();
    (alone, Server::start(Program::bowshock(), &["--maxclients", "20000"]).unwrap())
}

fn connect(server: &Server, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(server.addr()).unwrap()).collect()
}

/// Waits until a field of INFO is at least `wanted`.
fn wait_for(server: &Server, name: &str, wanted: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut client = server.client().unwrap();
    loop {
        let Reply::Bulk(text) = client.command(&["INFO"]).unwrap() else {
            panic!("INFO is no bulk string")
        };
        let text = String::from_utf8(text).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let value: u64 = line.unwrap().parse().unwrap();
        if value >= wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{name} is {value}, wanted {wanted}");
    }
}

#[test]
fn ten_thousand_idle_connections_cost_16_kib_each_at_most() {
    let (_alone, server) = server();
    wait_for(&server, "connected_clients", 1);
    let before = resident(server.pid());
    let clients = connect(&server, CLIENTS);
    wait_for(&server, "connected_clients", CLIENTS as u64);
    let each = resident(server.pid()).saturating_sub(before) / CLIENTS as u64;
    println!("an idle connection costs {each} bytes");
    assert!(each <= 16 * KIB, "{each} bytes for each idle connection");
    drop(clients);
}

#[test]
fn ten_thousand_half_sent_commands_cost_16_kib_each_at_most() {
    let (_alone, server) = server();
    wait_for(&server, "connected_clients", 1);
    let before = resident(server.pid());
    let mut clients = connect(&server, CLIENTS);
    let part = b"*2\r\n$3\r\nGET\r\n$100000\r\nx";
    for client in &mut clients {
        client.write_all(part).unwrap();
    }
    let sent = (part.len() * CLIENTS) as u64;
    wait_for(&server, "total_net_input_bytes", sent);
    let each = resident(server.pid()).saturating_sub(before) / CLIENTS as u64;
    println!("a half-sent command costs {each} bytes");
    assert!(each <= 16 * KIB, "{each} bytes for each half-sent command");
}

#[test]
fn a_hundred_clients_that_never_read_cost_1_1_mib_each_at_most() {
    const SLOW: usize = 100;
    let (_alone, server) = server();
    let mut writer = server.client().unwrap();
    let value = vec![b'v'; 1_000_000];
    assert!(
        !format!("{:?}", writer.command(&[&b"SET"[..], b"big", &value]).unwrap()).contains("ERR")
    );
    let before = resident(server.pid());
    let mut clients = connect(&server, SLOW);
    let requests = b"GET big\r\n".repeat(100);
    for client in &mut clients {
        client.write_all(&requests).unwrap();
    }
    let sent = (requests.len() * SLOW) as u64;
    wait_for(&server, "total_net_input_bytes", sent);
    // The sockets' buffers fill up; what cannot be sent is what counts.
    let mut highest = 0;
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_secs(2) {
        highest = highest.max(resident(server.pid()));
    }
    let each = highest.saturating_sub(before) / SLOW as u64;
    println!("a client that never reads costs {each} bytes");
    assert!(each <= 11 * KIB * KIB / 10, "{each} bytes for each client that never reads");
}
