//! Replies, appended to a byte buffer as they are made.
//!
//! One call per element, in wire order; an aggregate's call writes its header and its elements
//! follow. What RESP2 has no type for becomes what Redis sends there: a map a flat array, a double a
//! string, a boolean 0 or 1. Nothing checks that the announced number of elements follows.

use crate::float_format;

/// Bulks from this size on reserve exactly what they need: doubling the buffer would waste much.
const EXACT_RESERVE_MIN: usize = 32 << 10;

/// The dialect a client chose with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Resp2,
    Resp3,
}

/// Where an aggregate of yet unknown size begins; see [`Reply::begin_array`].
#[derive(Debug)]
#[must_use = "the aggregate has no header until it is ended"]
pub struct Deferred {
    at: usize,
}

/// Writes replies to the end of `out`.
#[derive(Debug)]
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> Reply<'a> {
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, protocol: Protocol) -> Self {
        Self { out, protocol }
    }

    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A status line. CR and LF in it become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error: its code and text without the leading `-`. CR and LF in it become spaces.
    pub fn error(&mut self, text: &str) {
        self.line(b'-', text.as_bytes());
    }

    /// As [`Self::error`], for a text that quotes a client's bytes.
    pub fn error_bytes(&mut self, text: &[u8]) {
        self.line(b'-', text);
    }

    #[inline]
    pub fn int(&mut self, value: i64) {
        match value {
            0 => self.out.extend_from_slice(b":0\r\n"),
            1 => self.out.extend_from_slice(b":1\r\n"),
            _ => {
                self.out.push(b':');
                self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        // A header has at most 23 bytes, the end 2.
        let needed = bytes.len().saturating_add(32);
        if needed < EXACT_RESERVE_MIN {
            self.out.reserve(needed);
        } else {
            self.out.reserve_exact(needed);
        }
        self.header(b'$', bytes.len());
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    #[inline]
    pub fn bulk_str(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// A number as a bulk string.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(self.choose(b"$-1\r\n", b"_\r\n"));
    }

    /// The null that stands for an array.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(self.choose(b"*-1\r\n", b"_\r\n"));
    }

    /// The header of an array of `len` elements.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// The header of a map of so many pairs; in RESP2 of an array of twice as many elements.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', pairs.saturating_mul(2)),
            Protocol::Resp3 => self.header(b'%', pairs),
        }
    }

    /// The header of a set; in RESP2 of an array.
    pub fn set(&mut self, len: usize) {
        self.aggregate(b'~', len);
    }

    /// The header of a push message; in RESP2 of an array.
    pub fn push(&mut self, len: usize) {
        self.aggregate(b'>', len);
    }

    /// The header of an attribute of so many pairs. RESP2 has none: false says that nothing was
    /// written, and the pairs must not be either.
    #[must_use = "in RESP2 the attribute's pairs must not follow"]
    pub fn attribute(&mut self, pairs: usize) -> bool {
        let written = self.protocol == Protocol::Resp3;
        if written {
            self.header(b'|', pairs);
        }
        written
    }

    /// A double with 17 significant digits; in RESP2 as a bulk string.
    pub fn double(&mut self, value: f64) {
        self.double_text(float_format::with_17g(value).as_bytes());
    }

    /// A score: a double, in both dialects written as [`Self::double`] does.
    pub fn score(&mut self, value: f64) {
        self.double(value);
    }

    /// A double whose text is made already, as by [`crate::numbers::format_long_double`].
    pub fn human_double(&mut self, text: &str) {
        self.double_text(text.as_bytes());
    }

    pub fn boolean(&mut self, value: bool) {
        let text = if value {
            self.choose(b":1\r\n", b"#t\r\n")
        } else {
            self.choose(b":0\r\n", b"#f\r\n")
        };
        self.out.extend_from_slice(text);
    }

    /// A text of the format `ext`, three characters such as `txt`; in RESP2 a bulk string.
    pub fn verbatim(&mut self, ext: &str, bytes: &[u8]) {
        if self.protocol == Protocol::Resp2 {
            return self.bulk(bytes);
        }
        debug_assert_eq!(ext.len(), 3, "{ext:?}");
        self.header(b'=', bytes.len().saturating_add(ext.len()).saturating_add(1));
        self.out.extend_from_slice(ext.as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An integer of any size in decimal; in RESP2 a bulk string.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// Bytes that are a reply already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Where the next reply will begin; with [`Self::truncate`] an error can replace what came
    /// after.
    #[inline]
    pub fn mark(&self) -> usize {
        self.out.len()
    }

    /// Takes back all written since `mark`.
    pub fn truncate(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// Bytes in the buffer, those of earlier replies included.
    #[inline]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Begins an aggregate whose size is known only at its end; one of the `end_` calls then puts
    /// its header in front. These nest.
    pub fn begin_array(&mut self) -> Deferred {
        Deferred { at: self.out.len() }
    }

    pub fn end_array(&mut self, begun: Deferred, len: usize) {
        self.end(begun, |reply| reply.array(len));
    }

    pub fn end_map(&mut self, begun: Deferred, pairs: usize) {
        self.end(begun, |reply| reply.map(pairs));
    }

    pub fn end_set(&mut self, begun: Deferred, len: usize) {
        self.end(begun, |reply| reply.set(len));
    }

    /// Writes a header at the end, then rotates it to where the aggregate begins.
    fn end(&mut self, begun: Deferred, header: impl FnOnce(&mut Self)) {
        let body_end = self.out.len();
        header(self);
        let header_len = self.out.len().wrapping_sub(body_end);
        if let Some(aggregate) = self.out.get_mut(begun.at..) {
            aggregate.rotate_right(header_len);
        }
    }

    #[inline]
    fn choose<'t>(&self, resp2: &'t [u8], resp3: &'t [u8]) -> &'t [u8] {
        match self.protocol {
            Protocol::Resp2 => resp2,
            Protocol::Resp3 => resp3,
        }
    }

    #[inline]
    fn aggregate(&mut self, kind: u8, len: usize) {
        self.header(if self.protocol == Protocol::Resp3 { kind } else { b'*' }, len);
    }

    #[inline]
    fn header(&mut self, kind: u8, len: usize) {
        // Short headers go as one piece, which spares the buffer's checks.
        match u8::try_from(len) {
            Ok(ones @ 0..=9) => self.out.extend_from_slice(&[kind, b'0' | ones, b'\r', b'\n']),
            Ok(len @ 10..=99) => {
                let (tens, ones) = (b'0' | (len / 10), b'0' | (len % 10));
                self.out.extend_from_slice(&[kind, tens, ones, b'\r', b'\n']);
            }
            _ => {
                self.out.push(kind);
                self.out.extend_from_slice(itoa::Buffer::new().format(len).as_bytes());
                self.out.extend_from_slice(b"\r\n");
            }
        }
    }

    fn double_text(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text),
        }
    }

    fn line(&mut self, kind: u8, text: &[u8]) {
        self.out.push(kind);
        if memchr::memchr2(b'\r', b'\n', text).is_none() {
            self.out.extend_from_slice(text);
        } else {
            let plain = |byte: &u8| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte };
            self.out.extend(text.iter().map(plain));
        }
        self.out.extend_from_slice(b"\r\n");
    }
}
