//! One reply of a server, kept as a tree that loses no byte.
//!
//! Redis writes each value in exactly one way, and the decoder refuses every other way (`:+1`,
//! `$01`). Two replies are therefore equal as trees only if they are equal as bytes.
//!
//! Limits: nesting is at most [`DEPTH_MAX`]; a length is believed only as the bytes arrive.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

use crate::text::quote;

/// Deepest nesting that is decoded; COMMAND DOCS, the deepest reply of Redis, needs about eight.
pub const DEPTH_MAX: usize = 32;

/// A decoded RESP2 or RESP3 reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reply {
    /// `+OK`
    Simple(Vec<u8>),
    /// `-ERR ...`
    Error(Vec<u8>),
    /// `:1`
    Integer(i64),
    /// `$3 foo`
    Bulk(Vec<u8>),
    /// `$-1`
    NilBulk,
    /// `*2 ...`
    Array(Vec<Reply>),
    /// `*-1`
    NilArray,
    /// `_`
    Null,
    /// `,1.5`, kept as written
    Double(Vec<u8>),
    /// `#t`
    Boolean(bool),
    /// `(123`, kept as written
    BigNumber(Vec<u8>),
    /// `=7 txt:abc`, with its three-letter format
    Verbatim(Vec<u8>),
    /// `!5 ERR x`
    BlobError(Vec<u8>),
    /// `%1 ...`
    Map(Vec<(Reply, Reply)>),
    /// `~2 ...`
    Set(Vec<Reply>),
    /// `>3 ...`
    Push(Vec<Reply>),
}

impl Reply {
    /// Reads one reply. Errors: what the reader says, `UnexpectedEof` when the peer closed, and
    /// `InvalidData` for bytes that are no reply of a Redis server.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Reply> {
        read_nested(reader, 0)
    }

    /// True for `-...` and `!...`.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_) | Reply::BlobError(_))
    }

    /// The elements of an array, set or push; `None` for anything else.
    pub fn elements(&self) -> Option<&[Reply]> {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => Some(items),
            _ => None,
        }
    }

    /// The bytes of a string of any kind; `None` for anything else.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Simple(text)
            | Reply::Bulk(text)
            | Reply::Error(text)
            | Reply::Double(text)
            | Reply::Verbatim(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an integer reply.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Sorts the outermost elements in groups of `group` (1, or 2 for field and value), for replies
    /// whose order Redis leaves open. Maps are sorted by field; other replies stay as they are.
    pub fn sort(&mut self, group: usize) {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
                let mut groups: Vec<Vec<Reply>> =
                    items.chunks(group.max(1)).map(<[Reply]>::to_vec).collect();
                groups.sort();
                *items = groups.concat();
            }
            Reply::Map(pairs) => pairs.sort(),
            _ => {}
        }
    }

    /// The readable form that scripts use, one line per element, without a final line feed.
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.render_into(&mut out, 0);
        out
    }

    fn render_into(&self, out: &mut String, indent: usize) {
        match self {
            Reply::Simple(text) => {
                let plain = String::from_utf8_lossy(text);
                // A status that looks like something else is shown with its mark.
                if plain.starts_with(['(', '"', '+', '~', '#', '!', '>']) || plain.is_empty() {
                    out.push('+');
                }
                out.push_str(&plain);
            }
            Reply::Error(text) => push_tagged(out, "(error) ", text),
            Reply::Integer(number) => _ = write!(out, "(integer) {number}"),
            Reply::Bulk(text) => out.push_str(&quote(text)),
            Reply::NilBulk => out.push_str("(nil)"),
            Reply::NilArray => out.push_str("(nil array)"),
            Reply::Null => out.push_str("(null)"),
            Reply::Double(text) => push_tagged(out, "(double) ", text),
            Reply::Boolean(true) => out.push_str("(true)"),
            Reply::Boolean(false) => out.push_str("(false)"),
            Reply::BigNumber(text) => push_tagged(out, "(big) ", text),
            Reply::Verbatim(text) => {
                out.push_str("(verbatim) ");
                out.push_str(&quote(text));
            }
            Reply::BlobError(text) => push_tagged(out, "(blob error) ", text),
            Reply::Array(items) => render_items(out, indent, items, ")", "(empty array)"),
            Reply::Set(items) => render_items(out, indent, items, "~", "(empty set)"),
            Reply::Push(items) => render_items(out, indent, items, ">", "(empty push)"),
            Reply::Map(pairs) => {
                if pairs.is_empty() {
                    out.push_str("(empty map)");
                }
                for (at, (field, value)) in pairs.iter().enumerate() {
                    let head = begin_item(out, indent, at, "#");
                    field.render_into(out, indent + head);
                    out.push_str(" => ");
                    if matches!(value, Reply::Array(v) | Reply::Set(v) if !v.is_empty())
                        || matches!(value, Reply::Map(v) if !v.is_empty())
                    {
                        out.push('\n');
                        out.push_str(&" ".repeat(indent + head));
                    }
                    value.render_into(out, indent + head);
                }
            }
        }
    }
}

fn push_tagged(out: &mut String, tag: &str, text: &[u8]) {
    out.push_str(tag);
    out.push_str(&String::from_utf8_lossy(text));
}

/// Starts line `at` of a list and says how far its content is indented.
fn begin_item(out: &mut String, indent: usize, at: usize, mark: &str) -> usize {
    if at > 0 {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
    }
    let head = format!("{}{mark} ", at + 1);
    out.push_str(&head);
    head.len()
}

fn render_items(out: &mut String, indent: usize, items: &[Reply], mark: &str, empty: &str) {
    if items.is_empty() {
        out.push_str(empty);
    }
    for (at, item) in items.iter().enumerate() {
        let head = begin_item(out, indent, at, mark);
        item.render_into(out, indent + head);
    }
}

fn read_nested(reader: &mut impl BufRead, depth: usize) -> io::Result<Reply> {
    if depth > DEPTH_MAX {
        return Err(invalid("nested too deep", b""));
    }
    let line = read_line(reader)?;
    let (&kind, rest) = line.split_first().ok_or_else(|| invalid("empty line", b""))?;
    Ok(match kind {
        b'+' => Reply::Simple(rest.to_vec()),
        b'-' => Reply::Error(rest.to_vec()),
        b':' => Reply::Integer(number(rest)?),
        b'$' if rest == b"-1" => Reply::NilBulk,
        b'$' => Reply::Bulk(read_blob(reader, rest)?),
        b'=' => Reply::Verbatim(read_blob(reader, rest)?),
        b'!' => Reply::BlobError(read_blob(reader, rest)?),
        b'*' if rest == b"-1" => Reply::NilArray,
        b'*' => Reply::Array(read_items(reader, number(rest)?, depth)?),
        b'~' => Reply::Set(read_items(reader, number(rest)?, depth)?),
        b'>' => Reply::Push(read_items(reader, number(rest)?, depth)?),
        b'%' => {
            let mut pairs = Vec::new();
            for _ in 0..number(rest)? {
                let field = read_nested(reader, depth + 1)?;
                pairs.push((field, read_nested(reader, depth + 1)?));
            }
            Reply::Map(pairs)
        }
        b'_' if rest.is_empty() => Reply::Null,
        b',' => Reply::Double(rest.to_vec()),
        b'(' => Reply::BigNumber(rest.to_vec()),
        b'#' if rest == b"t" => Reply::Boolean(true),
        b'#' if rest == b"f" => Reply::Boolean(false),
        _ => return Err(invalid("unknown kind of reply", &line)),
    })
}

fn read_items(reader: &mut impl BufRead, count: i64, depth: usize) -> io::Result<Vec<Reply>> {
    if count < 0 {
        return Err(invalid("negative count", count.to_string().as_bytes()));
    }
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read_nested(reader, depth + 1)?);
    }
    Ok(items)
}

/// Reads a line that ends in CR LF, and returns it without them.
fn read_line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    match line.strip_suffix(b"\r\n") {
        Some(text) => Ok(text.to_vec()),
        None => Err(invalid("line without CR LF", &line)),
    }
}

fn read_blob(reader: &mut impl BufRead, length: &[u8]) -> io::Result<Vec<u8>> {
    let length = u64::try_from(number(length)?).map_err(|_| invalid("negative length", length))?;
    let mut blob = Vec::new();
    reader.take(length).read_to_end(&mut blob)?;
    let mut end = [0; 2];
    reader.read_exact(&mut end)?;
    if end != *b"\r\n" {
        return Err(invalid("blob without CR LF", &blob));
    }
    Ok(blob)
}

/// Parses a number in the one way Redis writes it.
fn number(text: &[u8]) -> io::Result<i64> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == text))
        .ok_or_else(|| invalid("not a number as Redis writes it", text))
}

fn invalid(what: &str, bytes: &[u8]) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {}", quote(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expect: &str) {
        assert_eq!(Reply::read(&mut &input[..]).unwrap().render(), expect);
    }

    #[test]
    fn replies_are_shown_readably() {
        check(b"+OK\r\n", "OK");
        check(b"$4\r\na\"\r\n\r\n", r#""a\"\r\n""#);
        check(
            b"*2\r\n:1\r\n*2\r\n$-1\r\n*0\r\n",
            "1) (integer) 1\n2) 1) (nil)\n   2) (empty array)",
        );
        check(b"%1\r\n$1\r\na\r\n*1\r\n#t\r\n", "1# \"a\" => \n   1) (true)");
    }

    #[test]
    fn other_spellings_of_a_number_are_refused() {
        for input in [&b":+1\r\n"[..], b":01\r\n", b"$01\r\na\r\n", b":1\n", b"*-2\r\n"] {
            assert!(Reply::read(&mut &input[..]).is_err(), "{}", quote(input));
        }
    }
}
