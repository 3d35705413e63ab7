//! Random commands, valid and half-valid, from tables of option grammars.
//!
//! The intuition: bugs sit where options meet, and where a value is just out of range. So every
//! command is a grammar of its options, every placeholder has unpleasant values among its usual
//! ones, and some of what comes out is then broken on purpose. Few keys and few members make
//! commands meet on the same objects.
//!
//! The rule that keeps a run free of chance: times are far in the future or already past, cursors
//! start at 0, and commands whose reply is random stand outside of transactions.

mod connection;
pub mod coverage;
mod generic;
mod grammar;
mod hash;
mod list;
mod mutate;
mod set;
mod strings;
mod transactions;
mod values;
mod zset;

use crate::random::Random;
use coverage::Coverage;
use grammar::Grammar;

pub use values::is_key;

/// How two replies to the same command are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Byte for byte.
    Exact,
    /// After sorting in groups of this many elements.
    Sorted(usize),
    /// Integers may be apart by this much; both must have the same sign.
    Close(i64),
    /// The same kind of reply; errors and nils still byte for byte.
    Shape,
    /// Random elements of the value: checked against its content.
    Random,
    /// `SCAN` and its like: followed to the end, then compared as a set of groups.
    Scan(usize),
    /// A set member was removed at random: checked, then both sides are made equal.
    Pop,
}

impl Kind {
    /// Whether more than one request is needed to compare, so that it cannot stand in a pipeline.
    pub fn is_dialogue(self) -> bool {
        matches!(self, Kind::Random | Kind::Scan(_) | Kind::Pop)
    }
}

/// One line of a family's table: grammar, comparison, how often beside the others.
pub(crate) type Row = (&'static str, Kind, usize);

/// One command to send.
#[derive(Clone, Debug)]
pub struct Item {
    /// Command and arguments.
    pub args: Vec<Vec<u8>>,
    /// How its replies are compared.
    pub kind: Kind,
    /// Which of the two connections to each server.
    pub connection: usize,
}

/// The source of commands: the same seed gives the same commands.
#[derive(Debug)]
pub struct Generator {
    random: Random,
    grammars: Vec<Grammar>,
    /// Index into `grammars`, once per weight.
    lots: Vec<usize>,
    /// Indexes of what may stand in a transaction.
    plain: Vec<usize>,
    coverage: Coverage,
}

impl Generator {
    /// A generator for `seed`.
    pub fn new(seed: u64) -> Generator {
        let tables = [
            strings::ROWS,
            generic::ROWS,
            hash::ROWS,
            list::ROWS,
            set::ROWS,
            zset::ROWS,
            connection::ROWS,
        ];
        let mut coverage = Coverage::default();
        let (mut grammars, mut lots, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        for (text, kind, weight) in tables.into_iter().flatten() {
            let grammar = Grammar::new(text, *kind);
            coverage.announce(grammar.name(), &grammar.options());
            lots.extend(std::iter::repeat_n(grammars.len(), *weight));
            if !kind.is_dialogue() {
                plain.extend(std::iter::repeat_n(grammars.len(), *weight));
            }
            grammars.push(grammar);
        }
        for name in transactions::NAMES {
            coverage.announce(name, &[]);
        }
        Generator { random: Random::new(seed), grammars, lots, plain, coverage }
    }

    /// The next commands that belong together: one, or a whole transaction.
    pub fn next_block(&mut self) -> Vec<Item> {
        if self.random.below(1000) < 12 {
            let items = transactions::block(self);
            for item in &items {
                self.count_by_name(item);
            }
            return items;
        }
        let at = self.random.choose(&self.lots).copied().unwrap_or(0);
        self.expand(at)
    }

    /// What was generated so far.
    pub fn coverage(&mut self) -> &mut Coverage {
        &mut self.coverage
    }

    /// One command that may stand in a transaction, with what has to follow it.
    fn next_plain(&mut self) -> Vec<Item> {
        let at = self.random.choose(&self.plain).copied().unwrap_or(0);
        self.expand(at)
    }

    fn expand(&mut self, at: usize) -> Vec<Item> {
        let Some(grammar) = self.grammars.get(at) else { return Vec::new() };
        let mut used = Vec::new();
        let mut args = grammar.expand(&mut self.random, &mut used);
        self.coverage.count(grammar.name(), &used);
        let kind = grammar.kind();
        // A broken ZADD would give the sets with equal scores other ones.
        let even = args.get(1).is_some_and(|key| key.starts_with(b"y")) && grammar.name() == "ZADD";
        if self.random.percent(9) && !even {
            mutate::mutate(&mut self.random, &mut args);
        }
        let touch = has_absolute_time(&args).then(|| args.get(1).cloned()).flatten();
        let mut items = vec![Item { args, kind, connection: 0 }];
        // A key that is born expired is deleted at its next use, or when the server's own cycle
        // finds it. Using it at once makes both servers agree on DBSIZE.
        if let Some(key) = touch {
            items.push(Item {
                args: vec![b"EXISTS".to_vec(), key],
                kind: Kind::Exact,
                connection: 0,
            });
        }
        items
    }

    fn count_by_name(&mut self, item: &Item) {
        let name = item.args.first().map(|name| String::from_utf8_lossy(name).to_uppercase());
        if let Some(name) = name.filter(|name| transactions::NAMES.contains(&name.as_str())) {
            self.coverage.count(&name, &[]);
        }
    }
}

fn has_absolute_time(args: &[Vec<u8>]) -> bool {
    args.iter().any(|arg| arg.eq_ignore_ascii_case(b"EXAT") || arg.eq_ignore_ascii_case(b"PXAT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_commands() {
        let (mut one, mut other) = (Generator::new(7), Generator::new(7));
        for _ in 0..2000 {
            let (a, b) = (one.next_block(), other.next_block());
            assert!(a.iter().map(|i| &i.args).eq(b.iter().map(|i| &i.args)));
        }
    }

    #[test]
    fn every_command_and_option_is_reached() {
        let mut generator = Generator::new(1);
        let mut commands = 0;
        while commands < 300_000 {
            commands += generator.next_block().len();
        }
        let rare = generator.coverage().below(200, 20);
        assert!(rare.is_empty(), "{rare:?}");
    }

    #[test]
    fn transactions_are_closed_and_hold_no_dialogue() {
        let mut generator = Generator::new(3);
        for _ in 0..3000 {
            let block = generator.next_block();
            if block.len() > 2 {
                assert!(block.iter().all(|item| !item.kind.is_dialogue()));
            }
        }
    }
}
