//! Inline requests: a line of words, as typed into telnet.
//!
//! Words are parted by blanks. Double quotes hold blanks and the escapes `\n \r \t \b \a \xHH` (any
//! other escaped byte stands for itself); single quotes hold all but `\'` literally. A closing quote
//! must end its word. A line without quotes needs no copy: its words are spans of the line itself.

use crate::args::Span;
use crate::error::ProtocolError;

/// Splits a line without its end. Says whether the spans lie in `unescaped` rather than in the
/// command's buffer, where the line begins at byte 0.
pub(crate) fn split(
    line: &[u8],
    spans: &mut Vec<Span>,
    unescaped: &mut Vec<u8>,
) -> Result<bool, ProtocolError> {
    if memchr::memchr2(b'"', b'\'', line).is_none() {
        split_plain(line, spans);
        return Ok(false);
    }
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let start = unescaped.len();
        rest = skip_blanks(word(rest, unescaped)?);
        spans.push(Span { start, len: unescaped.len().wrapping_sub(start) });
    }
    Ok(true)
}

/// `isspace` of the C locale: it parts words and may follow a closing quote.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d)
}

/// What ends a word outside quotes: fewer bytes than `is_blank` knows.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|byte| is_blank(**byte)).count();
    line.get(blanks..).unwrap_or_default()
}

fn split_plain(line: &[u8], spans: &mut Vec<Span>) {
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let len = rest.iter().position(|byte| ends_word(*byte)).unwrap_or(rest.len());
        spans.push(Span { start: line.len().wrapping_sub(rest.len()), len });
        rest = skip_blanks(rest.get(len..).unwrap_or_default());
    }
}

/// Appends the word at the head of `rest`, unescaped, and returns what follows it.
fn word<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match rest {
            [] => return Ok(rest),
            [b'"', tail @ ..] => return double_quoted(tail, out),
            [b'\'', tail @ ..] => return single_quoted(tail, out),
            [byte, tail @ ..] if ends_word(*byte) => return Ok(tail),
            [byte, tail @ ..] => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex_digit(*high) << 4 | hex_digit(*low), tail)
            }
            [b'\\', escaped, tail @ ..] => (unescape(*escaped), tail),
            [b'"', tail @ ..] => return close(tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        out.push(byte);
        rest = tail;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [b'\'', tail @ ..] => return close(tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        out.push(byte);
        rest = tail;
    }
}

/// After a closing quote comes a blank or the end of the line.
fn close(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_blank(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte.wrapping_sub(b'0'),
        _ => (byte | 0x20).wrapping_sub(b'a').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<&[&str]>) {
        let (mut spans, mut unescaped) = (Vec::new(), Vec::new());
        let own = split(line.as_bytes(), &mut spans, &mut unescaped);
        let words = own.ok().map(|own| {
            let buf = if own { &unescaped[..] } else { line.as_bytes() };
            let word = |s: &Span| String::from_utf8_lossy(&buf[s.start..s.start + s.len]).into();
            spans.iter().map(word).collect::<Vec<String>>()
        });
        let expect = expect.map(|words| words.iter().map(|word| word.to_string()).collect());
        assert_eq!(words, expect, "{line:?}");
    }

    #[test]
    fn words_quotes_and_escapes() {
        check("", Some(&[]));
        check(" \t\x0b ", Some(&[]));
        check("PING", Some(&["PING"]));
        check("\x0bPING\x0b x", Some(&["PING\x0b", "x"]));
        check(r#"  a "b c"  d "#, Some(&["a", "b c", "d"]));
        check(r#"a"b c""#, Some(&["ab c"]));
        check(r#""" ''"#, Some(&["", ""]));
        check(r#""a\x4z\q\x41\n\t\r\b\a\\\"""#, Some(&["ax4zqA\n\t\r\x08\x07\\\""]));
        check(r"'d\'e\n' a\n", Some(&["d'e\\n", "a\\n"]));
        check("\"a\"\x0bb", Some(&["a", "b"]));
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in [r#"""#, r#"ECHO "a"#, r#"ECHO "a"b"#, "ECHO 'a", "'a'b", "\"a\\", "'a\\'"] {
            check(line, None);
        }
    }
}
