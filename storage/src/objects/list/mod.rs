//! Lists: one packed run of elements while short, a deque of such runs when long.
//!
//! In the large form an element's record is named by its position, a number whose order is the
//! list's. Positions have no gaps. A push takes the next number at its end, so that one record is
//! written; inserting or removing inside gives new positions to the elements of the shorter side,
//! each written again, and frees positions at the end of that side. Only the position of the first
//! element is remembered. 64 bits of positions are never used up.

mod chunk;
mod deque;

use super::{Changes, Collection, Corrupt, Kind, Value};
use chunk::{Chunk, entry_len};
use deque::Deque;
pub use deque::Iter;
use std::ops::Range;

/// Limits of the single form, beyond which a whole record per change costs more than it saves.
const SINGLE_ELEMENTS: usize = 128;
const SINGLE_BYTES: usize = 2048;

/// An end of a list, by Redis's words; the head is the left one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    Left,
    Right,
}

#[derive(Clone, Default)]
pub struct List {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Single(Chunk),
    Large(Box<Large>),
}

#[derive(Clone)]
struct Large {
    items: Deque,
    /// Position of the element at index 0.
    first: i64,
}

impl Default for Form {
    fn default() -> Form {
        Form::Single(Chunk::default())
    }
}

impl List {
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        match &self.form {
            Form::Single(chunk) => chunk.get(index),
            Form::Large(large) => large.items.get(index),
        }
    }

    /// The first or the last element.
    pub fn end(&self, side: Side) -> Option<&[u8]> {
        match side {
            Side::Left => self.get(0),
            Side::Right => self.get(self.len().checked_sub(1)?),
        }
    }

    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len())
    }

    /// The elements at the indexes of `range`; those that exist.
    pub fn range(&self, range: Range<usize>) -> Iter<'_> {
        match &self.form {
            Form::Single(chunk) => Iter::of(chunk.items_in(range.start, range.end)),
            Form::Large(large) => large.items.iter(range),
        }
    }

    pub fn push(&mut self, side: Side, element: &[u8], changes: &mut Changes<'_>) {
        changes.touch();
        if let Some(chunk) = self.single(1, entry_len(element)) {
            return chunk.push(side, element);
        }
        let large = self.large();
        let position = match side {
            Side::Left => {
                large.first -= 1;
                large.first
            }
            Side::Right => large.position(large.items.len()),
        };
        large.items.push(side, element);
        changes.put(&subkey(position), element);
    }

    /// Drops up to `count` elements from one end.
    pub fn drop_ends(&mut self, side: Side, count: usize, changes: &mut Changes<'_>) {
        let count = count.min(self.len());
        if count == 0 {
            return;
        }
        changes.touch();
        match &mut self.form {
            Form::Single(chunk) => {
                chunk.drop_ends(side, count);
                // Half full is kept: a short queue breathes without allocating.
                if chunk.bytes() < chunk.capacity() / 4 {
                    chunk.shrink();
                }
            }
            Form::Large(large) => large.drop_ends(side, count, changes),
        }
    }

    /// Replaces the element at `index`; false if there is none.
    pub fn set(&mut self, index: usize, element: &[u8], changes: &mut Changes<'_>) -> bool {
        let Some(old) = self.get(index).map(entry_len) else { return false };
        changes.touch();
        let more = entry_len(element).saturating_sub(old);
        if let Some(chunk) = self.single(0, more) {
            chunk.set(index, element);
            return true;
        }
        let large = self.large();
        changes.put(&subkey(large.position(index)), element);
        large.items.set(index, element)
    }

    /// Puts `element` before the one at `index`, or behind the last one.
    pub fn insert(&mut self, index: usize, element: &[u8], changes: &mut Changes<'_>) {
        if index == 0 {
            return self.push(Side::Left, element, changes);
        }
        if index >= self.len() {
            return self.push(Side::Right, element, changes);
        }
        changes.touch();
        if let Some(chunk) = self.single(1, entry_len(element)) {
            return chunk.insert(index, element);
        }
        let large = self.large();
        large.items.insert(index, element);
        let moved = if index < large.items.len() / 2 {
            large.first -= 1;
            0..index + 1
        } else {
            index..large.items.len()
        };
        large.put(moved, changes);
    }

    /// Removes the elements at `indexes`, which ascend and exist.
    pub fn remove(&mut self, indexes: &[usize], changes: &mut Changes<'_>) {
        let (Some(&lowest), Some(&highest)) = (indexes.first(), indexes.last()) else { return };
        changes.touch();
        match &mut self.form {
            Form::Single(chunk) => {
                let mut deque = Deque::from(std::mem::take(chunk));
                deque.remove(indexes);
                deque.iter(0..deque.len()).for_each(|element| chunk.push(Side::Right, element));
            }
            Form::Large(large) => {
                let (len, count) = (large.items.len(), indexes.len());
                large.items.remove(indexes);
                // What stands before the highest removed index moves up, or what stands behind
                // the lowest moves down.
                if highest + 1 < len - lowest {
                    let freed = large.first;
                    large.first += count as i64;
                    large.put(0..highest + 1 - count, changes);
                    (0..count as i64).for_each(|i| changes.delete(&subkey(freed + i)));
                } else {
                    large.put(lowest..len - count, changes);
                    let freed = (len - count..len).rev();
                    freed.for_each(|index| changes.delete(&subkey(large.position(index))));
                }
            }
        }
    }

    /// The chunk of the single form, if it stays within its limits with so much more.
    fn single(&mut self, elements: usize, bytes: usize) -> Option<&mut Chunk> {
        match &mut self.form {
            Form::Single(chunk)
                if chunk.len() + elements <= SINGLE_ELEMENTS
                    && chunk.bytes() + bytes <= SINGLE_BYTES =>
            {
                Some(chunk)
            }
            _ => None,
        }
    }

    /// The large form, entered if need be. The keyspace then writes every element anew.
    fn large(&mut self) -> &mut Large {
        if let Form::Single(chunk) = &mut self.form {
            let items = Deque::from(std::mem::take(chunk));
            self.form = Form::Large(Box::new(Large { items, first: 0 }));
        }
        match &mut self.form {
            Form::Large(large) => large,
            Form::Single(_) => unreachable!("made large just above"),
        }
    }
}

impl Large {
    fn position(&self, index: usize) -> i64 {
        self.first + index as i64
    }

    fn put(&self, indexes: Range<usize>, changes: &mut Changes<'_>) {
        for (index, element) in indexes.clone().zip(self.items.iter(indexes)) {
            changes.put(&subkey(self.position(index)), element);
        }
    }

    fn drop_ends(&mut self, side: Side, count: usize, changes: &mut Changes<'_>) {
        let len = self.items.len();
        match side {
            Side::Left => {
                (0..count).for_each(|index| changes.delete(&subkey(self.position(index))));
                self.first += count as i64;
            }
            Side::Right => {
                let freed = (len - count..len).rev();
                freed.for_each(|index| changes.delete(&subkey(self.position(index))));
            }
        }
        self.items.drop_ends(side, count);
    }
}

/// Positions as bytes in the same order.
fn subkey(position: i64) -> [u8; 8] {
    (position as u64 ^ 1 << 63).to_be_bytes()
}

fn position(subkey: &[u8]) -> Result<i64, Corrupt> {
    let bytes = subkey.try_into().map_err(|_| Corrupt("list"))?;
    Ok((u64::from_be_bytes(bytes) ^ 1 << 63) as i64)
}

impl Collection for List {
    const KIND: Kind = Kind::List;

    fn from_value(value: &Value) -> Option<&Self> {
        match value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    fn from_value_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::List(Box::new(self))
    }

    fn len(&self) -> usize {
        match &self.form {
            Form::Single(chunk) => chunk.len(),
            Form::Large(large) => large.items.len(),
        }
    }

    fn is_single(&self) -> bool {
        matches!(self.form, Form::Single(_))
    }

    fn encoding(&self) -> &'static str {
        "quicklist"
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Form::Single(chunk) = &self.form {
            out.extend_from_slice(chunk.content());
        }
    }

    fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        if let Form::Large(large) = &self.form {
            for (index, element) in self.iter().enumerate() {
                put(&subkey(large.position(index)), element);
            }
        }
    }

    fn decode(single: bool, payload: &[u8]) -> Result<Self, Corrupt> {
        let form = match (single, payload) {
            (true, content) => Form::Single(Chunk::from_content(content).ok_or(Corrupt("list"))?),
            (false, []) => Form::Large(Box::new(Large { items: Deque::default(), first: 0 })),
            (false, _) => return Err(Corrupt("list")),
        };
        Ok(List { form })
    }

    /// Positions that are known, or next to the known ones; any position first.
    fn load_element(&mut self, subkey: &[u8], value: &[u8]) -> Result<(), Corrupt> {
        let position = position(subkey)?;
        let Form::Large(large) = &mut self.form else { return Err(Corrupt("list")) };
        let len = large.items.len();
        if len == 0 {
            large.first = position;
        }
        let index = position.checked_sub(large.first).ok_or(Corrupt("list"))?;
        match usize::try_from(index) {
            Ok(index) if index < len => {
                large.items.set(index, value);
            }
            Ok(index) if index == len => large.items.push(Side::Right, value),
            Err(_) if index == -1 => {
                large.items.push(Side::Left, value);
                large.first = position;
            }
            _ => return Err(Corrupt("list")),
        }
        Ok(())
    }

    /// The first or the last position, which is what changes free.
    fn unload_element(&mut self, subkey: &[u8]) {
        let Form::Large(large) = &mut self.form else { return };
        let (Ok(position), Some(last)) = (position(subkey), large.items.len().checked_sub(1))
        else {
            return;
        };
        if position == large.first {
            large.items.drop_ends(Side::Left, 1);
            large.first = large.first.wrapping_add(1);
        } else if position == large.position(last) {
            large.items.drop_ends(Side::Right, 1);
        }
    }

    fn heap_bytes(&self, _samples: usize) -> usize {
        match &self.form {
            Form::Single(chunk) => chunk.capacity(),
            Form::Large(large) => size_of::<Large>() + large.items.heap_bytes(),
        }
    }
}

#[cfg(test)]
mod tests;
