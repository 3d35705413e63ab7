//! Hashes: a pack of fields and values while small, a hash-ordered table when large.
//!
//! The small form, `listpack` for `OBJECT ENCODING`, is one record: the pack. The large form,
//! `hashtable`, has one record per field. The border is Redis's: more fields than
//! `hash-max-listpack-entries`, or a field or value longer than `hash-max-listpack-value`; a hash
//! that crossed it does not come back.

use super::pack::{Pack, is_same};
use super::{Changes, Collection, Corrupt, Kind, Thresholds, Value};
use crate::bytes::SmallBytes;
use crate::keyspace::hash32;
use crate::table::HashOrdered;

type Field = (SmallBytes, SmallBytes);

enum Form {
    /// field, value, field, value ...
    Packed(Pack),
    Table(Box<HashOrdered<Field>>),
}

/// The value of a hash key.
#[derive(Clone)]
pub struct Hash(Form);

impl Clone for Form {
    fn clone(&self) -> Form {
        match self {
            Form::Packed(pack) => Form::Packed(pack.clone()),
            Form::Table(table) => Form::Table(table.clone()),
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Hash(Form::Packed(Pack::new()))
    }
}

impl Hash {
    /// Begins to bring near what a look at a field begins with.
    #[inline]
    pub fn prefetch(&self) {
        match &self.0 {
            Form::Packed(pack) => pack.prefetch(),
            Form::Table(table) => crate::prefetch::prefetch(&**table),
        }
    }

    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        match &self.0 {
            Form::Packed(pack) => {
                let (_, value) = pack.at(pack.find(0, 2, field)?)?;
                pack.get(value)
            }
            Form::Table(table) => {
                table.get(hash32(field), |(known, _)| **known == *field).map(|(_, value)| &**value)
            }
        }
    }

    pub fn contains(&self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// Sets one field; true if it is new.
    #[inline]
    pub fn set(&mut self, field: &[u8], value: &[u8], changes: &mut Changes<'_>) -> bool {
        let limits = changes.limits;
        if !is_short((field, value), limits) {
            self.enlarge();
        }
        match &mut self.0 {
            Form::Packed(pack) => {
                changes.touch();
                let found = pack.find(0, 2, field);
                match found {
                    Some(offset) => {
                        let offset = pack.skip(offset, 1);
                        pack.replace(offset, value);
                    }
                    None => pack.push_all([field, value].into_iter()),
                }
                if pack.len() / 2 > limits.hash_entries {
                    self.enlarge();
                }
                found.is_none()
            }
            Form::Table(table) => {
                changes.put(field, value);
                put(table, field, value)
            }
        }
    }

    /// Sets fields one after the other; returns how many are new. A hash that begins with them
    /// gets all its memory at once.
    pub fn set_all<'p>(
        &mut self,
        pairs: impl Iterator<Item = (&'p [u8], &'p [u8])> + Clone,
        changes: &mut Changes<'_>,
    ) -> usize {
        if let Form::Packed(pack) = &mut self.0
            && pack.is_empty()
            && let Some(count @ 1..) = plain(pairs.clone(), changes.limits)
        {
            changes.touch();
            pack.push_all(pairs.flat_map(|(field, value)| [field, value]));
            return count;
        }
        pairs.filter(|(field, value)| self.set(field, value, changes)).count()
    }

    /// Removes one field; false if there was none.
    #[inline]
    pub fn remove(&mut self, field: &[u8], changes: &mut Changes<'_>) -> bool {
        match &mut self.0 {
            Form::Packed(pack) => {
                let Some(offset) = pack.find(0, 2, field) else { return false };
                pack.remove(offset, 2);
                changes.touch();
                true
            }
            Form::Table(table) => {
                let removed = take(table, field);
                if removed {
                    changes.delete(field);
                }
                removed
            }
        }
    }

    /// Every field with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let (pack, table) = self.parts();
        pairs(pack).chain(table.into_iter().flat_map(|table| table.iter().map(borrow)))
    }

    /// A uniformly drawn field with its value. `draw(n)` returns a number below `n`.
    pub fn random(&self, mut draw: impl FnMut(usize) -> usize) -> Option<(&[u8], &[u8])> {
        match &self.0 {
            Form::Packed(pack) if pack.is_empty() => None,
            Form::Packed(pack) => {
                let (field, next) = pack.at(pack.offset(draw(pack.len() / 2) * 2))?;
                Some((field, pack.get(next)?))
            }
            Form::Table(table) => table.random(draw).map(borrow),
        }
    }

    /// Calls `each` for at least `count` fields from the hash `cursor` on (fewer at the end), and
    /// returns the cursor to go on with, 0 at the end. A small hash is given whole.
    pub fn scan<'s>(
        &'s self,
        cursor: u64,
        count: usize,
        mut each: impl FnMut((&'s [u8], &'s [u8])),
    ) -> u64 {
        match &self.0 {
            Form::Packed(pack) => {
                pairs(Some(pack)).for_each(each);
                0
            }
            Form::Table(table) => scan_table(table, cursor, count, |item| each(borrow(item))),
        }
    }

    fn parts(&self) -> (Option<&Pack>, Option<&HashOrdered<Field>>) {
        match &self.0 {
            Form::Packed(pack) => (Some(pack), None),
            Form::Table(table) => (None, Some(table)),
        }
    }

    /// Takes the large form.
    fn enlarge(&mut self) {
        if let Form::Packed(pack) = &self.0 {
            let mut table = Box::<HashOrdered<Field>>::default();
            for (field, value) in pairs(Some(pack)) {
                put(&mut table, field, value);
            }
            self.0 = Form::Table(table);
        }
    }
}

/// Walks a table in hash order for SCAN: whole groups of equal hashes, so that no element that
/// stays is left out however often the table is resized in between (C19).
pub(super) fn scan_table<'s, T>(
    table: &'s HashOrdered<T>,
    cursor: u64,
    count: usize,
    mut each: impl FnMut(&'s T),
) -> u64 {
    let Ok(from) = u32::try_from(cursor) else { return 0 };
    let mut last = None;
    for (seen, (hash, item)) in table.iter_from(from).enumerate() {
        if seen >= count && last != Some(hash) {
            return u64::from(hash);
        }
        last = Some(hash);
        each(item);
    }
    0
}

/// Whether a small hash may hold the pair.
#[inline]
fn is_short((field, value): (&[u8], &[u8]), limits: &Thresholds) -> bool {
    field.len() <= limits.hash_value && value.len() <= limits.hash_value
}

/// The number of these pairs, if together they can be a small hash and no field comes twice.
fn plain<'p>(
    pairs: impl Iterator<Item = (&'p [u8], &'p [u8])> + Clone,
    limits: &Thresholds,
) -> Option<usize> {
    let mut count = 0;
    for pair in pairs.clone() {
        let mut before = pairs.clone().take(count);
        count += 1;
        if count > limits.hash_entries
            || !is_short(pair, limits)
            || before.any(|(field, _)| is_same(field, pair.0))
        {
            return None;
        }
    }
    Some(count)
}

fn pairs(pack: Option<&Pack>) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut entries = pack.into_iter().flatten();
    std::iter::from_fn(move || Some((entries.next()?, entries.next()?)))
}

fn borrow(item: &Field) -> (&[u8], &[u8]) {
    (&item.0, &item.1)
}

/// Sets a field in the large form; true if it is new.
#[inline]
fn put(table: &mut HashOrdered<Field>, field: &[u8], value: &[u8]) -> bool {
    let hash = hash32(field);
    let value = SmallBytes::new(value);
    match table.get_mut(hash, |(known, _)| **known == *field) {
        Some((_, place)) => {
            *place = value;
            false
        }
        None => {
            table.insert(hash, (SmallBytes::new(field), value));
            true
        }
    }
}

fn take(table: &mut HashOrdered<Field>, field: &[u8]) -> bool {
    table.remove(hash32(field), |(known, _)| **known == *field).is_some()
}

impl Collection for Hash {
    const KIND: Kind = Kind::Hash;

    fn from_value(value: &Value) -> Option<&Self> {
        match value {
            Value::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    fn from_value_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Hash(hash) => Some(hash),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::Hash(self)
    }

    fn len(&self) -> usize {
        match &self.0 {
            Form::Packed(pack) => pack.len() / 2,
            Form::Table(table) => table.len(),
        }
    }

    fn is_single(&self) -> bool {
        matches!(self.0, Form::Packed(_))
    }

    fn encoding(&self) -> &'static str {
        if self.is_single() { "listpack" } else { "hashtable" }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Form::Packed(pack) = &self.0 {
            out.extend_from_slice(pack.as_bytes());
        }
    }

    fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        if let Form::Table(table) = &self.0 {
            table.iter().for_each(|(field, value)| put(field, value));
        }
    }

    fn decode(single: bool, payload: &[u8]) -> Result<Self, Corrupt> {
        if !single {
            let table = payload.is_empty().then(Box::default).ok_or(Corrupt("hash"))?;
            return Ok(Hash(Form::Table(table)));
        }
        let pack = Pack::from_bytes(payload)?;
        if pack.len() % 2 != 0 {
            return Err(Corrupt("hash"));
        }
        Ok(Hash(Form::Packed(pack)))
    }

    fn load_element(&mut self, subkey: &[u8], value: &[u8]) -> Result<(), Corrupt> {
        match &mut self.0 {
            Form::Packed(_) => Err(Corrupt("hash")),
            Form::Table(table) => {
                put(table, subkey, value);
                Ok(())
            }
        }
    }

    fn unload_element(&mut self, subkey: &[u8]) {
        if let Form::Table(table) = &mut self.0 {
            take(table, subkey);
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        match &self.0 {
            Form::Packed(pack) => pack.heap_bytes(),
            Form::Table(table) => {
                let outside = |(field, value): &Field| field.heap_bytes() + value.heap_bytes();
                size_of::<HashOrdered<Field>>() + table_bytes(table, samples, outside)
            }
        }
    }
}

/// The bytes of a table, those outside of its slots estimated from `samples` items (0: all).
pub(super) fn table_bytes<T>(
    table: &HashOrdered<T>,
    samples: usize,
    outside: impl Fn(&T) -> usize,
) -> usize {
    let looked_at = if samples == 0 { table.len() } else { samples.min(table.len()) };
    let sum: usize = table.iter().take(looked_at).map(outside).sum();
    table.heap_bytes() + sum * table.len() / looked_at.max(1)
}

#[cfg(test)]
mod tests;
