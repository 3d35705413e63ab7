//! Connections to one core of a rig.

use super::*;
use crate::net::Message;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

/// A core that serves until it is dropped.
pub struct Wire {
    node: &'static Node,
    core: Option<JoinHandle<()>>,
}

pub struct WireClient(pub TcpStream);

impl Wire {
    pub fn serve(rig: &Rig) -> Wire {
        let node = rig.node;
        let core = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let load = Arc::new([AtomicUsize::new(0)]);
                Core::new(node, 0, node.inboxes[0].clone(), load).run_until_stopped().await;
            });
        });
        Wire { node, core: Some(core) }
    }

    pub fn client(&self) -> WireClient {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, peer) = listener.accept().unwrap();
        socket.set_nonblocking(true).unwrap();
        assert!(self.node.clients.reserve(usize::MAX));
        Inbox::send(&self.node.inboxes[0], Message::Accepted { socket, peer });
        WireClient(client)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.node.inboxes[0].send(Message::Stop);
        let ended = self.core.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

impl WireClient {
    /// Sends `request` and returns what comes back until it ends with `last`.
    pub fn talk(&mut self, request: &str, last: &str) -> String {
        self.0.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        let mut buffer = [0; 4096];
        while !reply.ends_with(last.as_bytes()) {
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "closed after {}", String::from_utf8_lossy(&reply));
            reply.extend_from_slice(&buffer[..read]);
        }
        String::from_utf8(reply).unwrap()
    }

    /// Sends `request` and returns what comes back until the connection is closed.
    pub fn talk_to_the_end(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        self.0.read_to_end(&mut reply).unwrap();
        String::from_utf8(reply).unwrap()
    }
}
