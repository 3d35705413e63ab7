//! Rewind: partitions as base and journal have them, after an execution that panicked (C7).
//!
//! What the execution left in memory cannot be trusted, so nothing of it is read: the partitions
//! it had locked forget all objects, and the changes that the journal has above the base's index
//! are applied again, as after a restart. The locks are held all the while and the base's index
//! stands still, so that nobody sees a state in between and no change counts twice. What was
//! resident only because somebody asked for it is loaded again when somebody does.
//!
//! The physical numbers in the journal are read by the present map of databases: a number is
//! never used again, and contents follow their number.

use super::apply::place;
use super::space::{Locked, Space};
use super::tail::{TailError, settle};
use crate::record::Change;

/// A rewind under way.
pub struct Rewind<'a, 's> {
    space: &'a Space,
    locked: &'a mut Locked<'s>,
}

impl<'a, 's> Rewind<'a, 's> {
    /// Forgets what is in memory of the locked partitions; `complete`: the base is empty.
    pub fn begin(space: &'a Space, locked: &'a mut Locked<'s>, complete: bool) -> Rewind<'a, 's> {
        locked.iter_mut().for_each(|(_, partition)| partition.forget(complete));
        Rewind { space, locked }
    }

    /// Takes one batch of the journal, in its order.
    pub fn add(&mut self, batch: &[u8]) -> Result<(), TailError> {
        let mut rest = batch;
        loop {
            let bytes = rest;
            let Some(change) = Change::take(&mut rest)? else { return Ok(()) };
            let Some((_, key)) = place(self.space, &change) else { continue };
            if let Some(partition) = self.locked.get_mut(key.partition()) {
                let bytes = bytes.get(..bytes.len() - rest.len()).unwrap_or_default();
                partition.pending.extend_from_slice(bytes);
            }
        }
    }

    /// Applies what was taken; `clock`: the LRU word of the objects. It may read the base. The
    /// counts of keys stay: they tell of the journal's end.
    pub fn end(self, clock: u32) -> Result<(), TailError> {
        let Rewind { space, locked } = self;
        locked.iter_mut().try_for_each(|(_, partition)| settle(space, partition, clock))
    }
}
