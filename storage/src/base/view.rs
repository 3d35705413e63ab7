//! The little that reading needs of a store: one state, ordered by record keys.

use super::BaseError;

/// What an element's subkey begins with in the base, so that the empty one, a field of a hash say,
/// is not the main record's.
pub(crate) const ELEMENT: u8 = 1;

/// One unchanging state of the store.
pub(crate) trait View {
    type Cursor<'a>: Cursor
    where
        Self: 'a;

    /// Hands the value of a record to `read`; `None` when there is no such record.
    fn get<R>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, BaseError>;

    /// A cursor over the records in `from..to`, on the first of them.
    fn cursor(&self, from: &[u8], to: &[u8]) -> Self::Cursor<'_>;
}

/// A place among the records of a [`View`].
pub(crate) trait Cursor {
    /// The record it stands on; `None` at the end or after an error.
    fn item(&self) -> Option<(&[u8], &[u8])>;

    fn next(&mut self);

    /// Goes to the first record at or above `key`.
    fn seek(&mut self, key: &[u8]);

    /// Whether the end was the end, and not an error.
    fn status(&self) -> Result<(), BaseError>;
}

/// Takes a feed's records: ranges in any order, the rest in ascending order of keys.
pub(crate) trait Sink {
    /// Deletes `from..to` as it was before this feed; what the feed puts there stays.
    fn delete_range(&mut self, from: &[u8], to: &[u8]) -> Result<(), BaseError>;

    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), BaseError>;

    fn delete(&mut self, key: &[u8]) -> Result<(), BaseError>;

    /// Between two keys: ranges given later begin above everything given so far.
    fn between_keys(&mut self) -> Result<(), BaseError> {
        Ok(())
    }
}

/// Turns a prefix into the end of its range, the first key above all that begin with it. There is
/// one for every prefix of a record, as no bucket's first byte is 0xff.
pub(crate) fn to_range_end(prefix: &mut Vec<u8>) {
    while let Some(last) = prefix.pop() {
        if last != u8::MAX {
            prefix.push(last + 1);
            return;
        }
    }
}
