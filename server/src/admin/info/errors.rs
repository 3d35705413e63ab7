//! How often each kind of error was answered, by the first word of its text.

use super::field;
use crate::node::Node;
use crate::session::Call;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Kinds counted; a client can make up none, but limits belong where something grows.
const KINDS_MAX: usize = 128;

static KINDS: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

impl Node {
    /// Counts an error that was answered. `reply` ends with the error's line; more may stand
    /// before it.
    #[cold]
    pub fn note_error(&self, reply: &[u8]) {
        self.counters.errors.fetch_add(1, Ordering::Relaxed);
        let Some(kind) = kind(reply) else { return };
        let mut kinds = KINDS.lock();
        if let Some(count) = kinds.get_mut(kind) {
            *count += 1;
        } else if kinds.len() < KINDS_MAX {
            kinds.insert(kind.to_owned(), 1);
        }
    }
}

/// `WRONGTYPE` of `...-WRONGTYPE Operation against ...\r\n`.
fn kind(reply: &[u8]) -> Option<&str> {
    let text = reply.strip_suffix(b"\r\n")?;
    let line = text.rsplit(|byte| *byte == b'\n').next()?.strip_prefix(b"-")?;
    let word = line.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(word).ok().filter(|word| !word.is_empty())
}

/// CONFIG RESETSTAT.
pub fn reset_errors() {
    KINDS.lock().clear();
}

pub fn counts(_: &mut Call<'_>, out: &mut String) {
    for (kind, count) in KINDS.lock().iter() {
        field(out, &format!("errorstat_{kind}"), format_args!("count={count}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_the_last_line_is_the_kind() {
        assert_eq!(kind(b"-ERR syntax error\r\n"), Some("ERR"));
        assert_eq!(kind(b"+OK\r\n$1\r\na\r\n-WRONGTYPE Operation\r\n"), Some("WRONGTYPE"));
        assert_eq!(kind(b"-OOM\r\n"), Some("OOM"));
        assert_eq!(kind(b"tail of a long text\r\n"), None);
        assert_eq!(kind(b""), None);
    }
}
