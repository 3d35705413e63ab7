//! The differential run: the same random commands on two servers, replies compared byte for byte.
//!
//! The intuition: two servers that answered a long random history alike, and then hold the same
//! data, implement the same commands. Commands go out in pipelines of about [`BATCH`] to both
//! servers at once, so that both work at the same time; every [`STATE_EVERY`] commands all keys of
//! all databases are compared too.
//!
//! After a difference the keys of that command are deleted on both sides, and what the same batch
//! said about them later is not counted: one bug is one difference, not a hundred.

mod compare;
mod dialogue;
mod explained;
mod report;
mod state;

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use crate::Result;
use crate::client::Client;
use crate::generator::{Generator, Item, Kind, is_key};
use crate::reply::Reply;
use compare::{Queued, agree};

pub use report::Report;

/// Commands in one pipeline, about: a transaction is not cut.
pub const BATCH: usize = 100;
/// Commands between two comparisons of all data.
pub const STATE_EVERY: u64 = 5_000;
/// Commands kept to show what came before a difference.
const HISTORY: usize = 20_000;
/// A run stops here: the servers are too different for more to say anything.
const DIFFERENCES_MAX: u64 = 2_000;

/// Two connections to one server.
#[derive(Debug)]
pub(crate) struct Side {
    clients: [Client; 2],
    inspector: Client,
}

impl Side {
    fn connect(addr: SocketAddr) -> Result<Side> {
        let mut inspector = Client::connect(addr)?;
        inspector.command(&["FLUSHALL"])?;
        Ok(Side { clients: [Client::connect(addr)?, Client::connect(addr)?], inspector })
    }

    /// One of the two that commands go through.
    fn client(&mut self, at: usize) -> &mut Client {
        let [first, second] = &mut self.clients;
        if at == 0 { first } else { second }
    }
}

/// A run in progress.
#[derive(Debug)]
pub struct Differential {
    generator: Generator,
    redis: Side,
    sut: Side,
    pending: Vec<Item>,
    /// What each connection has queued in MULTI.
    queued: [Queued; 2],
    history: VecDeque<(Vec<Vec<u8>>, Reply)>,
    /// Keys whose content may differ, until the end of the batch.
    tainted: BTreeSet<Vec<u8>>,
    report: Report,
}

impl Differential {
    /// Connects to both servers and empties them.
    pub fn new(seed: u64, redis: SocketAddr, sut: SocketAddr) -> Result<Differential> {
        Ok(Differential {
            generator: Generator::new(seed),
            redis: Side::connect(redis)?,
            sut: Side::connect(sut)?,
            pending: Vec::new(),
            queued: [Queued::default(), Queued::default()],
            history: VecDeque::new(),
            tainted: BTreeSet::new(),
            report: Report::new(seed),
        })
    }

    /// Sends `commands` commands; `progress` hears of it every 50,000. Errors: a server that
    /// closed, or said something that is no reply.
    pub fn run(&mut self, commands: u64, mut progress: impl FnMut(&Report)) -> Result<()> {
        let (mut next_state, mut next_progress) = (STATE_EVERY, 50_000);
        while self.report.commands < commands && self.report.unexplained() < DIFFERENCES_MAX {
            let block = self.generator.next_block();
            match block.as_slice() {
                [only] if only.kind.is_dialogue() => {
                    self.flush()?;
                    self.dialogue(only)?;
                    self.resynchronise()?;
                }
                _ => self.pending.extend(block),
            }
            if self.pending.len() >= BATCH {
                self.flush()?;
            }
            if self.report.commands >= next_state {
                next_state = self.report.commands + STATE_EVERY;
                self.flush()?;
                self.compare_state()?;
            }
            if self.report.commands >= next_progress {
                next_progress += 50_000;
                progress(&self.report);
            }
        }
        self.flush()?;
        self.compare_state()
    }

    /// What was found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What was generated.
    pub fn generator(&mut self) -> &mut Generator {
        &mut self.generator
    }

    /// Sends what is pending, run by run of one connection, and compares.
    fn flush(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        for run in pending.chunk_by(|a, b| a.connection == b.connection) {
            let Some(connection) = run.first().map(|item| item.connection) else { continue };
            for side in [&mut self.redis, &mut self.sut] {
                let client = side.client(connection);
                run.iter().for_each(|item| client.queue(&item.args));
                client.flush()?;
            }
            let mut expected = Vec::with_capacity(run.len());
            for item in run {
                expected.push(receive(self.redis.client(connection), "redis-server", item)?);
            }
            for (item, redis) in run.iter().zip(expected) {
                let sut = receive(self.sut.client(connection), "the server under test", item)?;
                self.judge(item, redis, &sut);
            }
        }
        self.resynchronise()
    }

    /// Compares two replies, and notes the result.
    fn judge(&mut self, item: &Item, redis: Reply, sut: &Reply) {
        let kinds = self
            .queued
            .get_mut(item.connection)
            .and_then(|queued| queued.next(&item.args, item.kind, &redis));
        let same = match kinds {
            Some(kinds) => compare::agree_exec(&kinds, &redis, sut),
            None => agree(item.kind, &redis, sut),
        };
        self.conclude(item, redis, sut, same);
    }

    /// Counts a command and, when its replies disagree, the difference.
    fn conclude(&mut self, item: &Item, redis: Reply, sut: &Reply, same: bool) {
        self.report.commands += 1;
        if redis.is_error() {
            self.report.errors += 1;
            self.generator.coverage().error(&item.args);
        }
        let keys: Vec<&Vec<u8>> = item.args.iter().skip(1).filter(|arg| is_key(arg)).collect();
        if !same {
            let follows = keys.iter().any(|key| self.tainted.contains(*key));
            if !follows {
                self.report.difference(&item.args, &redis, sut, &self.history);
            }
            self.tainted.extend(item.args.iter().skip(1).cloned());
            // A command may have no keys and still have changed some: EXEC, FLUSHALL, SWAPDB.
            if keys.is_empty() {
                self.tainted.insert(Vec::new());
            }
        }
        self.history.push_back((item.args.clone(), redis));
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Deletes on both sides what may differ.
    fn resynchronise(&mut self) -> Result<()> {
        let tainted = std::mem::take(&mut self.tainted);
        if tainted.is_empty() {
            return Ok(());
        }
        self.queued = [Queued::default(), Queued::default()];
        let mut delete = vec![b"DEL".to_vec()];
        delete.extend(tainted);
        for side in [&mut self.redis, &mut self.sut] {
            for at in 0..2 {
                // Without MULTI this is an error, with it an end; both are fine.
                side.client(at).command(&["DISCARD"])?;
                side.client(at).command(&["UNWATCH"])?;
                side.client(at).command(&["SELECT", "0"])?;
            }
            side.client(0).command(&delete)?;
        }
        Ok(())
    }

    fn compare_state(&mut self) -> Result<()> {
        let differences = state::compare(&mut self.redis.inspector, &mut self.sut.inspector)?;
        for difference in &differences {
            self.report.state_difference(difference, &self.history);
        }
        if !differences.is_empty() {
            for side in [&mut self.redis, &mut self.sut] {
                side.inspector.command(&["FLUSHALL"])?;
            }
        }
        self.report.states += 1;
        Ok(())
    }
}

fn receive(client: &mut Client, who: &str, item: &Item) -> Result<Reply> {
    client.receive().map_err(|error| {
        let command = crate::text::quote_command(&item.args);
        format!("{who} gave no reply to {command} ({:?}): {error}", item.kind).into()
    })
}

/// Kinds of the commands that EXEC will answer.
type Kinds = Vec<Kind>;
