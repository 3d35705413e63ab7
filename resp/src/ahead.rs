//! The next commands of a pipeline, decoded before the first of them is executed.
//!
//! Whoever executes them can so learn what all of them will touch and bring it near (the processor's
//! cache, memory) for all at once, while each command is still executed in its turn.

use crate::args::{Args, Span};
use crate::{Decoded, Decoder, Limits, ProtocolError};

/// Some whole commands from the head of a buffer.
#[derive(Debug, Default)]
pub struct Ahead {
    spans: Vec<Span>,
    commands: Vec<Bounds>,
    /// The one command's arguments are the decoder's own.
    is_unescaped: bool,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// In `spans`.
    from: usize,
    to: usize,
    /// Bytes of the buffer up to the command's end.
    consumed: usize,
}

/// Why [`Ahead::fill`] stopped.
#[derive(Debug, PartialEq, Eq)]
pub enum Stopped {
    /// There may be more.
    Full,
    /// What follows is no whole command yet; the decoder remembers how far it looked.
    Incomplete,
    /// What follows breaks the protocol.
    Failed(ProtocolError),
}

impl Ahead {
    /// Decodes up to `most` commands. Also returns the bytes used, requests that ask for nothing
    /// included. After `Incomplete` the decoder goes on from there, as after [`Decoder::decode`].
    #[inline]
    pub fn fill(
        &mut self,
        decoder: &mut Decoder,
        buf: &[u8],
        limits: &Limits,
        most: usize,
    ) -> (usize, Stopped) {
        self.spans.clear();
        self.commands.clear();
        self.is_unescaped = false;
        let mut at = 0;
        while self.commands.len() < most {
            let rest = buf.get(at..).unwrap_or_default();
            match decoder.decode(rest, limits) {
                Ok(Decoded::Command { consumed }) => {
                    if decoder.is_unescaped() {
                        if !self.commands.is_empty() {
                            // It is decoded again when it is the first.
                            return (at, Stopped::Full);
                        }
                        self.is_unescaped = true;
                    }
                    let from = self.spans.len();
                    let moved = |span: &Span| Span { start: span.start + at, len: span.len };
                    self.spans.extend(decoder.spans().iter().map(moved));
                    at += consumed;
                    let to = self.spans.len();
                    self.commands.push(Bounds { from, to, consumed: at });
                    if self.is_unescaped {
                        return (at, Stopped::Full);
                    }
                }
                Ok(Decoded::Empty { consumed }) => at += consumed,
                Ok(Decoded::Incomplete) => return (at, Stopped::Incomplete),
                Err(error) => return (at, Stopped::Failed(error)),
            }
        }
        (at, Stopped::Full)
    }

    /// Number of commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// The arguments of command `index`, and how many bytes of `buf` it and all before it take;
    /// `buf` and `decoder` are those of the last [`Ahead::fill`].
    #[inline]
    pub fn command<'a>(
        &'a self,
        index: usize,
        decoder: &'a Decoder,
        buf: &'a [u8],
    ) -> Option<(Args<'a>, usize)> {
        let bounds = self.commands.get(index)?;
        if self.is_unescaped {
            return Some((decoder.args(buf), bounds.consumed));
        }
        let spans = self.spans.get(bounds.from..bounds.to).unwrap_or_default();
        Some((Args::new(buf, spans), bounds.consumed))
    }

    /// Gives back memory beyond what everyday pipelines need.
    pub fn shrink(&mut self) {
        self.spans.shrink_to(1024);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ahead: &Ahead, decoder: &Decoder, buf: &[u8]) -> Vec<(String, usize)> {
        let commands = (0..).map_while(|index| ahead.command(index, decoder, buf));
        let text = |args: Args<'_>| {
            args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")
        };
        commands.map(|(args, consumed)| (text(args), consumed)).collect()
    }

    #[test]
    fn all_whole_commands_come_at_once_and_the_rest_later() {
        let (mut ahead, mut decoder) = (Ahead::default(), Decoder::default());
        let buf = b"*1\r\n$4\r\nPING\r\n*0\r\nget a\r\n*2\r\n$3\r\nGET\r\n$5\r\nhel";
        let limits = Limits::default();
        assert_eq!(ahead.fill(&mut decoder, buf, &limits, 9), (25, Stopped::Incomplete));
        assert_eq!(texts(&ahead, &decoder, buf), [("PING".into(), 14), ("get a".into(), 25)]);
        let whole = [&buf[25..], b"lo\r\n"].concat();
        assert_eq!(ahead.fill(&mut decoder, &whole, &limits, 9).0, whole.len());
        assert_eq!(texts(&ahead, &decoder, &whole), [("GET hello".into(), whole.len())]);
    }

    #[test]
    fn quoted_words_and_errors_come_in_their_turn() {
        let (mut ahead, mut decoder) = (Ahead::default(), Decoder::default());
        let buf = b"get a\r\nget \"b\\n\"\r\nget c\r\n*x\r\n";
        let limits = Limits::default();
        assert_eq!(ahead.fill(&mut decoder, buf, &limits, 9), (7, Stopped::Full));
        assert_eq!(texts(&ahead, &decoder, buf), [("get a".into(), 7)]);
        assert_eq!(ahead.fill(&mut decoder, &buf[7..], &limits, 9), (11, Stopped::Full));
        assert_eq!(texts(&ahead, &decoder, &buf[7..]), [("get b\\n".into(), 11)]);
        let (used, stopped) = ahead.fill(&mut decoder, &buf[18..], &limits, 9);
        assert_eq!((used, ahead.len()), (7, 1));
        assert_eq!(stopped, Stopped::Failed(ProtocolError::InvalidMultibulkLength));
    }

    #[test]
    fn no_more_than_asked_for() {
        let (mut ahead, mut decoder) = (Ahead::default(), Decoder::default());
        let buf = b"a\r\nb\r\nc\r\n";
        let filled = ahead.fill(&mut decoder, buf, &Limits::default(), 2);
        assert_eq!((filled, ahead.len()), ((6, Stopped::Full), 2));
    }
}
