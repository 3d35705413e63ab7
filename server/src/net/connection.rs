//! One client's connection: its socket, what it sent and was not executed yet, what it has not
//! been sent yet.
//!
//! An idle connection owns no buffer: the core reads into one of its own and only what is left
//! of a request stays here. Replies gather in `out` with marks that say which journal index each
//! part waits for; they are sent once that is released.

use super::inbox::SocketWaker;
use crate::session::Session;
use resp::{Decoder, OwnedArgs};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Buffers above this are given back when they are empty, bytes.
const KEEP_BYTES: usize = 16 << 10;

/// Why a connection does not go on with its next request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// A load or a job will say.
    Elsewhere,
    /// CLIENT PAUSE, or writes are slowed down: tried again at every turn.
    Gate,
    /// WAIT: until this time, ms since the epoch.
    Until(i64),
    /// The command runs again at this time, ms since the epoch.
    Again(i64),
}

pub struct Connection {
    pub stream: TcpStream,
    pub waker: Waker,
    pub socket_waker: Arc<SocketWaker>,
    pub session: Session,
    pub decoder: Decoder,
    /// Received and not yet executed.
    pub input: Vec<u8>,
    pub out: Vec<u8>,
    /// How much of `out` is sent.
    sent: usize,
    /// Ends of parts of `out`, with the journal index each waits for, both ascending.
    marks: VecDeque<(usize, u64)>,
    pub wait: Option<Wait>,
    /// The command that waits.
    pub parked: Option<OwnedArgs>,
    /// Out of order bytes that came while a reply is pending.
    pub later: Vec<(u64, Arc<[u8]>)>,
    /// Close once everything is sent.
    pub closing: bool,
    /// Nobody is there any more.
    pub dead: bool,
    /// In the core's list of connections with something to send.
    pub dirty: bool,
    write_blocked: bool,
    /// When the request under way made its last progress, ms since the epoch.
    pub progress_ms: i64,
}

impl Connection {
    pub fn new(stream: TcpStream, socket_waker: Arc<SocketWaker>, session: Session) -> Connection {
        Connection {
            stream,
            waker: socket_waker.clone().into(),
            socket_waker,
            session,
            decoder: Decoder::default(),
            input: Vec::new(),
            out: Vec::new(),
            sent: 0,
            marks: VecDeque::new(),
            wait: None,
            parked: None,
            later: Vec::new(),
            closing: false,
            dead: false,
            dirty: false,
            write_blocked: false,
            progress_ms: 0,
        }
    }

    /// Reads once. `Ready(Ok(0))` is the end of the stream; `Pending` arms the waker.
    pub fn read(&mut self, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut cx = Context::from_waker(&self.waker);
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut self.stream).poll_read(&mut cx, &mut buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => Poll::Ready(Ok(buffer.filled().len())),
        }
    }

    /// Bytes waiting to be sent.
    pub fn unsent(&self) -> usize {
        self.out.len() - self.sent
    }

    /// What was appended to `out` since the last mark waits for `index`.
    pub fn mark(&mut self, index: u64) {
        match self.marks.back_mut() {
            Some((end, at)) if *at >= index => *end = self.out.len(),
            _ => self.marks.push_back((self.out.len(), index)),
        }
    }

    /// Sends what may be sent. Returns the bytes sent; an error ends the connection.
    pub fn flush(&mut self, is_released: impl Fn(u64) -> bool) -> io::Result<usize> {
        let mut limit = self.sent;
        let mut passed = 0;
        for (end, index) in &self.marks {
            if !is_released(*index) {
                break;
            }
            limit = *end;
            passed += 1;
        }
        let mut total = 0;
        self.write_blocked = false;
        while self.sent < limit {
            let mut cx = Context::from_waker(&self.waker);
            let part = self.out.get(self.sent..limit).unwrap_or_default();
            match Pin::new(&mut self.stream).poll_write(&mut cx, part) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.sent += n;
                    total += n;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => {
                    self.write_blocked = true;
                    break;
                }
            }
        }
        if self.sent == limit {
            self.marks.drain(..passed);
        }
        if self.sent == self.out.len() {
            self.sent = 0;
            self.marks.clear();
            if self.out.capacity() > KEEP_BYTES { self.out = Vec::new() } else { self.out.clear() }
        }
        Ok(total)
    }

    /// The socket takes no more for now.
    pub fn is_write_blocked(&self) -> bool {
        self.write_blocked
    }

    /// Gives back what an idle connection does not need.
    pub fn shrink(&mut self) {
        if self.input.is_empty() && self.input.capacity() > 0 {
            self.input = Vec::new();
        }
        if self.out.is_empty() && self.out.capacity() > 0 {
            self.out = Vec::new();
            self.marks = VecDeque::new();
        }
    }
}
