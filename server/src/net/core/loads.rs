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

impl Core {
    /// Notes that a connection's command waits for keys; they are loaded from the end of the turn.
    pub(crate) fn load_later(&mut self, connection: &Connection, cold: Cold) {
        let place = connection.socket_waker.place;
        let client = connection.session.client.id;
        self.loads.waiters.push(Waiter { core: self.number, place, client, cold });
    }

    /// Adds the cold keys of the requests in `data`, which stand behind one that waits for keys.
    pub(super) fn look_ahead(&mut self, db: usize, data: &[u8]) {
        let mut decoder = Decoder::default();
        let mut found = Cold::new();
        let mut name_bytes = 0;
        let mut at = 0;
        for _ in 0..LOOKED_AT_MAX {
            let rest = data.get(at..).unwrap_or_default();
            match decoder.decode(rest, &self.limits) {
                Ok(Decoded::Command { consumed }) => {
                    at += consumed;
                    let args = decoder.args(rest);
                    if args.at(0).eq_ignore_ascii_case(b"select") {
                        break;
                    }
                    self.cold_keys(db, args, &mut found, &mut name_bytes);
                }
                Ok(Decoded::Empty { consumed }) => at += consumed,
                Ok(Decoded::Incomplete) | Err(_) => break,
            }
            if found.len() >= KEYS_MAX {
                break;
            }
        }
        self.loads.ahead.append(&mut found);
        if self.loads.len() >= JOB_KEYS {
            self.begin_loads();
        }
    }

    fn cold_keys(&self, db: usize, args: Args<'_>, found: &mut Cold, name_bytes: &mut usize) {
        let Found::Command(command) = self.node.registry.find(args.at(0), args.get(1)) else {
            return;
        };
        if !matches!(command.code, Code::Keyed(_)) {
            return;
        }
        for wanted in writer::keys_of(command.row, args, db, self.turn.settings.tag) {
            let len = wanted.key.name.len();
            if found.len() >= KEYS_MAX || len > NAME_BYTES_MAX - *name_bytes {
                return;
            }
            if self.is_cold(&wanted) {
                *name_bytes += len;
                let Wanted { db, key, need } = wanted;
                found.push(ColdKey { db, name: key.name.into(), need });
            }
        }
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
