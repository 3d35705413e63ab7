//! What a reader of the journal gets: entries, whole, in order.

use super::record::{FIRST, Head, Kind, LAST, u32_at};

/// Name of an entry. A reply belongs to one of these, never to an index alone (C1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// Term in which it was appended; each start of a solo journal begins one.
    pub term: u64,
    /// Node that appended it.
    pub node: u64,
    /// Place in the log; consecutive.
    pub index: u64,
}

/// A committed entry, or a whole run of entries that carries one large batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its log id; of a run, the last one's.
    pub id: LogId,
    /// Index of the first entry of a run; else that of `id`.
    pub first_index: u64,
    /// The Writer's wall time in ms, never going back along the log.
    pub time_ms: u64,
    payload: Vec<u8>,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Batches,
    Run,
    Membership,
}

impl Entry {
    /// The batches, in the order in which they were appended; none in entry 0.
    pub fn batches(&self) -> Batches<'_> {
        Batches { rest: &self.payload, shape: self.shape }
    }

    /// Bytes of the payload.
    pub fn bytes(&self) -> usize {
        self.payload.len()
    }

    fn begin(head: &Head, payload: &[u8]) -> Self {
        let shape = match Kind::from_byte(head.kind) {
            Some(Kind::Membership) => Shape::Membership,
            _ if head.marks == FIRST | LAST => Shape::Batches,
            _ => Shape::Run,
        };
        let (id, time_ms) = (head.id, head.time_ms);
        Self { id, first_index: id.index, time_ms, payload: payload.to_vec(), shape }
    }
}

/// Iterator over the batches of an [`Entry`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
    shape: Shape,
}

impl<'a> Iterator for Batches<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        match self.shape {
            Shape::Membership => None,
            Shape::Run => {
                self.shape = Shape::Batches;
                Some(std::mem::take(&mut self.rest))
            }
            Shape::Batches => {
                let size = u32_at(self.rest, 0)? as usize;
                let (batch, rest) = self.rest.get(4..)?.split_at_checked(size)?;
                self.rest = rest;
                Some(batch)
            }
        }
    }
}

/// Joins the entries of runs. A run that another entry interrupts is void (C6): its Writer ended
/// while it wrote it.
#[derive(Default)]
pub(super) struct Joiner {
    run: Option<Entry>,
}

impl Joiner {
    /// Takes the next entry of the log; gives back what it completes.
    pub fn add(&mut self, head: &Head, payload: &[u8]) -> Option<Entry> {
        if head.marks & FIRST != 0 {
            self.run = Some(Entry::begin(head, payload));
        } else if let Some(run) = &mut self.run {
            run.payload.extend_from_slice(payload);
            run.id = head.id;
        }
        if head.marks & LAST != 0 { self.run.take() } else { None }
    }
}
