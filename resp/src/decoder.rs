//! Where does the command in the receive buffer end, and where are its arguments?
//!
//! A command comes in pieces as the network cuts it. The decoder keeps what it has learnt between
//! calls (arguments found, the length of the one awaited, how far a line was searched) and looks
//! at no byte twice, so a peer that sends byte by byte costs no more than one that does not.
//!
//! Two ways lead through: `fast` walks a command that lies in the buffer whole with short, plain
//! lengths; at anything else it stops where it is and `slow` takes one careful step, which alone
//! knows errors. As in Redis a NUL in a line hides the line's end, and the two bytes after an
//! argument are skipped, not checked. Lengths on the wire reserve nothing but up to 1,024 spans.

use crate::args::{Args, Span};
use crate::error::ProtocolError;
use crate::limits::{Limits, UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_LEN_MAX};
use crate::{inline, numbers};

/// Most spans reserved because a header announced them.
const RESERVED_SPANS_MAX: usize = 1024;
/// A buffer for unescaped inline words larger than this is not kept for the next command.
const KEPT_UNESCAPED_MAX: usize = 4096;

/// What [`Decoder::decode`] found at the head of the buffer. `consumed` is in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole command; its arguments are at [`Decoder::args`].
    Command { consumed: usize },
    /// More bytes are needed.
    Incomplete,
    /// A request that asks for nothing and is not answered: `*0`, `*-1`, a blank line.
    Empty { consumed: usize },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// At the first byte of a command.
    #[default]
    Idle,
    /// In the line `*count`.
    Count,
    /// In a line `$length`.
    Length,
    /// In an argument of this many bytes, its CRLF not counted.
    Bulk(usize),
    /// In an inline request.
    Inline,
}

/// The request decoder of one connection.
#[derive(Debug, Default)]
pub struct Decoder {
    spans: Vec<Span>,
    /// The words of an inline request with quotes.
    unescaped: Vec<u8>,
    /// Whether the spans lie in `unescaped`.
    is_unescaped: bool,
    state: State,
    /// All before this byte is understood.
    at: usize,
    /// The line at `at` has no end before this byte.
    searched: usize,
    /// The line at `at` holds a NUL, which hides its end.
    is_endless: bool,
    /// Arguments still to come.
    remaining: usize,
    /// Bytes looked at, for the tests.
    #[cfg(test)]
    looked_at: usize,
}

impl Decoder {
    /// Decodes the command at the head of `buf`. After `Incomplete` the next call's `buf` begins
    /// with the same bytes and holds more. After an error the connection is of no more use.
    // It has two callers; left to itself the compiler no longer inlines it into the frequent one.
    #[inline(always)]
    pub fn decode(&mut self, buf: &[u8], limits: &Limits) -> Result<Decoded, ProtocolError> {
        if self.state == State::Idle {
            let Some(first) = buf.first() else { return Ok(Decoded::Incomplete) };
            self.begin(*first);
        }
        loop {
            if self.fast(buf, limits) {
                self.state = State::Idle;
                return Ok(Decoded::Command { consumed: self.at });
            }
            match self.slow(buf, limits) {
                Ok(None) => {}
                Ok(Some(Decoded::Incomplete)) => return Ok(Decoded::Incomplete),
                Ok(Some(done)) => {
                    self.state = State::Idle;
                    return Ok(done);
                }
                Err(error) => {
                    self.state = State::Idle;
                    return Err(error);
                }
            }
        }
    }

    /// The arguments of the command just decoded, `buf` being the same as then. Valid until the
    /// next `decode`.
    #[inline]
    pub fn args<'a>(&'a self, buf: &'a [u8]) -> Args<'a> {
        Args::new(if self.is_unescaped { &self.unescaped } else { buf }, &self.spans)
    }

    /// Forgets a command under way: the next `decode` begins at the head of its buffer.
    pub fn restart(&mut self) {
        self.state = State::Idle;
    }

    #[inline]
    pub(crate) fn is_unescaped(&self) -> bool {
        self.is_unescaped
    }

    #[inline]
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many bytes beyond `have` the command surely needs: the rest of the awaited argument with
    /// its CRLF. 0 when unknown. It is what the client announced: cap it before reserving.
    pub fn missing(&self, have: usize) -> usize {
        match self.state {
            State::Bulk(len) => self.at.saturating_add(len).saturating_add(2).saturating_sub(have),
            _ => 0,
        }
    }

    /// Gives back the memory of the last command, its arguments with it. Does nothing within a
    /// command.
    pub fn release(&mut self) {
        if self.state == State::Idle {
            self.spans = Vec::new();
            self.unescaped = Vec::new();
            self.is_unescaped = false;
        }
    }

    /// Bytes held on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.spans
            .capacity()
            .saturating_mul(size_of::<Span>())
            .saturating_add(self.unescaped.capacity())
    }

    #[inline]
    fn begin(&mut self, first: u8) {
        if self.spans.capacity() > RESERVED_SPANS_MAX {
            self.spans = Vec::new();
        }
        self.spans.clear();
        if self.is_unescaped {
            self.is_unescaped = false;
            self.unescaped.clear();
            self.unescaped.shrink_to(KEPT_UNESCAPED_MAX);
        }
        self.at = 0;
        self.searched = 0;
        self.is_endless = false;
        self.state = if first == b'*' { State::Count } else { State::Inline };
    }

    /// Goes as far as plain lengths and whole arguments lead; true at the command's end.
    #[inline]
    fn fast(&mut self, buf: &[u8], limits: &Limits) -> bool {
        if limits.unauthenticated || self.searched > self.at {
            return false;
        }
        let mut rest = buf.get(self.at..).unwrap_or_default();
        if self.state == State::Count {
            let Some((count, tail)) = rest.get(1..).and_then(short_number) else { return false };
            if count == 0 || count > limits.args_max {
                return false;
            }
            self.expect_args(count);
            rest = tail;
        } else if self.state != State::Length {
            return false;
        }
        let mut remaining = self.remaining;
        while remaining > 0 {
            let [b'$', tail @ ..] = rest else { break };
            let Some((len, tail)) = short_number(tail) else { break };
            if len > limits.bulk_len_max {
                break;
            }
            // No overflow: a short number has few digits.
            let Some((_, next)) = tail.split_at_checked(len.wrapping_add(2)) else {
                self.state = State::Bulk(len);
                rest = tail;
                break;
            };
            self.spans.push(Span { start: buf.len().wrapping_sub(tail.len()), len });
            rest = next;
            remaining = remaining.wrapping_sub(1);
        }
        #[cfg(test)]
        {
            self.looked_at += self.remaining - remaining;
        }
        self.remaining = remaining;
        self.at = buf.len().wrapping_sub(rest.len());
        self.searched = self.at;
        remaining == 0
    }

    /// One step by the book: a line, or an argument. Nothing when there may be more to decode.
    #[cold]
    fn slow(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Decoded>, ProtocolError> {
        match self.state {
            State::Idle => Ok(Some(Decoded::Incomplete)),
            State::Count => self.count(buf, limits),
            State::Length => self.length(buf, limits),
            State::Bulk(len) => Ok(self.bulk(buf, len)),
            State::Inline => self.inline(buf, limits),
        }
    }

    fn count(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Decoded>, ProtocolError> {
        let too_big = ProtocolError::TooBigMultibulkCount;
        let Some(line) = self.header_line(buf, limits, too_big)? else {
            return Ok(Some(Decoded::Incomplete));
        };
        let digits = line.get(1..).unwrap_or_default();
        let count = numbers::parse_i64(digits).ok_or(ProtocolError::InvalidMultibulkLength)?;
        let consumed = line.len().wrapping_add(2);
        // A negative count is no error: it asks for nothing, as 0 does.
        let Ok(count) = usize::try_from(count) else {
            return Ok(Some(Decoded::Empty { consumed }));
        };
        if count > limits.args_max {
            return Err(ProtocolError::InvalidMultibulkLength);
        }
        if limits.unauthenticated && count > UNAUTHENTICATED_ARGS_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        if count == 0 {
            return Ok(Some(Decoded::Empty { consumed }));
        }
        self.step_to(consumed);
        self.expect_args(count);
        Ok(None)
    }

    fn length(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Decoded>, ProtocolError> {
        let too_big = ProtocolError::TooBigBulkCount;
        let Some(line) = self.header_line(buf, limits, too_big)? else {
            return Ok(Some(Decoded::Incomplete));
        };
        // An empty line's first byte is the CR that ends it.
        let (first, digits) = line.split_first().unwrap_or((&b'\r', &[]));
        if *first != b'$' {
            return Err(ProtocolError::ExpectedBulk(*first));
        }
        let len = numbers::parse_i64(digits)
            .and_then(|len| usize::try_from(len).ok())
            .filter(|len| *len <= limits.bulk_len_max)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if limits.unauthenticated && len > UNAUTHENTICATED_BULK_LEN_MAX {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.step_to(self.at.wrapping_add(line.len()).wrapping_add(2));
        self.state = State::Bulk(len);
        Ok(None)
    }

    fn bulk(&mut self, buf: &[u8], len: usize) -> Option<Decoded> {
        if self.missing(buf.len()) > 0 {
            return Some(Decoded::Incomplete);
        }
        self.spans.push(Span { start: self.at, len });
        self.step_to(self.at.wrapping_add(len).wrapping_add(2));
        self.remaining = self.remaining.wrapping_sub(1);
        self.state = State::Length;
        (self.remaining == 0).then_some(Decoded::Command { consumed: self.at })
    }

    fn inline(&mut self, buf: &[u8], limits: &Limits) -> Result<Option<Decoded>, ProtocolError> {
        let Some(end) = self.find(b'\n', buf, limits, ProtocolError::TooBigInline)? else {
            return Ok(Some(Decoded::Incomplete));
        };
        let line = buf.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.is_unescaped = inline::split(line, &mut self.spans, &mut self.unescaped)?;
        let consumed = end.wrapping_add(1);
        Ok(Some(if self.spans.is_empty() {
            Decoded::Empty { consumed }
        } else {
            Decoded::Command { consumed }
        }))
    }

    /// The line at `at` without its CRLF, once both bytes of that have come.
    fn header_line<'a>(
        &mut self,
        buf: &'a [u8],
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Option<&'a [u8]>, ProtocolError> {
        let Some(end) = self.find(b'\r', buf, limits, too_big)? else { return Ok(None) };
        // Redis takes any byte for the LF.
        Ok(if buf.len().wrapping_sub(end) < 2 { None } else { buf.get(self.at..end) })
    }

    /// Where the line at `at` has its `terminator`. Searches only bytes not yet searched, and errs
    /// as soon as the line is longer than it may be.
    fn find(
        &mut self,
        terminator: u8,
        buf: &[u8],
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let line_end_max = self.at.saturating_add(limits.inline_len_max);
        let until = buf.len().min(line_end_max.saturating_add(1));
        if !self.is_endless {
            let fresh = buf.get(self.searched..until).unwrap_or_default();
            let found = memchr::memchr2(terminator, 0, fresh);
            let skipped = found.unwrap_or(fresh.len());
            #[cfg(test)]
            {
                self.looked_at += (skipped + 1).min(fresh.len());
            }
            self.searched = self.searched.wrapping_add(skipped);
            match buf.get(self.searched) {
                Some(byte) if found.is_some() && *byte == terminator => {
                    return Ok(Some(self.searched));
                }
                _ => self.is_endless = found.is_some(),
            }
        }
        if buf.len() > line_end_max { Err(too_big) } else { Ok(None) }
    }

    fn step_to(&mut self, at: usize) {
        self.at = at;
        self.searched = at;
    }

    #[inline]
    fn expect_args(&mut self, count: usize) {
        self.remaining = count;
        self.spans.reserve(count.min(RESERVED_SPANS_MAX));
        self.state = State::Length;
    }
}

/// The number, of at most nine digits, at the head of `line`, and what follows its CRLF. Nothing
/// for all that needs a second look.
#[inline(always)]
fn short_number(line: &[u8]) -> Option<(usize, &[u8])> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    match line {
        [a, b'\r', _, tail @ ..] if digit(*a) < 10 => Some((digit(*a), tail)),
        [a @ b'1'..=b'9', b, b'\r', _, tail @ ..] if digit(*b) < 10 => {
            Some((digit(*a).wrapping_mul(10).wrapping_add(digit(*b)), tail))
        }
        _ => longer_number(line),
    }
}

fn longer_number(line: &[u8]) -> Option<(usize, &[u8])> {
    let [b'1'..=b'9', ..] = line else { return None };
    let mut value = 0_usize;
    let mut rest = line;
    // Nine digits cannot overflow.
    for _ in 0..10 {
        match rest {
            [byte @ b'0'..=b'9', tail @ ..] => {
                let digit = usize::from(byte.wrapping_sub(b'0'));
                value = value.wrapping_mul(10).wrapping_add(digit);
                rest = tail;
            }
            [b'\r', _, tail @ ..] => return Some((value, tail)),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests;
