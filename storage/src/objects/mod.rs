//! The data types, in memory, and how each is cut into records.
//!
//! Every object is one main record, or a main record and one record per element (DESIGN.md
//! section 3). Small objects take the first form, *single*: one record that is put whole at every
//! change (C21). An object that outgrew its compact form takes the second, *large*: a change then
//! writes only the elements it touched. Leaving the single form rewrites the key; a large object
//! never goes back. What a record looks like inside is known only here.

mod changes;
mod hash;
mod list;
mod pack;
mod set;
mod string;
mod zset;

use crate::bytes::SmallBytes;

pub use changes::{Changes, ElementOp, Thresholds, decode_ops};
pub use hash::Hash;
pub use list::{Iter as ListIter, List, Side};
pub use set::{Member, Set};
pub use string::Str;
pub use zset::{Bound, LexBound, ZSet};

/// The data types, in the numbers that main records carry on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    String = 0,
    List = 1,
    Set = 2,
    ZSet = 3,
    Hash = 4,
}

impl Kind {
    pub fn from_u8(kind: u8) -> Option<Kind> {
        [Kind::String, Kind::List, Kind::Set, Kind::ZSet, Kind::Hash]
            .into_iter()
            .find(|known| *known as u8 == kind)
    }

    /// What TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::ZSet => "zset",
            Kind::Hash => "hash",
        }
    }
}

/// The value of a key.
#[derive(Clone)]
pub enum Value {
    Str(Str),
    List(Box<List>),
    Set(Box<Set>),
    ZSet(Box<ZSet>),
    /// In place: small hashes are many, and theirs is a pointer and a length.
    Hash(Hash),
}

impl Value {
    /// Begins to bring near what the value keeps elsewhere.
    #[inline]
    pub fn prefetch(&self) {
        use crate::prefetch::prefetch;
        match self {
            Value::Str(Str::Bytes(SmallBytes::Heap(bytes))) => prefetch(&**bytes),
            Value::Str(_) => {}
            Value::List(list) => prefetch(&**list),
            Value::Set(set) => prefetch(&**set),
            Value::ZSet(zset) => prefetch(&**zset),
            Value::Hash(hash) => hash.prefetch(),
        }
    }
}

/// A record that cannot be what we wrote: its content does not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {0} record does not decode")]
pub struct Corrupt(pub &'static str);

/// What the keyspace needs of a type; implemented by [`List`], [`Set`], [`ZSet`], [`Hash`].
///
/// Mutating methods of the types take `&mut Changes`: in the single form they call
/// [`Changes::touch`], in the large form [`Changes::put`] and [`Changes::delete`] with the
/// element's subkey, so that the journal gets what changed and nothing else.
pub trait Collection: Default + Clone {
    const KIND: Kind;

    fn from_value(value: &Value) -> Option<&Self>;
    fn from_value_mut(value: &mut Value) -> Option<&mut Self>;
    fn into_value(self) -> Value;

    /// Number of elements. An object that becomes empty is deleted by the keyspace.
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the whole object is one record.
    fn is_single(&self) -> bool;

    /// What `OBJECT ENCODING` answers, by Redis 7.0's names.
    fn encoding(&self) -> &'static str;

    /// The main record's payload: in the single form everything, in the large form what is not
    /// in the elements (an encoding tag, say). Never derived from a pointer or a hash seed.
    fn encode(&self, out: &mut Vec<u8>);

    /// Large form only: every element, as `put(subkey, value)`, in any order.
    fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8]));

    /// The inverse of [`Collection::encode`]. For a large object it is still without elements.
    fn decode(single: bool, payload: &[u8]) -> Result<Self, Corrupt>;

    /// Large form only: takes one element as [`Collection::elements`] gave it. Called in ascending
    /// order of the subkeys when loading, in any order (and with known subkeys) when applying
    /// changes.
    fn load_element(&mut self, subkey: &[u8], value: &[u8]) -> Result<(), Corrupt>;

    /// Large form only: removes an element by its subkey; unknown ones are ignored.
    fn unload_element(&mut self, subkey: &[u8]);

    /// Estimated bytes on the heap, for MEMORY USAGE; `samples` elements are looked at (0: all).
    fn heap_bytes(&self, samples: usize) -> usize;
}

impl Value {
    pub fn kind(&self) -> Kind {
        match self {
            Value::Str(_) => Kind::String,
            Value::List(_) => Kind::List,
            Value::Set(_) => Kind::Set,
            Value::ZSet(_) => Kind::ZSet,
            Value::Hash(_) => Kind::Hash,
        }
    }

    /// What `OBJECT ENCODING` answers.
    pub fn encoding(&self) -> &'static str {
        match self {
            Value::Str(string) => string.encoding(),
            Value::List(list) => list.encoding(),
            Value::Set(set) => set.encoding(),
            Value::ZSet(zset) => zset.encoding(),
            Value::Hash(hash) => hash.encoding(),
        }
    }

    pub fn is_single(&self) -> bool {
        match self {
            Value::Str(_) => true,
            Value::List(list) => list.is_single(),
            Value::Set(set) => set.is_single(),
            Value::ZSet(zset) => zset.is_single(),
            Value::Hash(hash) => hash.is_single(),
        }
    }

    /// Number of elements, 1 for a string.
    pub fn len(&self) -> usize {
        match self {
            Value::Str(_) => 1,
            Value::List(list) => list.len(),
            Value::Set(set) => set.len(),
            Value::ZSet(zset) => zset.len(),
            Value::Hash(hash) => hash.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The main record's payload.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Value::Str(string) => string.encode(out),
            Value::List(list) => list.encode(out),
            Value::Set(set) => set.encode(out),
            Value::ZSet(zset) => zset.encode(out),
            Value::Hash(hash) => hash.encode(out),
        }
    }

    /// Large form: every element as `put(subkey, value)`.
    pub fn elements(&self, put: &mut dyn FnMut(&[u8], &[u8])) {
        match self {
            Value::Str(_) => {}
            Value::List(list) => list.elements(put),
            Value::Set(set) => set.elements(put),
            Value::ZSet(zset) => zset.elements(put),
            Value::Hash(hash) => hash.elements(put),
        }
    }

    pub fn decode(kind: Kind, single: bool, payload: &[u8]) -> Result<Value, Corrupt> {
        Ok(match kind {
            Kind::String => Value::Str(Str::decode(payload)?),
            Kind::List => List::decode(single, payload)?.into_value(),
            Kind::Set => Set::decode(single, payload)?.into_value(),
            Kind::ZSet => ZSet::decode(single, payload)?.into_value(),
            Kind::Hash => Hash::decode(single, payload)?.into_value(),
        })
    }

    pub fn load_element(&mut self, subkey: &[u8], value: &[u8]) -> Result<(), Corrupt> {
        match self {
            Value::Str(_) => Err(Corrupt("string")),
            Value::List(list) => list.load_element(subkey, value),
            Value::Set(set) => set.load_element(subkey, value),
            Value::ZSet(zset) => zset.load_element(subkey, value),
            Value::Hash(hash) => hash.load_element(subkey, value),
        }
    }

    pub fn unload_element(&mut self, subkey: &[u8]) {
        match self {
            Value::Str(_) => {}
            Value::List(list) => list.unload_element(subkey),
            Value::Set(set) => set.unload_element(subkey),
            Value::ZSet(zset) => zset.unload_element(subkey),
            Value::Hash(hash) => hash.unload_element(subkey),
        }
    }

    pub fn heap_bytes(&self, samples: usize) -> usize {
        match self {
            Value::Str(string) => string.heap_bytes(),
            Value::List(list) => size_of::<List>() + list.heap_bytes(samples),
            Value::Set(set) => size_of::<Set>() + set.heap_bytes(samples),
            Value::ZSet(zset) => size_of::<ZSet>() + zset.heap_bytes(samples),
            Value::Hash(hash) => hash.heap_bytes(samples),
        }
    }
}
