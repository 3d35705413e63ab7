//! Reading committed entries back: for the feed into the base, for recovery, for followers.
//!
//! The files are read, not the memory, so a reader sees what a restart would see. Records are
//! verified again on the way.

use std::sync::Arc;

use super::entry::Joiner;
use super::record::Kind;
use super::scan::{Bad, Scan};
use super::segment::{OPENING, Segment};
use super::{Entry, Journal, JournalError};

impl Journal {
    /// Committed entries from index `from` on, in order, about `max_bytes` of payload and at
    /// least one entry if there is one. A run is one [`Entry`]; a run that was never finished is
    /// left out, so indexes can jump: go on at the last entry's `id.index + 1`. Every `from` is
    /// such an index, 0, or above the base. Empty: nothing more is committed now.
    ///
    /// # Errors
    /// [`JournalError::Purged`], or [`JournalError::Damaged`] when a file does not read back.
    pub fn read(&self, from: u64, max_bytes: usize) -> Result<Vec<Entry>, JournalError> {
        let limit = self.released();
        let mut entries = Vec::new();
        if from > limit {
            return Ok(entries);
        }
        let segments = self.segments_from(from)?;
        let (mut joiner, mut bytes) = (Joiner::default(), 0usize);
        for segment in segments {
            let size = segment.size();
            let begin =
                if segment.header.first_index < from { segment.seek(from) } else { OPENING };
            let mut scan = Scan::new(&*segment.file, segment.seed, begin, size);
            while let Some((head, payload)) = scan.next().map_err(|bad| damaged(&segment, bad))? {
                if !Kind::from_byte(head.kind).is_some_and(Kind::is_entry) || head.id.index < from {
                    continue;
                }
                if head.id.index > limit {
                    return Ok(entries);
                }
                if let Some(entry) = joiner.add(&head, payload) {
                    bytes = bytes.saturating_add(entry.bytes());
                    entries.push(entry);
                    if bytes >= max_bytes {
                        return Ok(entries);
                    }
                }
            }
        }
        Ok(entries)
    }

    /// About how many bytes of written records lie above `index`, to within 64 KiB per end.
    pub fn bytes_since(&self, index: u64) -> u64 {
        let segments = self.0.shared.segments.read();
        let end = segments.last().map_or(0, |last| last.start.saturating_add(last.size()));
        let next = index.saturating_add(1);
        if next > self.written() {
            return 0;
        }
        let holder = segments.partition_point(|segment| segment.header.first_index <= next);
        let place = match holder.checked_sub(1).and_then(|i| segments.get(i)) {
            Some(segment) => segment.start.saturating_add(segment.seek(next)),
            None => segments.first().map_or(0, |first| first.start),
        };
        end.saturating_sub(place)
    }

    /// Bytes of all segments.
    pub fn tail_bytes(&self) -> u64 {
        let segments = self.0.shared.segments.read();
        segments.iter().fold(0, |sum: u64, segment| sum.saturating_add(segment.size()))
    }

    /// Segments from the one that holds `from` on.
    fn segments_from(&self, from: u64) -> Result<Vec<Arc<Segment>>, JournalError> {
        let segments = self.0.shared.segments.read();
        let holder = segments.partition_point(|segment| segment.header.first_index <= from);
        let Some(holder) = holder.checked_sub(1) else {
            let first = segments.first().map_or(0, |first| first.header.first_index);
            return Err(JournalError::Purged { asked: from, first });
        };
        Ok(segments.iter().skip(holder).cloned().collect())
    }
}

fn damaged(segment: &Segment, bad: Bad) -> JournalError {
    JournalError::Damaged { file: segment.path.clone(), offset: bad.offset, reason: bad.reason }
}
