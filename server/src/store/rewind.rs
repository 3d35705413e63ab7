//! After a panic with partitions locked: they become again what base and journal say (C7).

use super::{READ_BYTES, Store};
use crate::node::Node;
use anyhow::{Result, ensure};
use storage::keyspace::{Locked, Rewind, Turn, lru};

impl Node {
    /// Drops what the execution under way has changed in the locked partitions, as if it had never
    /// begun. What cannot be rewound ends the process: the next start does it.
    #[cold]
    pub fn rewind(&self, locked: &mut Locked<'_>, turn: &mut Turn) {
        let rewound = match &self.store {
            Some(store) => rewind(self, store, locked, turn),
            None => Err(anyhow::anyhow!("there is no journal with --base memory")),
        };
        if let Err(error) = rewound {
            tracing::error!("cannot rewind after a panic, the process ends: {error:#}");
            std::process::exit(74)
        }
    }
}

/// Reads the journal back with the partitions locked: all that was appended of them is in it, and
/// what the panic kept from being appended is nowhere else.
fn rewind(node: &Node, store: &Store, locked: &mut Locked<'_>, turn: &mut Turn) -> Result<()> {
    turn.undo_execution(&node.space);
    // A feed waits with its next ingest, so that what is read above the base's index fits to it.
    let _ingests = store.ingesting.lock();
    let end = store.journal.end();
    // Under `always` only what is synced can be read.
    store.journal.sync_to(end)?;
    let mut from = store.base.index() + 1;
    let mut rewind = Rewind::begin(&node.space, locked, store.base.index() == 0);
    while from <= end {
        let entries = store.journal.read(from, READ_BYTES)?;
        let Some(last) = entries.last() else { break };
        from = last.id.index + 1;
        for batch in entries.iter().flat_map(|entry| entry.batches()) {
            rewind.add(batch)?;
        }
    }
    ensure!(store.journal.released() >= end, "the journal cannot be read up to {end}");
    rewind.end(lru(turn.now))?;
    Ok(())
}
