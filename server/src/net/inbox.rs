//! What others tell a core: new connections, messages for its clients, the end of waits.
//!
//! A queue and the waker of the core's loop. Sockets wake the loop in the same way, with the
//! number of their connection.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

pub enum Message {
    Accepted {
        socket: std::net::TcpStream,
        peer: SocketAddr,
    },
    /// Bytes for one client, outside of the order of its replies (pub/sub, MONITOR).
    Deliver {
        place: usize,
        client: u64,
        bytes: Arc<[u8]>,
        after: u64,
    },
    /// The reply of a job.
    Finished {
        place: usize,
        client: u64,
        reply: Vec<u8>,
    },
    /// The keys a command waited for are loaded: run it again.
    Retry {
        place: usize,
        client: u64,
    },
    /// A command cannot be run: answer with this error.
    Failed {
        place: usize,
        client: u64,
        text: String,
    },
    Kill {
        place: usize,
        client: u64,
    },
    /// The journal was released further, or writes may go on.
    Released,
    Stop,
}

/// The door of one core.
#[derive(Default)]
pub struct Inbox {
    messages: Mutex<Vec<Message>>,
    ready: Mutex<Vec<usize>>,
    waker: Mutex<Option<Waker>>,
    /// Set while the loop is sure to look again before it sleeps.
    awake: AtomicBool,
    released: AtomicBool,
}

impl Inbox {
    pub fn send(&self, message: Message) {
        self.messages.lock().push(message);
        self.wake();
    }

    /// [`Message::Released`], without queueing more than one.
    pub fn released(&self) {
        if !self.released.swap(true, Ordering::AcqRel) {
            self.send(Message::Released);
        }
    }

    /// The loop has seen the last `Released`.
    pub fn saw_released(&self) {
        self.released.store(false, Ordering::Release);
    }

    pub fn wake(&self) {
        if !self.awake.swap(true, Ordering::AcqRel)
            && let Some(waker) = &*self.waker.lock()
        {
            waker.wake_by_ref();
        }
    }

    /// A connection has something to do.
    pub fn ready(&self, place: usize) {
        self.ready.lock().push(place);
        self.wake();
    }

    /// The loop begins a turn: what comes from now on wakes it again.
    pub fn begin(&self, waker: &Waker) {
        let mut held = self.waker.lock();
        if !held.as_ref().is_some_and(|held| held.will_wake(waker)) {
            *held = Some(waker.clone());
        }
        self.awake.store(false, Ordering::Release);
    }

    /// Takes what has come, leaving the given (empty) vectors in its place.
    pub fn take(&self, messages: &mut Vec<Message>, ready: &mut Vec<usize>) {
        std::mem::swap(&mut *self.messages.lock(), messages);
        std::mem::swap(&mut *self.ready.lock(), ready);
    }
}

/// The waker of one connection's socket.
pub struct SocketWaker {
    pub inbox: Arc<Inbox>,
    pub place: usize,
    /// In the ready list already.
    pub queued: AtomicBool,
}

impl Wake for SocketWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.inbox.ready(self.place);
        }
    }
}
