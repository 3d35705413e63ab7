//! Under `appendfsync always` no reply leaves before its sync: read from the system calls.
//!
//! The server runs under strace while one client sends one SET at a time. For each of them the
//! trace must show, in this order and without overlap: the request is read, the journal is
//! written, an `fdatasync` (or `fsync`) of that journal file begins and returns 0, the reply is
//! written to the client's socket.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use compat_tests::server::{Program, Server};

const SETS: usize = 200;
const CALLS: &str = "trace=fdatasync,fsync,write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,\
                     recvfrom,recvmsg,read,readv";

/// strace rounds to microseconds: one call may seem to end after the next began.
const ROUNDING_SECONDS: f64 = 2e-6;

/// One finished system call.
#[derive(Debug)]
struct Call {
    begin: f64,
    end: f64,
    name: String,
    /// What `-yy` says about the first argument's descriptor.
    file: String,
    line: String,
    result: i64,
}

impl Call {
    fn ends_before(&self, other: &Call) -> bool {
        self.end <= other.begin + ROUNDING_SECONDS
    }
}

/// strace on a process; ended when dropped.
struct Strace {
    child: Child,
    path: std::path::PathBuf,
}

impl Strace {
    fn attach(pid: u32, path: std::path::PathBuf) -> Strace {
        let mut child = Command::new("strace")
            .args(["-f", "-ttt", "-T", "-yy", "-s", "128", "-e", CALLS, "-o"])
            .arg(&path)
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is needed for this test");
        let mut said = String::new();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        while !said.contains("attached") {
            assert!(reader.read_line(&mut said).unwrap() > 0, "strace could not attach: {said}");
        }
        // It goes on to write there for every new thread; nobody has to read that.
        std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
        Strace { child, path }
    }

    /// Detaches and returns all calls, ordered by their begin.
    fn finish(mut self) -> Vec<Call> {
        Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap();
        parse(&std::fs::read_to_string(&self.path).unwrap())
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Parses lines like `12 1700000000.1 write(7</x/journal/1.seg>, "..", 5) = 5 <0.00001>`, and joins
/// `<unfinished ...>` with `<... write resumed>`.
fn parse(text: &str) -> Vec<Call> {
    let mut open: HashMap<String, (f64, String)> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(pid), Some(time)) = (words.next(), words.next()) else { continue };
        let Ok(time) = time.parse::<f64>() else { continue };
        let rest = line.split_once(&format!("{time:.6} ")).map_or("", |(_, rest)| rest).trim();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            open.insert(pid.to_owned(), (time, head.to_owned()));
        } else if rest.starts_with("<... ") {
            if let Some((begin, head)) = open.remove(pid) {
                let tail = rest.split_once("resumed>").map_or("", |(_, tail)| tail);
                calls.extend(finished(begin, Some(time), &format!("{head}{tail}")));
            }
        } else {
            calls.extend(finished(time, None, rest));
        }
    }
    calls.sort_by(|a, b| a.begin.total_cmp(&b.begin));
    calls
}

fn finished(begin: f64, resumed: Option<f64>, text: &str) -> Option<Call> {
    let (name, arguments) = text.split_once('(')?;
    let (_, result) = text.rsplit_once(" = ")?;
    let result: i64 = result.split_whitespace().next()?.parse().ok()?;
    let took: f64 = text.rsplit_once('<')?.1.strip_suffix('>')?.parse().ok()?;
    let file = arguments.split_once('<').map_or("", |(_, file)| file);
    // The descriptor's name ends at ">," or ">)", or at "> " before an interruption; a socket's has
    // "->" inside.
    let end = [">,", ">)", "> "].iter().filter_map(|mark| file.find(mark)).min().unwrap_or(0);
    Some(Call {
        begin,
        end: resumed.unwrap_or(begin).max(begin + took),
        name: name.to_owned(),
        file: file[..end].to_owned(),
        line: text.to_owned(),
        result,
    })
}

#[test]
fn no_reply_leaves_before_its_sync() {
    let server = Server::start(Program::BowshockRocksdb, &["--appendfsync", "always"])
        .unwrap_or_else(|error| panic!("{error}"));
    let mut client = server.client().unwrap();
    client.command(&["SET", "before", "the trace"]).unwrap();
    let home = compat_tests::server::TempDir::new().unwrap();
    let strace = Strace::attach(server.pid(), home.path().join("trace"));
    for at in 0..SETS {
        let reply = client.command(&["SET", "key", &format!("value-{at}-end")]).unwrap();
        assert_eq!(reply.render(), "OK");
    }
    let calls = strace.finish();
    for at in 0..SETS {
        check(&calls, &format!("value-{at}-end"))
            .unwrap_or_else(|error| panic!("SET {at}: {error}"));
    }
}

/// Checks the order of calls for the request that carries `marker`.
fn check(calls: &[Call], marker: &str) -> Result<(), String> {
    let is_socket = |call: &Call| call.file.contains("TCP") || call.file.contains("socket");
    let is_journal = |call: &Call| call.file.contains("/journal/");
    let writes = |call: &Call| {
        ["write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg"]
            .contains(&call.name.as_str())
    };
    let request = calls
        .iter()
        .find(|call| is_socket(call) && !writes(call) && call.line.contains(marker))
        .ok_or("the request is not in the trace")?;
    let reply = calls
        .iter()
        .find(|call| {
            request.ends_before(call)
                && is_socket(call)
                && call.file == request.file
                && writes(call)
                && call.line.contains("+OK")
        })
        .ok_or("the reply is not in the trace")?;
    let write = calls
        .iter()
        .find(|call| request.ends_before(call) && is_journal(call) && writes(call))
        .filter(|write| write.ends_before(reply) && write.result > 0)
        .ok_or("the journal is not written between request and reply")?;
    let synced = calls.iter().any(|call| {
        ["fdatasync", "fsync"].contains(&call.name.as_str())
            && call.file == write.file
            && call.result == 0
            && write.ends_before(call)
            && call.ends_before(reply)
    });
    if synced {
        return Ok(());
    }
    let between: Vec<String> = calls
        .iter()
        .filter(|call| call.begin >= request.begin && call.begin <= reply.end)
        .map(|call| format!("{:.6}-{:.6} {}", call.begin, call.end, call.line))
        .collect();
    Err(format!("no sync of {} returned before the reply:\n{}", write.file, between.join("\n")))
}

#[test]
fn the_trace_is_read_correctly() {
    let good = "\
1 10.000001 recvfrom(9<TCP:[1->2]>, \"SET key v-1-end\", 99) = 15 <0.000010>
1 10.000100 write(7</d/journal/1.seg>, \"x\", 1) = 1 <0.000010>
2 10.000200 fdatasync(7</d/journal/1.seg> <unfinished ...>
1 10.000210 write(3<anon_inode:[eventfd]>, \"1\", 8) = 8 <0.000010>
2 10.000300 <... fdatasync resumed>) = 0 <0.000100>
1 10.000400 sendto(9<TCP:[1->2]>, \"+OK\\r\\n\", 5, 0, NULL, 0) = 5 <0.000010>
";
    check(&parse(good), "v-1-end").unwrap();
    let early = good.replace("10.000400", "10.000250");
    assert!(check(&parse(&early), "v-1-end").is_err(), "a reply during the sync is too early");
    let other = good.replace("fdatasync(7</d/journal/1.seg>", "fdatasync(8</d/base/1.sst>");
    assert!(check(&parse(&other), "v-1-end").is_err(), "a sync of another file says nothing");
    let failed = good.replace(") = 0 <0.000100>", ") = -1 EIO <0.000100>");
    assert!(check(&parse(&failed), "v-1-end").is_err(), "a sync that failed says nothing");
}
