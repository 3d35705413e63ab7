//! What one command changed inside one object.
//!
//! In the single form it is enough to know that something changed; in the large form the touched
//! elements are written down as they are touched, already in the form the journal stores:
//! `put = 1, varint len, subkey, varint len, value`; `delete = 0, varint len, subkey`.

use super::Corrupt;
use crate::varint;

/// Sizes up to which objects keep Redis's compact encodings; Redis's `CONFIG` names.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// `hash-max-listpack-entries`
    pub hash_entries: usize,
    /// `hash-max-listpack-value`, bytes
    pub hash_value: usize,
    /// `set-max-intset-entries`
    pub intset_entries: usize,
    /// `zset-max-listpack-entries`
    pub zset_entries: usize,
    /// `zset-max-listpack-value`, bytes
    pub zset_value: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            hash_entries: 512,
            hash_value: 64,
            intset_entries: 512,
            zset_entries: 128,
            zset_value: 64,
        }
    }
}

/// Collects the changes to one object while a command works on it.
pub struct Changes<'a> {
    pub limits: &'a Thresholds,
    logged: bool,
    dirty: bool,
    ops: Vec<u8>,
}

impl<'a> Changes<'a> {
    /// `logged`: whether anybody wants the elements (false without a journal).
    pub fn new(limits: &'a Thresholds, logged: bool) -> Changes<'a> {
        Changes { limits, logged, dirty: false, ops: Vec::new() }
    }

    /// Says that the object differs from before.
    pub fn touch(&mut self) {
        self.dirty = true;
    }

    /// Large form: the element `subkey` now has `value`.
    pub fn put(&mut self, subkey: &[u8], value: &[u8]) {
        self.dirty = true;
        if self.logged {
            self.ops.push(1);
            varint::put_bytes(&mut self.ops, subkey);
            varint::put_bytes(&mut self.ops, value);
        }
    }

    /// Large form: the element `subkey` is gone.
    pub fn delete(&mut self, subkey: &[u8]) {
        self.dirty = true;
        if self.logged {
            self.ops.push(0);
            varint::put_bytes(&mut self.ops, subkey);
        }
    }

    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    pub fn ops(&self) -> &[u8] {
        &self.ops
    }
}

/// One touched element, as [`Changes`] wrote it.
#[derive(Debug, PartialEq, Eq)]
pub enum ElementOp<'a> {
    Put { subkey: &'a [u8], value: &'a [u8] },
    Delete { subkey: &'a [u8] },
}

/// Reads what [`Changes::ops`] holds, in order.
pub fn decode_ops(mut ops: &[u8]) -> impl Iterator<Item = Result<ElementOp<'_>, Corrupt>> {
    std::iter::from_fn(move || {
        let (&tag, mut rest) = ops.split_first()?;
        let op = (|| match tag {
            0 => Some(ElementOp::Delete { subkey: varint::take_bytes(&mut rest)? }),
            1 => Some(ElementOp::Put {
                subkey: varint::take_bytes(&mut rest)?,
                value: varint::take_bytes(&mut rest)?,
            }),
            _ => None,
        })();
        ops = if op.is_some() { rest } else { &[] };
        Some(op.ok_or(Corrupt("element")))
    })
}
