//! A small blocking client: it sends arguments or raw bytes and returns whole replies.
//!
//! Every read has a deadline, so that a server that says nothing fails a test instead of hanging it.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::reply::Reply;

/// How long a reply may take before the client gives up.
pub const REPLY_WAIT: Duration = Duration::from_secs(20);

/// One connection to one server.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<TcpStream>,
    out: Vec<u8>,
}

impl Client {
    /// Connects to `addr`, with [`REPLY_WAIT`] as the deadline of each read and write.
    pub fn connect(addr: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&addr, REPLY_WAIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_WAIT))?;
        stream.set_write_timeout(Some(REPLY_WAIT))?;
        Ok(Client { reader: BufReader::with_capacity(1 << 16, stream), out: Vec::new() })
    }

    /// Sends one command and waits for its reply.
    pub fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Reply> {
        self.queue(args);
        self.flush()?;
        self.receive()
    }

    /// Adds a command to what the next [`Client::flush`] sends.
    pub fn queue<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        encode(args, &mut self.out);
    }

    /// Sends what was queued, in one write.
    pub fn flush(&mut self) -> io::Result<()> {
        self.reader.get_ref().write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_ref().write_all(bytes)
    }

    /// Waits for one reply. `UnexpectedEof` or `ConnectionReset` when the server closed.
    pub fn receive(&mut self) -> io::Result<Reply> {
        Reply::read(&mut self.reader)
    }

    /// Reads bytes until `until` was seen at the end, or the server closed; says whether it closed.
    pub fn receive_raw(&mut self, until: Option<&[u8]>) -> io::Result<(Vec<u8>, bool)> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        loop {
            if until.is_some_and(|end| bytes.ends_with(end)) {
                return Ok((bytes, false));
            }
            match self.reader.read(&mut chunk) {
                Ok(0) => return Ok((bytes, true)),
                Ok(count) => bytes.extend(chunk.iter().take(count)),
                // The server closed with bytes of ours unread: what it had said has arrived.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok((bytes, true));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes a command as an array of bulk strings.
pub fn encode<A: AsRef<[u8]>>(args: &[A], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}
