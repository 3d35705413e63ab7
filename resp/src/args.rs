//! The arguments of one command: where they lie in a buffer, not copies of them.
//!
//! [`Args`] borrows and is two slices wide, so it is passed by value. [`OwnedArgs`] is for a command
//! that outlives the receive buffer (MULTI, a blocked client): one allocation for all bytes and one
//! for the spans.

/// Where an argument lies, counted from the command's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

impl Span {
    #[inline]
    fn slice(self, buf: &[u8]) -> &[u8] {
        buf.get(self.start..).and_then(|tail| tail.get(..self.len)).unwrap_or_default()
    }
}

/// The arguments of a command, the command's name first.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Args<'a> {
    #[inline]
    pub(crate) fn new(buf: &'a [u8], spans: &'a [Span]) -> Self {
        Self { buf, spans }
    }

    /// How many arguments there are, the name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `i`, or nothing when there are fewer.
    #[inline]
    pub fn get(self, i: usize) -> Option<&'a [u8]> {
        self.spans.get(i).map(|span| span.slice(self.buf))
    }

    /// Argument `i` where the arity has been checked; an empty slice when there are fewer.
    #[inline]
    pub fn at(self, i: usize) -> &'a [u8] {
        self.get(i).unwrap_or_default()
    }

    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone {
        self.spans.iter().map(move |span| span.slice(self.buf))
    }

    /// The arguments from `i` on; none when there are fewer.
    #[inline]
    pub fn from(self, i: usize) -> Args<'a> {
        Self { buf: self.buf, spans: self.spans.get(i..).unwrap_or_default() }
    }

    /// The sum of the arguments' lengths.
    #[inline]
    pub fn bytes(self) -> usize {
        self.spans.iter().fold(0, |sum, span| sum.wrapping_add(span.len))
    }

    /// A copy that owns its bytes, without the protocol's own between them.
    pub fn to_owned(self) -> OwnedArgs {
        OwnedArgs::collect(self.iter(), self.bytes())
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|arg| arg.escape_ascii().to_string())).finish()
    }
}

/// Arguments that own their bytes.
#[derive(Clone)]
pub struct OwnedArgs {
    buf: Box<[u8]>,
    spans: Box<[Span]>,
}

impl OwnedArgs {
    pub fn from_slices(slices: &[&[u8]]) -> Self {
        Self::collect(slices.iter().copied(), slices.iter().map(|slice| slice.len()).sum())
    }

    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args::new(&self.buf, &self.spans)
    }

    /// Bytes held on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.buf.len().saturating_add(size_of_val(&*self.spans))
    }

    fn collect<'a>(slices: impl ExactSizeIterator<Item = &'a [u8]>, bytes: usize) -> Self {
        let mut buf = Vec::with_capacity(bytes);
        let spans = slices
            .map(|slice| {
                let start = buf.len();
                buf.extend_from_slice(slice);
                Span { start, len: slice.len() }
            })
            .collect();
        Self { buf: buf.into_boxed_slice(), spans }
    }
}

impl std::fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_args().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_args_give_back_their_slices() {
        let owned = OwnedArgs::from_slices(&[b"SET", b"", b"value"]);
        let args = owned.as_args();
        assert_eq!(args.iter().collect::<Vec<_>>(), [&b"SET"[..], b"", b"value"]);
        assert_eq!(args.iter().next_back(), Some(&b"value"[..]));
        assert_eq!((args.len(), args.bytes(), args.at(9), args.get(3)), (3, 8, &b""[..], None));
        let tail = args.from(2).to_owned();
        assert_eq!(tail.as_args().at(0), b"value");
        assert_eq!(tail.heap_bytes(), 5 + size_of::<Span>());
        assert!(args.from(7).is_empty());
    }
}
