//! Listening sockets, and which core gets a connection.

use super::inbox::{Inbox, Message};
use crate::node::Node;
use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The sockets clients connect to.
pub struct Listeners(pub Vec<std::net::TcpListener>);

/// Opens a listening socket for each address that `hosts` name (space separated, a leading `-`
/// makes one optional). An error names the key to change.
pub fn bind(hosts: &str, port: u16, backlog: i32) -> Result<Listeners> {
    let mut all = Vec::new();
    for host in hosts.split_whitespace() {
        let (optional, name) = match host.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, host),
        };
        let name = match name {
            "*" => "0.0.0.0",
            "::*" => "::",
            name => name,
        };
        match listen(name, port, backlog) {
            Ok(listener) => all.push(listener),
            Err(error) if optional => tracing::debug!("not listening on {name}: {error:#}"),
            Err(error) => return Err(error),
        }
    }
    anyhow::ensure!(!all.is_empty(), "no address to listen on: bind is '{hosts}'");
    Ok(Listeners(all))
}

fn listen(host: &str, port: u16, backlog: i32) -> Result<std::net::TcpListener> {
    let advice = || format!("cannot listen on {host} port {port}: choose another --port or --bind");
    let addr: SocketAddr =
        (host, port).to_socket_addrs().with_context(advice)?.next().with_context(advice)?;
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into()).with_context(advice)?;
    socket.listen(backlog).with_context(advice)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Accepts connections of one listener for ever and hands each to the core with the fewest.
pub async fn accept(
    node: &'static Node,
    listener: std::net::TcpListener,
    load: Arc<[AtomicUsize]>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("cannot watch a listening socket: {error}"),
    };
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors: wait for one to be closed instead of spinning.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(socket) = stream.into_std() else { continue };
        if node.stopping.load(Ordering::Relaxed) {
            return;
        }
        if let Some(refusal) = refusal(node, peer) {
            node.counters.refused_connections.fetch_add(1, Ordering::Relaxed);
            // A refusal fits into any socket buffer; if not, the close says enough.
            let _ = (&socket).write(refusal.as_bytes());
            continue;
        }
        let _ = socket.set_nodelay(true);
        node.counters.connections.fetch_add(1, Ordering::Relaxed);
        let fewest = load.iter().enumerate().min_by_key(|(_, count)| count.load(Ordering::Relaxed));
        let Some((core, count)) = fewest else { return };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(inbox) = node.inboxes.get(core) {
            Inbox::send(inbox, Message::Accepted { socket, peer });
        }
    }
}

/// Why a connection is not taken; else a place is reserved for it.
fn refusal(node: &Node, peer: SocketAddr) -> Option<&'static str> {
    if node.config.protects() && !peer.ip().to_canonical().is_loopback() {
        return Some(PROTECTED);
    }
    let reserved = node.clients.reserve(node.config.maxclients());
    (!reserved).then_some("-ERR max number of clients reached\r\n")
}

const PROTECTED: &str = "-DENIED Bowshock is running in protected mode because protected mode is \
enabled and no password is set for the default user. In this mode connections are only accepted \
from the loopback interface. If you want to connect from external computers, you may adopt one of \
the following solutions: 1) Disable protected mode by sending the command 'CONFIG SET \
protected-mode no' from the loopback interface by connecting from the same host the server is \
running. 2) Set a password for the default user with 'CONFIG SET requirepass'. NOTE: You only need \
to do one of the above things in order for the server to start accepting connections from the \
outside.\r\n";
