//! The log of slow commands.
//!
//! Every command asks whether it was slow, which costs one relaxed load; only those that were take
//! the lock. Long command lines are cut as Redis cuts them, and passwords never enter.

use crate::admin::secrets::{REDACTED, is_secret};
use crate::session::Client;
use parking_lot::Mutex;
use resp::Args;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Arguments kept of one command, the note on how many more there were included.
const ARGS_MAX: usize = 32;
/// Bytes kept of one argument.
const ARG_BYTES_MAX: usize = 128;

/// One slow execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: u64,
    /// When it ended, seconds since the epoch.
    pub at_s: i64,
    /// How long it took, microseconds.
    pub us: u64,
    pub args: Vec<Vec<u8>>,
    pub addr: String,
    /// The name the client gave itself.
    pub client_name: Vec<u8>,
}

#[derive(Default)]
struct Log {
    /// Newest first.
    entries: VecDeque<Entry>,
    next_id: u64,
}

pub struct Slowlog {
    /// Microseconds from which a command is slow; negative: none is.
    threshold_us: AtomicI64,
    len_max: AtomicUsize,
    log: Mutex<Log>,
}

impl Default for Slowlog {
    fn default() -> Self {
        Slowlog {
            threshold_us: AtomicI64::new(10_000),
            len_max: AtomicUsize::new(128),
            log: Mutex::default(),
        }
    }
}

impl Slowlog {
    /// `slowlog-log-slower-than`: 0 logs every command, a negative number none.
    pub fn set_threshold_us(&self, us: i64) {
        self.threshold_us.store(us, Ordering::Relaxed);
    }

    /// `slowlog-max-len`: how many entries are kept.
    pub fn set_len(&self, len: usize) {
        self.len_max.store(len, Ordering::Relaxed);
        self.log.lock().entries.truncate(len);
    }

    /// A command has run for `us` microseconds; `name` is its row's.
    #[inline]
    pub fn note(&self, us: u64, now_ms: i64, args: Args<'_>, client: &Arc<Client>, name: &str) {
        let threshold = self.threshold_us.load(Ordering::Relaxed);
        if threshold >= 0 && us >= threshold as u64 {
            let client_name = client.texts.lock().name.clone();
            self.add(us, now_ms, shortened(args, name), client.addr.to_string(), client_name);
        }
    }

    #[cold]
    fn add(&self, us: u64, now_ms: i64, args: Vec<Vec<u8>>, addr: String, client_name: Vec<u8>) {
        let len_max = self.len_max.load(Ordering::Relaxed);
        let mut log = self.log.lock();
        let id = log.next_id;
        log.next_id += 1;
        let at_s = now_ms.div_euclid(1000);
        log.entries.push_front(Entry { id, at_s, us, args, addr, client_name });
        log.entries.truncate(len_max);
    }

    /// The newest entries, newest first.
    pub fn latest(&self, count: usize) -> Vec<Entry> {
        self.log.lock().entries.iter().take(count).cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.log.lock().entries.len()
    }

    /// Forgets all entries; numbering goes on.
    pub fn reset(&self) {
        self.log.lock().entries.clear();
    }
}

/// The arguments as they are kept: not too many, not too long, no secrets.
fn shortened(args: Args<'_>, name: &str) -> Vec<Vec<u8>> {
    let kept = if args.len() > ARGS_MAX { ARGS_MAX - 1 } else { args.len() };
    let shown = args.iter().take(kept).enumerate().map(|(at, arg)| {
        if is_secret(name, args, at) {
            return REDACTED.to_vec();
        }
        match arg.get(..ARG_BYTES_MAX) {
            Some(start) if arg.len() > ARG_BYTES_MAX => {
                let more = arg.len() - ARG_BYTES_MAX;
                let mut text = start.to_vec();
                text.extend_from_slice(format!("... ({more} more bytes)").as_bytes());
                text
            }
            _ => arg.to_vec(),
        }
    });
    let mut all: Vec<Vec<u8>> = shown.collect();
    if kept < args.len() {
        all.push(format!("... ({} more arguments)", args.len() - kept).into_bytes());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    #[test]
    fn long_lines_are_cut_as_redis_cuts_them() {
        let words: Vec<String> = (0..41).map(|n| n.to_string()).collect();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let many = OwnedArgs::from_slices(&words);
        let kept = shortened(many.as_args(), "mget");
        assert_eq!(kept.len(), 32);
        assert_eq!(kept[30], b"30");
        assert_eq!(kept[31], b"... (10 more arguments)");
        let exactly = OwnedArgs::from_slices(&words[..32]);
        assert_eq!(shortened(exactly.as_args(), "mget")[31], b"31");
        let long = [b'x'; 300];
        let long = OwnedArgs::from_slices(&[b"set", b"k", &long, &long[..128]]);
        let kept = shortened(long.as_args(), "set");
        assert_eq!(kept[2], [&[b'x'; 128][..], b"... (172 more bytes)"].concat());
        assert_eq!(kept[3], [b'x'; 128]);
    }

    #[test]
    fn the_newest_entries_stay_and_numbers_go_on() {
        let log = Slowlog::default();
        log.set_len(2);
        for us in 1..=3 {
            log.add(us, 5_999, vec![], "a".into(), vec![]);
        }
        let ids = |log: &Slowlog| log.latest(9).iter().map(|entry| entry.id).collect::<Vec<_>>();
        assert_eq!(ids(&log), [2, 1]);
        assert_eq!(log.latest(1)[0].at_s, 5);
        log.set_len(1);
        assert_eq!((ids(&log), log.len()), (vec![2], 1));
        log.reset();
        log.add(9, 0, vec![], "a".into(), vec![]);
        assert_eq!(ids(&log), [3]);
    }
}
