//! The pages over a real socket.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

/// Status line, head and body of one request.
fn ask(http: &Http, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(http.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_process_is_alive_first_and_ready_later() {
    let http = Http::start("127.0.0.1:0").unwrap();
    assert!(ask(&http, "GET", "/health").starts_with("HTTP/1.1 200 "));
    assert!(ask(&http, "GET", "/ready").starts_with("HTTP/1.1 503 "));
    assert!(ask(&http, "GET", "/metrics").starts_with("HTTP/1.1 503 "));
    let ready = Arc::new(AtomicBool::new(true));
    let asked = ready.clone();
    http.serve(Pages {
        metrics: Box::new(|| "bowshock_answer 42\n".into()),
        is_ready: Box::new(move || asked.load(Ordering::Relaxed)),
    });
    assert!(ask(&http, "GET", "/ready").starts_with("HTTP/1.1 200 "));
    let metrics = ask(&http, "GET", "/metrics");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4"), "{metrics}");
    assert!(metrics.ends_with("\r\n\r\nbowshock_answer 42\n"), "{metrics}");
    ready.store(false, Ordering::Relaxed);
    assert!(ask(&http, "GET", "/ready").starts_with("HTTP/1.1 503 "));
    assert!(ask(&http, "GET", "/health").starts_with("HTTP/1.1 200 "));
}

#[test]
fn other_paths_and_methods_are_refused() {
    let http = Http::start("127.0.0.1:0").unwrap();
    assert!(ask(&http, "GET", "/").starts_with("HTTP/1.1 404 "));
    let refused = ask(&http, "POST", "/health");
    assert!(refused.starts_with("HTTP/1.1 405 ") && refused.contains("allow: GET"), "{refused}");
    let head = ask(&http, "HEAD", "/health");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn a_taken_port_names_the_key() {
    let http = Http::start("127.0.0.1:0").unwrap();
    let error = Http::start(&http.addr().to_string()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("choose another --http"), "{error}");
}
