//! CLIENT PAUSE and UNPAUSE, and whether commands have to wait.

use crate::node::Node;
use crate::session::{After, Call, SessionFn};
use resp::Reply;
use resp::numbers::parse_i64;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::commands::parse::is;

pub const CODE: &[(&str, SessionFn)] = &[("client|pause", pause), ("client|unpause", unpause)];

impl Node {
    /// Whether CLIENT PAUSE is in force at `now` (ms since the epoch), of whatever kind.
    #[inline]
    pub fn is_paused(&self, now: i64) -> bool {
        self.pause.until_ms.load(Ordering::Relaxed) > now
    }

    /// Whether a command has to wait at `now`: for the end of a pause, or, if it writes, because
    /// the base is too far behind the journal.
    #[inline]
    pub fn holds(&self, now: i64, writes: bool) -> bool {
        self.pause.holds(now, writes)
            || (writes && self.store.as_ref().is_some_and(|store| store.is_lagging()))
    }
}

/// Reads a timeout in milliseconds.
pub fn timeout_ms(arg: &[u8]) -> Result<u64, Fail> {
    let ms = parse_i64(arg).ok_or(Fail::text("ERR timeout is not an integer or out of range"))?;
    u64::try_from(ms).map_err(|_| Fail::text("ERR timeout is negative"))
}

fn pause(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if call.args.len() > 4 {
        return Err(super::misused(call, "CLIENT"));
    }
    let all = match call.args.get(3) {
        None => true,
        Some(mode) if is(mode, "all") => true,
        Some(mode) if is(mode, "write") => false,
        Some(_) => return Err(Fail::text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let ms = timeout_ms(call.args.at(2))?;
    let until = call.core.turn.now.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
    call.node.pause.all.store(all, Ordering::Relaxed);
    call.node.pause.until_ms.store(until, Ordering::Relaxed);
    reply.ok();
    Ok(After::Done)
}

fn unpause(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    call.node.pause.until_ms.store(0, Ordering::Relaxed);
    call.node.inboxes.iter().for_each(|inbox| inbox.released());
    reply.ok();
    Ok(After::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_whole_and_not_negative() {
        assert_eq!(timeout_ms(b"0"), Ok(0));
        let text = |arg: &[u8]| timeout_ms(arg).unwrap_err().0;
        assert_eq!(&*text(b"-1"), b"ERR timeout is negative");
        assert_eq!(&*text(b"1.5"), b"ERR timeout is not an integer or out of range");
    }
}
