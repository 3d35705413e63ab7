//! Sorted sets: members, each with a score, in the order of (score, member).
//!
//! Up to `zset-max-listpack-entries` short members are one byte string ([`small`]); beyond that a
//! slab, a hash index and a counted tree ([`large`], [`tree`]). A set that left the small form does
//! not return. Scores are never NaN: callers refuse it first. Scores are compared as numbers: 0 and
//! -0 are the same score. As in Redis the small form stores both as 0, the large form keeps the one
//! that came first.
//!
//! On disk the small form is one record with the bytes themselves; the large form has one record
//! per member, the member its subkey and the score, 8 bytes little-endian, its value.

mod bound;
mod large;
mod node;
mod small;
mod tree;

pub use bound::{Bound, LexBound};

use super::{Changes, Collection, Corrupt, Kind, Thresholds, Value};
use crate::bytes::SmallBytes;
use large::Large;
use small::Small;
use std::cmp::Ordering;
use std::ops::Range;

#[derive(Clone, Default)]
pub struct ZSet {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Small(Small),
    Large(Box<Large>),
}

impl Default for Form {
    fn default() -> Self {
        Form::Small(Small::default())
    }
}

impl ZSet {
    /// The set of these pairs, which come in any order and name no member twice.
    pub fn from_pairs(mut pairs: Vec<(SmallBytes, f64)>, limits: &Thresholds) -> ZSet {
        ZSet::sort(&mut pairs);
        let fits = pairs.len() <= limits.zset_entries
            && pairs.iter().all(|(member, _)| member.len() <= limits.zset_value);
        if !fits {
            return ZSet { form: Form::Large(Box::new(Large::from_sorted(pairs.into_iter()))) };
        }
        let mut small = Small::default();
        for (member, score) in &pairs {
            small.insert(member, *score);
        }
        ZSet { form: Form::Small(small) }
    }

    /// Puts pairs into the order that sorted sets have.
    pub fn sort(pairs: &mut [(SmallBytes, f64)]) {
        pairs.sort_unstable_by(|(a, x), (b, y)| {
            x.partial_cmp(y).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b))
        });
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match &self.form {
            Form::Small(small) => small.find(member).map(|found| found.score),
            Form::Large(large) => large.score(member),
        }
    }

    /// How many members stand before this one, and its score.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match &self.form {
            Form::Small(small) => small.find(member).map(|found| (found.rank, found.score)),
            Form::Large(large) => large.rank_of(member),
        }
    }

    /// Gives a member its score, which is not NaN; the score it had.
    pub fn set(&mut self, member: &[u8], score: f64, changes: &mut Changes<'_>) -> Option<f64> {
        debug_assert!(!score.is_nan());
        let small = match &mut self.form {
            Form::Small(small) => small,
            Form::Large(large) => {
                let old = large.set(member, score);
                if old != Some(score) {
                    changes.put(member, &score.to_le_bytes());
                }
                return old;
            }
        };
        let found = small.find(member);
        let old = found.as_ref().map(|found| found.score);
        if old == Some(score) {
            return old;
        }
        changes.touch();
        let limits = changes.limits;
        if let Some(found) = found {
            small.remove(found);
        } else if small.len() >= limits.zset_entries || member.len() > limits.zset_value {
            let mut large = Large::from_sorted(small.iter());
            large.set(member, score);
            self.form = Form::Large(Box::new(large));
            return None;
        }
        small.insert(member, score);
        old
    }

    /// Takes a member out; the score it had.
    pub fn remove(&mut self, member: &[u8], changes: &mut Changes<'_>) -> Option<f64> {
        match &mut self.form {
            Form::Small(small) => {
                let found = small.find(member)?;
                let score = found.score;
                small.remove(found);
                changes.touch();
                Some(score)
            }
            Form::Large(large) => {
                let score = large.remove(member)?;
                changes.delete(member);
                Some(score)
            }
        }
    }

    /// Takes out the members of these ranks; how many there were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, changes: &mut Changes<'_>) -> usize {
        self.take_ranks(ranks, false, changes, |_, _| {})
    }

    /// Takes out the members of these ranks and visits them, from the last one with `reverse`;
    /// how many there were.
    pub fn take_ranks(
        &mut self,
        ranks: Range<usize>,
        reverse: bool,
        changes: &mut Changes<'_>,
        mut visit: impl FnMut(&[u8], f64),
    ) -> usize {
        let ranks = ranks.start..ranks.end.min(self.len());
        if ranks.is_empty() {
            return 0;
        }
        let count = ranks.len();
        if self.is_single() {
            let pairs = self.range(ranks.clone());
            match reverse {
                false => pairs.for_each(|(member, score)| visit(member, score)),
                true => pairs.rev().for_each(|(member, score)| visit(member, score)),
            }
        }
        match &mut self.form {
            Form::Small(small) => {
                small.remove_ranks(ranks);
                changes.touch();
            }
            Form::Large(large) => {
                for taken in 0..count {
                    let rank = if reverse { ranks.end - 1 - taken } else { ranks.start };
                    if let Some((member, score)) = large.remove_at(rank) {
                        visit(&member, score);
                        changes.delete(&member);
                    }
                }
            }
        }
        count
    }

    /// Members and scores in order.
    pub fn iter(&self) -> Iter<'_> {
        self.range(0..self.len())
    }

    /// Members and scores of these ranks, from both ends. Ranks past the last are cut off.
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        match &self.form {
            Form::Small(small) => {
                let pairs: Vec<_> = small.iter().skip(ranks.start).take(ranks.len()).collect();
                Iter(Pairs::Small(pairs.into_iter()))
            }
            Form::Large(large) => Iter(Pairs::Large(large.range(ranks))),
        }
    }

    /// The ranks of the members whose scores lie between these bounds.
    pub fn ranks_by_score(&self, min: Bound, max: Bound) -> Range<usize> {
        let rank = |before: &dyn Fn(f64) -> bool| match &self.form {
            Form::Small(small) => small.iter().take_while(|(_, score)| before(*score)).count(),
            Form::Large(large) => large.rank_by_score(before),
        };
        let start = rank(&|score| min.excludes_below(score));
        start..rank(&|score| max.admits_below(score)).max(start)
    }

    /// The ranks of the members between these bounds, if all scores are equal; else of some.
    pub fn ranks_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        let rank = |before: &dyn Fn(&[u8]) -> bool| match &self.form {
            Form::Small(small) => small.iter().take_while(|(member, _)| before(member)).count(),
            Form::Large(large) => large.rank(|_, member| before(member)),
        };
        let start = rank(&|member| min.excludes_below(member));
        start..rank(&|member| max.admits_below(member)).max(start)
    }

    /// Visits members from the hash `cursor` on, at least `count` of them, and returns where to go
    /// on; 0 at the end. Members of one hash are never parted, so that what was there from the
    /// first call to the last is visited. A small set is visited whole.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], f64)) -> u64 {
        let large = match &self.form {
            Form::Small(small) => {
                small.iter().for_each(|(member, score)| visit(member, score));
                return 0;
            }
            Form::Large(large) => large,
        };
        let Ok(from) = u32::try_from(cursor) else { return 0 };
        let mut last = from;
        for (visited, (hash, (member, score))) in large.by_hash_from(from).enumerate() {
            if visited >= count.max(1) && hash != last {
                return u64::from(hash);
            }
            last = hash;
            visit(member, score);
        }
        0
    }

    /// A uniformly drawn member. `draw(n)` returns a number below `n`.
    pub fn random(&self, mut draw: impl FnMut(usize) -> usize) -> Option<(&[u8], f64)> {
        match &self.form {
            Form::Small(small) if small.len() == 0 => None,
            Form::Small(small) => small.iter().nth(draw(small.len())),
            Form::Large(large) => large.random(draw),
        }
    }
}

/// Members and scores; see [`ZSet::range`].
pub struct Iter<'a>(Pairs<'a>);

enum Pairs<'a> {
    Small(std::vec::IntoIter<(&'a [u8], f64)>),
    Large(large::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Pairs::Small(pairs) => pairs.next(),
            Pairs::Large(pairs) => pairs.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Pairs::Small(pairs) => pairs.size_hint(),
            Pairs::Large(pairs) => pairs.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Pairs::Small(pairs) => pairs.next_back(),
            Pairs::Large(pairs) => pairs.next_back(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl Collection for ZSet {
    const KIND: Kind = Kind::ZSet;

    fn from_value(value: &Value) -> Option<&Self> {
        match value {
            Value::ZSet(inner) => Some(inner),
            _ => None,
        }
    }

    fn from_value_mut(value: &mut Value) -> Option<&mut Self> {
        match value {
            Value::ZSet(inner) => Some(inner),
            _ => None,
        }
    }

    fn into_value(self) -> Value {
        Value::ZSet(Box::new(self))
    }

    fn len(&self) -> usize {
        match &self.form {
            Form::Small(small) => small.len(),
            Form::Large(large) => large.len(),
        }
    }

    fn is_single(&self) -> bool {
        matches!(self.form, Form::Small(_))
    }

    fn encoding(&self) -> &'static str {
        match self.form {
            Form::Small(_) => "listpack",
            Form::Large(_) => "skiplist",
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        if let Form::Small(small) = &self.form {
            out.extend_from_slice(small.as_bytes());
        }
    }

    fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        if let Form::Large(large) = &self.form {
            large.by_hash().for_each(|(member, score)| put(member, &score.to_le_bytes()));
        }
    }

    fn decode(single: bool, payload: &[u8]) -> Result<Self, Corrupt> {
        let form = match single {
            true => Form::Small(Small::decode(payload)?),
            false if payload.is_empty() => Form::Large(Box::default()),
            false => return Err(Corrupt("sorted set")),
        };
        Ok(ZSet { form })
    }

    fn load_element(&mut self, subkey: &[u8], value: &[u8]) -> Result<(), Corrupt> {
        let score = f64::from_le_bytes(value.try_into().map_err(|_| Corrupt("sorted set"))?);
        match &mut self.form {
            Form::Large(large) if !score.is_nan() => {
                large.set(subkey, score);
                Ok(())
            }
            _ => Err(Corrupt("sorted set")),
        }
    }

    fn unload_element(&mut self, subkey: &[u8]) {
        if let Form::Large(large) = &mut self.form {
            large.remove(subkey);
        }
    }

    fn heap_bytes(&self, samples: usize) -> usize {
        match &self.form {
            Form::Small(small) => small.heap_bytes(),
            Form::Large(large) => large.heap_bytes(samples),
        }
    }
}

#[cfg(test)]
mod tests;
