//! Placeholder while the type is written.
use super::{Collection, Corrupt, Kind, Value};
#[derive(Default, Clone)]
pub struct List;

impl Collection for List {
    const KIND: Kind = Kind::List;
    fn from_value(value: &Value) -> Option<&Self> {
        match value { Value::List(inner) => Some(inner), _ => None }
    }
    fn from_value_mut(value: &mut Value) -> Option<&mut Self> {
        match value { Value::List(inner) => Some(inner), _ => None }
    }
    fn into_value(self) -> Value { Value::List(Box::new(self)) }
    fn len(&self) -> usize { 0 }
    fn is_single(&self) -> bool { true }
    fn encoding(&self) -> &'static str { "" }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn elements(&self, _put: &mut dyn FnMut(&[u8], &[u8])) {}
    fn decode(_single: bool, _payload: &[u8]) -> Result<Self, Corrupt> { Ok(List) }
    fn load_element(&mut self, _subkey: &[u8], _value: &[u8]) -> Result<(), Corrupt> { Ok(()) }
    fn unload_element(&mut self, _subkey: &[u8]) {}
    fn heap_bytes(&self, _samples: usize) -> usize { 0 }
}
