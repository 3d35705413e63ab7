//! A counted B+tree: (score, id) pairs in an order that the caller's predicate defines.
//!
//! Every inner node knows how many entries lie beneath each child, so a rank is found, and the
//! entry at a rank is found, on one way down. The tree itself compares nothing: a search takes
//! `before(score, id)`, which must hold for a prefix of the entries and for nothing after it. One
//! descent therefore serves keys, score bounds and lexicographic bounds alike.
//!
//! Nodes lie in arenas and name each other by number; leaves are chained for walking. A leaf is two
//! arrays, so that a binary search by score touches three cache lines. A node that falls below a
//! quarter is joined with a neighbour when both fit into three quarters of a node.
//!
//! Limit: `u32::MAX` entries, as ids are 32 bits wide.
// Node numbers come from the arenas themselves and slots stay below `len`, which stays within CAP.
#![allow(clippy::indexing_slicing, clippy::vec_box)]

use super::node::{Entry, FAN, Inner, LEAF, Leaf, NONE};
use std::ops::Range;

#[derive(Clone)]
pub struct Tree {
    // Boxed, so that a growing arena moves pointers and not kilobytes.
    leaves: Vec<Box<Leaf>>,
    inners: Vec<Box<Inner>>,
    free_leaves: Vec<u32>,
    free_inners: Vec<u32>,
    root: u32,
    /// Levels of inner nodes above the leaves.
    height: u32,
    len: usize,
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Tree {
            leaves: Vec::new(),
            inners: Vec::new(),
            free_leaves: Vec::new(),
            free_inners: Vec::new(),
            root: 0,
            height: 0,
            len: 0,
        };
        tree.root = tree.new_leaf();
        tree
    }
}

impl Tree {
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many entries `before` holds for: the rank of the first one it does not hold for.
    pub fn rank(&self, before: impl Fn(f64, u32) -> bool) -> usize {
        let (mut node, mut rank) = (self.root, 0);
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            let slot = inner.search(&before).saturating_sub(1);
            rank += inner.count_before(slot) as usize;
            node = inner.children[slot];
        }
        rank + self.leaves[node as usize].search(&before)
    }

    /// Adds an entry behind those `before` holds for.
    pub fn insert(&mut self, entry: Entry, before: impl Fn(f64, u32) -> bool) {
        self.len += 1;
        if let Some(right) = self.insert_below(self.root, self.height, entry, &before) {
            let left = self.root;
            self.root = self.new_inner();
            self.insert_child(self.root, 0, left, self.height);
            self.insert_child(self.root, 1, right, self.height);
            self.height += 1;
        }
    }

    /// Takes out the entry that has `rank` entries before it.
    pub fn remove_at(&mut self, rank: usize) -> Option<Entry> {
        if rank >= self.len {
            return None;
        }
        let entry = self.remove_below(self.root, self.height, rank);
        self.len -= 1;
        while self.height > 0 && self.inners[self.root as usize].len <= 1 {
            let inner = &self.inners[self.root as usize];
            let only = (inner.len == 1).then(|| inner.children[0]);
            self.free(self.root, self.height);
            self.height -= 1;
            self.root = match only {
                Some(child) => child,
                None => {
                    self.height = 0;
                    self.new_leaf()
                }
            };
        }
        Some(entry)
    }

    /// The entries of these ranks, from both ends. Ranks past the last entry are cut off.
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        let end = ranks.end.min(self.len);
        let left = end.saturating_sub(ranks.start);
        if left == 0 {
            return Iter { tree: self, front: (0, 0), back: (0, 0), left };
        }
        Iter { tree: self, front: self.locate(ranks.start), back: self.locate(end - 1), left }
    }

    pub fn heap_bytes(&self) -> usize {
        self.leaves.len() * size_of::<Leaf>()
            + self.inners.len() * size_of::<Inner>()
            + (self.leaves.capacity() + self.inners.capacity()) * size_of::<usize>()
            + (self.free_leaves.capacity() + self.free_inners.capacity()) * size_of::<u32>()
    }

    fn locate(&self, mut rank: usize) -> (u32, usize) {
        let mut node = self.root;
        for _ in 0..self.height {
            let inner = &self.inners[node as usize];
            let (slot, above) = inner.child_of_rank(rank);
            rank -= above;
            node = inner.children[slot];
        }
        (node, rank)
    }

    /// Inserts beneath `node`; the number of the new right neighbour if it had to be split.
    fn insert_below(
        &mut self,
        node: u32,
        height: u32,
        entry: Entry,
        before: &impl Fn(f64, u32) -> bool,
    ) -> Option<u32> {
        if height == 0 {
            return self.insert_leaf(node, entry, before);
        }
        let inner = &mut self.inners[node as usize];
        let found = inner.search(before);
        let slot = found.saturating_sub(1);
        inner.counts[slot] += 1;
        if found == 0 {
            (inner.scores[0], inner.ids[0]) = entry;
        }
        let child = inner.children[slot];
        let new = self.insert_below(child, height - 1, entry, before)?;
        self.refresh(node, slot, height - 1);
        if self.inners[node as usize].len < FAN {
            self.insert_child(node, slot + 1, new, height - 1);
            return None;
        }
        // A child that splits at the end is how ascending input looks: then leave this node full.
        let cut = if slot + 1 == FAN { FAN } else { FAN / 2 };
        let right = self.new_inner();
        let moved = self.inners[node as usize].split_off(cut);
        *self.inners[right as usize] = moved;
        if slot + 1 > cut || cut == FAN {
            self.insert_child(right, slot + 1 - cut, new, height - 1);
        } else {
            self.insert_child(node, slot + 1, new, height - 1);
        }
        Some(right)
    }

    fn insert_leaf(
        &mut self,
        node: u32,
        entry: Entry,
        before: &impl Fn(f64, u32) -> bool,
    ) -> Option<u32> {
        let leaf = &mut self.leaves[node as usize];
        let slot = leaf.search(before);
        if leaf.len < LEAF {
            leaf.insert(slot, entry);
            return None;
        }
        // At the outer ends of the tree, as with ascending or descending input, full leaves stay.
        let cut = match (leaf.prev, leaf.next, slot) {
            (_, NONE, LEAF) => LEAF,
            (NONE, _, 0) => 0,
            _ => LEAF / 2,
        };
        let next = leaf.next;
        let mut moved = leaf.split_off(cut);
        let into_right = slot > cut || cut == LEAF;
        if into_right {
            moved.insert(slot - cut, entry);
        } else {
            leaf.insert(slot, entry);
        }
        (moved.prev, moved.next) = (node, next);
        let right = self.new_leaf();
        *self.leaves[right as usize] = moved;
        self.leaves[node as usize].next = right;
        if next != NONE {
            self.leaves[next as usize].prev = right;
        }
        Some(right)
    }

    fn remove_below(&mut self, node: u32, height: u32, rank: usize) -> Entry {
        if height == 0 {
            return self.leaves[node as usize].remove(rank);
        }
        let inner = &mut self.inners[node as usize];
        let (slot, above) = inner.child_of_rank(rank);
        inner.counts[slot] -= 1;
        let (child, count) = (inner.children[slot], inner.counts[slot]);
        let entry = self.remove_below(child, height - 1, rank - above);
        if count == 0 {
            self.inners[node as usize].remove(slot);
            self.free(child, height - 1);
        } else {
            if rank == above {
                self.refresh(node, slot, height - 1);
            }
            self.join(node, slot, height - 1);
        }
        entry
    }

    /// Joins the child in `slot` with a neighbour when it is nearly empty and both fit well.
    fn join(&mut self, node: u32, slot: usize, height: u32) {
        let cap = if height == 0 { LEAF } else { FAN };
        let inner = &self.inners[node as usize];
        let width = |slot: usize| self.width(inner.children[slot], height);
        let own = width(slot);
        if own >= cap / 4 {
            return;
        }
        let fits = |other: usize| own + width(other) <= cap / 4 * 3;
        let left = if slot + 1 < inner.len && fits(slot + 1) {
            slot
        } else if slot > 0 && fits(slot - 1) {
            slot - 1
        } else {
            return;
        };
        let (target, source) = (inner.children[left], inner.children[left + 1]);
        if height == 0 {
            let moved = self.leaves[source as usize].split_off(0);
            self.leaves[target as usize].append(&moved);
        } else {
            let moved = self.inners[source as usize].split_off(0);
            self.inners[target as usize].append(&moved);
        }
        self.free(source, height);
        let inner = &mut self.inners[node as usize];
        inner.counts[left] += inner.counts[left + 1];
        inner.remove(left + 1);
    }

    fn width(&self, node: u32, height: u32) -> usize {
        match height {
            0 => self.leaves[node as usize].len,
            _ => self.inners[node as usize].len,
        }
    }

    /// First entry and number of entries beneath `node`, which is not empty.
    fn summary(&self, node: u32, height: u32) -> (Entry, u32) {
        if height == 0 {
            let leaf = &self.leaves[node as usize];
            return (leaf.entry(0), leaf.len as u32);
        }
        let inner = &self.inners[node as usize];
        ((inner.scores[0], inner.ids[0]), inner.count_before(inner.len))
    }

    fn refresh(&mut self, node: u32, slot: usize, height: u32) {
        let (entry, count) = self.summary(self.inners[node as usize].children[slot], height);
        let inner = &mut self.inners[node as usize];
        (inner.scores[slot], inner.ids[slot]) = entry;
        inner.counts[slot] = count;
    }

    fn insert_child(&mut self, node: u32, slot: usize, child: u32, height: u32) {
        let (entry, count) = self.summary(child, height);
        self.inners[node as usize].insert(slot, entry, child, count);
    }

    fn new_leaf(&mut self) -> u32 {
        let number = self.free_leaves.pop().unwrap_or_else(|| {
            self.leaves.push(Box::new(Leaf::EMPTY));
            self.leaves.len() as u32 - 1
        });
        *self.leaves[number as usize] = Leaf::EMPTY;
        number
    }

    fn new_inner(&mut self) -> u32 {
        self.free_inners.pop().unwrap_or_else(|| {
            self.inners.push(Box::new(Inner::EMPTY));
            self.inners.len() as u32 - 1
        })
    }

    /// Gives a node back; a leaf leaves the chain.
    fn free(&mut self, node: u32, height: u32) {
        if height > 0 {
            self.inners[node as usize].len = 0;
            self.free_inners.push(node);
            return;
        }
        let (prev, next) = (self.leaves[node as usize].prev, self.leaves[node as usize].next);
        if prev != NONE {
            self.leaves[prev as usize].next = next;
        }
        if next != NONE {
            self.leaves[next as usize].prev = prev;
        }
        self.free_leaves.push(node);
    }
}

/// Entries of a range of ranks; see [`Tree::range`].
#[derive(Clone)]
pub struct Iter<'a> {
    tree: &'a Tree,
    /// Leaf and slot of the next entry from the front.
    front: (u32, usize),
    /// Leaf and slot of the next entry from the back.
    back: (u32, usize),
    left: usize,
}

impl Iterator for Iter<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.left = self.left.checked_sub(1)?;
        let (number, slot) = self.front;
        let leaf = &self.tree.leaves[number as usize];
        self.front = if slot + 1 < leaf.len { (number, slot + 1) } else { (leaf.next, 0) };
        Some(leaf.entry(slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Entry> {
        self.left = self.left.checked_sub(1)?;
        let (number, slot) = self.back;
        let leaf = &self.tree.leaves[number as usize];
        self.back = match slot.checked_sub(1) {
            Some(slot) => (number, slot),
            None if self.left > 0 => {
                let prev = &self.tree.leaves[leaf.prev as usize];
                (leaf.prev, prev.len - 1)
            }
            None => self.back,
        };
        Some(leaf.entry(slot))
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
