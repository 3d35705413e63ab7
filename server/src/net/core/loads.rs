//! Keys that must be loaded: those a command waits for, and those that the commands behind it
//! will ask for (C15).
//!
//! When a command meets a key that is only in the base, its connection stops. What the client has
//! sent behind it is decoded, without executing anything, and the keys it names that are not in
//! memory are loaded along, so that a pipeline waits once and not once per command. It is a hint:
//! a key that was loaded for nothing may leave memory again, one that was missed is loaded when its
//! command runs. All connections that stopped in a turn share what they load.

use super::super::connection::Connection;
use super::Core;
use crate::registry::{Code, Found};
use crate::store::Waiter;
use crate::writer::{self, Cold, ColdKey, Wanted};
use resp::{Args, Decoded, Decoder};

/// Requests that are looked at behind one that waits.
const LOOKED_AT_MAX: usize = 1024;
/// Keys that are loaded ahead for one connection, and bytes of their names.
const KEYS_MAX: usize = 256;
const NAME_BYTES_MAX: usize = 64 << 10;
/// A job with so many keys begins at once; more keys are another job, for another thread.
const JOB_KEYS: usize = 128;

/// What is sought behind a request that waits.
struct Sought {
    db: usize,
    /// Requests looked at.
    requests: usize,
    found: Cold,
    name_bytes: usize,
}

impl Core {
    /// Notes that a connection's command waits for keys; they are loaded from the end of the turn.
    pub(crate) fn load_later(&mut self, connection: &Connection, cold: Cold) {
        let place = connection.socket_waker.place;
        let client = connection.session.client.id;
        self.loads.waiters.push(Waiter { core: self.number, place, client, cold });
    }

    /// Adds the cold keys of the requests in `data` from `at` on, which stand behind one that waits
    /// for keys. The first of them are decoded already, with the bytes each ends at.
    pub(super) fn look_ahead<'a>(
        &mut self,
        db: usize,
        data: &'a [u8],
        at: usize,
        decoded: impl Iterator<Item = (Args<'a>, usize)>,
    ) {
        let mut sought = Sought { db, requests: 0, found: Cold::new(), name_bytes: 0 };
        self.seek(&mut sought, data, at, decoded);
        self.loads.ahead.append(&mut sought.found);
        if self.loads.len() >= JOB_KEYS {
            self.begin_loads();
        }
    }

    fn seek<'a>(
        &self,
        sought: &mut Sought,
        data: &'a [u8],
        mut at: usize,
        decoded: impl Iterator<Item = (Args<'a>, usize)>,
    ) {
        for (args, end) in decoded {
            at = end;
            if !self.seek_in(sought, args) {
                return;
            }
        }
        let mut decoder = Decoder::default();
        loop {
            let rest = data.get(at..).unwrap_or_default();
            match decoder.decode(rest, &self.limits) {
                Ok(Decoded::Command { consumed }) => {
                    at += consumed;
                    if !self.seek_in(sought, decoder.args(rest)) {
                        return;
                    }
                }
                Ok(Decoded::Empty { consumed }) => at += consumed,
                Ok(Decoded::Incomplete) | Err(_) => return,
            }
        }
    }

    /// Looks at one request; false when no other is to be looked at.
    fn seek_in(&self, sought: &mut Sought, args: Args<'_>) -> bool {
        sought.requests += 1;
        if args.at(0).eq_ignore_ascii_case(b"select") {
            return false;
        }
        if let Found::Command(command) = self.node.registry.find(args.at(0), args.get(1))
            && matches!(command.code, Code::Keyed(_))
        {
            let tag = self.turn.settings.tag;
            for wanted in writer::keys_of(command.row, args, sought.db, tag) {
                let len = wanted.key.name.len();
                if len > NAME_BYTES_MAX - sought.name_bytes || sought.found.len() >= KEYS_MAX {
                    return false;
                }
                if self.is_cold(&wanted) {
                    sought.name_bytes += len;
                    let Wanted { db, key, need } = wanted;
                    sought.found.push(ColdKey { db, name: key.name.into(), need });
                }
            }
        }
        sought.requests < LOOKED_AT_MAX && sought.found.len() < KEYS_MAX
    }

    /// Whether a key seems to be only in the base, if it is anywhere.
    fn is_cold(&self, wanted: &Wanted<'_>) -> bool {
        let Wanted { db, key, need } = wanted;
        let partition = self.node.space.try_partition(key.partition());
        partition.is_none_or(|partition| !partition.known(*db, key).meets(*need))
    }

    /// Begins to load what this turn's commands wait for.
    pub(super) fn begin_loads(&mut self) {
        if !self.loads.is_empty() {
            self.node.load(std::mem::take(&mut self.loads));
        }
    }
}
