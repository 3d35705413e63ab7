//! Sets: sorted integers, else a pack while small, else a hash-ordered table.
//!
//! For `OBJECT ENCODING` there are Redis 7.0's two: `intset` while every member is a canonical
//! integer and there are at most `set-max-intset-entries`, then for ever `hashtable`. Up to
//! [`PACKED_ENTRIES`] short members a `hashtable` is nevertheless held as a pack, one record and
//! one allocation; beyond that each member is a record with an empty value.

mod ints;

use self::ints::Ints;
use super::hash::{scan_table, table_bytes};
use super::pack::Pack;
use super::{Changes, Collection, Corrupt, Kind, Value};
use crate::bytes::SmallBytes;
use crate::keyspace::hash32;
use crate::table::HashOrdered;
use resp::numbers::parse_i64;
use std::io::Write;

/// The most members of a pack: beyond, walking it costs more than a table.
const PACKED_ENTRIES: usize = 128;
/// The longest member of a pack, bytes.
const PACKED_VALUE: usize = 64;
/// The longest `i64` has so many characters.
const INTEGER_LEN_MAX: usize = 20;

/// Tags in front of the single forms' records.
const TAG_INTS: u8 = 0;
const TAG_PACKED: u8 = 1;

enum Form {
    Ints(Ints),
    Packed(Pack),
    Table(Box<HashOrdered<SmallBytes>>),
}

/// The value of a set key.
#[derive(Clone)]
pub struct Set(Form);

/// A member as the set holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member<'a> {
    Int(i64),
    Bytes(&'a [u8]),
}

impl<'a> Member<'a> {
    /// The member's bytes; a number is printed into `room`.
    #[inline]
    pub fn bytes<'b>(self, room: &'b mut [u8; INTEGER_LEN_MAX]) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Member::Int(n) => {
                let mut left = &mut room[..];
                // The room fits the longest number.
                let _ = write!(left, "{n}");
                let len = INTEGER_LEN_MAX - left.len();
                room.get(..len).unwrap_or_default()
            }
            Member::Bytes(bytes) => bytes,
        }
    }

    pub fn to_vec(self) -> Vec<u8> {
        self.bytes(&mut [0; INTEGER_LEN_MAX]).to_vec()
    }
}

impl Clone for Form {
    fn clone(&self) -> Form {
        match self {
            Form::Ints(ints) => Form::Ints(ints.clone()),
            Form::Packed(pack) => Form::Packed(pack.clone()),
            Form::Table(table) => Form::Table(table.clone()),
        }
    }
}

impl Default for Set {
    fn default() -> Self {
        Set(Form::Ints(Ints::new()))
    }
}

/// The number that `member` is, if it is spelled the one way numbers are.
#[inline]
fn integer(member: &[u8]) -> Option<i64> {
    if member.len() <= INTEGER_LEN_MAX { parse_i64(member) } else { None }
}

impl Set {
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.0 {
            Form::Ints(ints) => integer(member).is_some_and(|n| ints.contains(n)),
            Form::Packed(pack) => pack.find(0, 1, member).is_some(),
            Form::Table(table) => table.get(hash32(member), |known| **known == *member).is_some(),
        }
    }

    /// As [`Set::contains`], for a member of another set.
    pub fn has(&self, member: Member<'_>) -> bool {
        match (&self.0, member) {
            (Form::Ints(ints), Member::Int(n)) => ints.contains(n),
            (_, member) => self.contains(member.bytes(&mut [0; INTEGER_LEN_MAX])),
        }
    }

    /// Adds a member; false if it was there.
    #[inline]
    pub fn insert(&mut self, member: &[u8], changes: &mut Changes<'_>) -> bool {
        match &mut self.0 {
            Form::Ints(ints) => match integer(member) {
                Some(n) => {
                    let new = ints.insert(n);
                    if new {
                        changes.touch();
                        if ints.len() > changes.limits.intset_entries {
                            self.leave_ints();
                        }
                    }
                    new
                }
                None => {
                    changes.touch();
                    self.leave_ints();
                    self.insert(member, changes)
                }
            },
            Form::Packed(pack) => {
                if pack.find(0, 1, member).is_some() {
                    return false;
                }
                changes.touch();
                if pack.len() < PACKED_ENTRIES && member.len() <= PACKED_VALUE {
                    pack.push_back(member);
                    return true;
                }
                self.enlarge();
                self.insert(member, changes)
            }
            Form::Table(table) => {
                let new = put(table, member);
                if new {
                    changes.put(member, b"");
                }
                new
            }
        }
    }

    /// As [`Set::insert`], for a member of another set.
    pub fn insert_member(&mut self, member: Member<'_>, changes: &mut Changes<'_>) -> bool {
        self.insert(member.bytes(&mut [0; INTEGER_LEN_MAX]), changes)
    }

    /// Removes a member; false if it was not there.
    #[inline]
    pub fn remove(&mut self, member: &[u8], changes: &mut Changes<'_>) -> bool {
        let removed = match &mut self.0 {
            Form::Ints(ints) => integer(member).is_some_and(|n| ints.remove(n)),
            Form::Packed(pack) => match pack.find(0, 1, member) {
                Some(offset) => pack.remove(offset, 1) > 0,
                None => false,
            },
            Form::Table(table) => {
                let removed = take(table, member);
                if removed {
                    changes.delete(member);
                }
                return removed;
            }
        };
        if removed {
            changes.touch();
        }
        removed
    }

    /// Removes a uniformly drawn member and shows it. `draw(n)` returns a number below `n`.
    #[inline]
    pub fn pop(
        &mut self,
        mut draw: impl FnMut(usize) -> usize,
        changes: &mut Changes<'_>,
        show: impl FnOnce(Member<'_>),
    ) -> bool {
        if self.is_empty() {
            return false;
        }
        match &mut self.0 {
            Form::Ints(ints) => {
                let Some(n) = ints.get(draw(ints.len())) else { return false };
                changes.touch();
                ints.remove(n);
                show(Member::Int(n));
            }
            Form::Packed(pack) => {
                let offset = pack.offset(draw(pack.len()));
                let Some(member) = pack.get(offset) else { return false };
                changes.touch();
                show(Member::Bytes(member));
                pack.remove(offset, 1);
            }
            Form::Table(table) => {
                let Some(member) = table.random(draw).cloned() else { return false };
                changes.delete(&member);
                take(table, &member);
                show(Member::Bytes(&member));
            }
        }
        true
    }

    /// Every member; numbers of an intset ascending.
    pub fn iter(&self) -> impl Iterator<Item = Member<'_>> {
        let (ints, pack, table) = match &self.0 {
            Form::Ints(ints) => (Some(ints), None, None),
            Form::Packed(pack) => (None, Some(pack), None),
            Form::Table(table) => (None, None, Some(table)),
        };
        let ints = ints.into_iter().flat_map(|ints| ints.iter().map(Member::Int));
        let pack = pack.into_iter().flatten().map(Member::Bytes);
        let table = table.into_iter().flat_map(|table| table.iter().map(|m| Member::Bytes(m)));
        ints.chain(pack).chain(table)
    }

    /// A uniformly drawn member. `draw(n)` returns a number below `n`.
    #[inline]
    pub fn random(&self, mut draw: impl FnMut(usize) -> usize) -> Option<Member<'_>> {
        match &self.0 {
            _ if self.is_empty() => None,
            Form::Ints(ints) => ints.get(draw(ints.len())).map(Member::Int),
            Form::Packed(pack) => pack.get(pack.offset(draw(pack.len()))).map(Member::Bytes),
            Form::Table(table) => table.random(draw).map(|member| Member::Bytes(member)),
        }
    }

    /// Calls `each` for at least `count` members from the hash `cursor` on (fewer at the end), and
    /// returns the cursor to go on with, 0 at the end. A small set is given whole.
    pub fn scan<'s>(&'s self, cursor: u64, count: usize, mut each: impl FnMut(Member<'s>)) -> u64 {
        match &self.0 {
            Form::Table(table) => {
                scan_table(table, cursor, count, |member| each(Member::Bytes(member)))
            }
            _ => {
                self.iter().for_each(each);
                0
            }
        }
    }

    /// From numbers to the form that fits them as strings.
    fn leave_ints(&mut self) {
        let Form::Ints(ints) = &self.0 else { return };
        let mut room = [0; INTEGER_LEN_MAX];
        if ints.len() <= PACKED_ENTRIES {
            let mut pack = Pack::new();
            for n in ints.iter() {
                pack.push_back(Member::Int(n).bytes(&mut room));
            }
            self.0 = Form::Packed(pack);
        } else {
            let mut table = Box::<HashOrdered<SmallBytes>>::default();
            for n in ints.iter() {
                put(&mut table, Member::Int(n).bytes(&mut room));
            }
            self.0 = Form::Table(table);
        }
    }

    /// From the pack to the table.
    fn enlarge(&mut self) {
        if let Form::Packed(pack) = &self.0 {
            let mut table = Box::<HashOrdered<SmallBytes>>::default();
            for member in pack {
                put(&mut table, member);
            }
            self.0 = Form::Table(table);
        }
    }
}

#[inline]
fn put(table: &mut HashOrdered<SmallBytes>, member: &[u8]) -> bool {
    let hash = hash32(member);
    let new = table.get(hash, |known| **known == *member).is_none();
    if new {
        table.insert(hash, SmallBytes::new(member));
    }
    new
}

#[inline]
fn take(table: &mut HashOrdered<SmallBytes>, member: &[u8]) -> bool {
    table.remove(hash32(member), |known| **known == *member).is_some()
}

impl Collection for Set {
    const KIND: Kind = Kind::Set;

    fn from_value(value: &Value) -> Option<&Self> {
        match value {
            Value::Set(set) => Some(set),
            _ => None,
        }
    }

    fn from_value_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::Set(set) => Some(set),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::Set(Box::new(self))
    }

    fn len(&self) -> usize {
        match &self.0 {
            Form::Ints(ints) => ints.len(),
            Form::Packed(pack) => pack.len(),
            Form::Table(table) => table.len(),
        }
    }

    fn is_single(&self) -> bool {
        !matches!(self.0, Form::Table(_))
    }

    fn encoding(&self) -> &'static str {
        if matches!(self.0, Form::Ints(_)) { "intset" } else { "hashtable" }
    }

    /// Single: a tag, then the numbers or the pack. Large: nothing.
    fn encode(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Form::Ints(ints) => {
                out.push(TAG_INTS);
                ints.encode(out);
            }
            Form::Packed(pack) => {
                out.push(TAG_PACKED);
                out.extend_from_slice(pack.as_bytes());
            }
            Form::Table(_) => {}
        }
    }

    fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        if let Form::Table(table) = &self.0 {
            table.iter().for_each(|member| put(member, b""));
        }
    }

    fn decode(single: bool, payload: &[u8]) -> Result<Self, Corrupt> {
        let form = match (single, payload.split_first()) {
            (false, None) => Form::Table(Box::default()),
            (true, Some((&TAG_INTS, rest))) => Form::Ints(Ints::decode(rest)?),
            (true, Some((&TAG_PACKED, rest))) => Form::Packed(Pack::from_bytes(rest)?),
            _ => return Err(Corrupt("set")),
        };
        Ok(Set(form))
    }

    fn load_element(&mut self, subkey: &[u8], _value: &[u8]) -> Result<(), Corrupt> {
        match &mut self.0 {
            Form::Table(table) => {
                put(table, subkey);
                Ok(())
            }
            _ => Err(Corrupt("set")),
        }
    }

    fn unload_element(&mut self, subkey: &[u8]) {
        if let Form::Table(table) = &mut self.0 {
            take(table, subkey);
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        match &self.0 {
            Form::Ints(ints) => ints.heap_bytes(),
            Form::Packed(pack) => pack.heap_bytes(),
            Form::Table(table) => {
                size_of::<HashOrdered<SmallBytes>>()
                    + table_bytes(table, samples, SmallBytes::heap_bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests;
