//! Runs commands on a keyspace of their own, for tests: `RESP` in, printable reply out.

use super::{Ctx, Row, Run};
use crate::keyspace::{Key, Settings, Space, Turn};
use resp::{OwnedArgs, Protocol, Reply};

pub struct Shell {
    pub space: Space,
    pub turn: Turn,
    pub db: usize,
    pub protocol: Protocol,
    rows: Vec<&'static [Row]>,
    /// The batches of all commands so far.
    pub journal: Vec<Vec<u8>>,
}

impl Shell {
    /// An empty keyspace that journals, with the commands of these families, at time 1,000,000 ms.
    pub fn new(rows: &[&'static [Row]]) -> Shell {
        let space = Space::new(Settings::default(), true, false);
        let mut turn = Turn::new(&space, 1);
        turn.begin(&space, 1_000_000);
        let rows = rows.to_vec();
        Shell { space, turn, db: 0, protocol: Protocol::Resp2, rows, journal: Vec::new() }
    }

    /// Runs one command given as words; the reply with its CRLFs shown as spaces.
    pub fn run(&mut self, line: &str) -> String {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        String::from_utf8_lossy(&self.reply(&words)).trim_end().replace("\r\n", " ")
    }

    /// Runs one command and returns the reply's bytes.
    pub fn reply(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let name = String::from_utf8_lossy(words[0]).to_lowercase();
        let row = self.rows.iter().copied().flatten().find(|row| row.name == name);
        let row = row.unwrap_or_else(|| panic!("no row {name}"));
        let args = OwnedArgs::from_slices(words);
        let args = args.as_args();
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, self.protocol);
        let enough = if row.arity < 0 {
            args.len() >= row.arity.unsigned_abs() as usize
        } else {
            args.len() == row.arity as usize
        };
        if !enough {
            reply.error_bytes(&super::Fail::arity(row.name).0);
            return out;
        }
        let tag = self.turn.settings.tag;
        let keys = row.key_positions(args).map(|at| Key::new(args.at(at), tag).partition());
        let locked = self.space.lock(keys);
        let mut cx = Ctx::new(args, self.db, &self.space, locked, &mut self.turn);
        let Run::Keyed(handler) = row.run else { panic!("{name} runs in the server") };
        let mark = reply.mark();
        if let Err(fail) = handler(&mut cx, &mut reply) {
            reply.truncate(mark);
            reply.error_bytes(&fail.0);
        }
        drop(cx);
        if !self.turn.batch.is_empty() {
            self.journal.push(std::mem::take(&mut self.turn.batch));
        }
        out
    }
}
