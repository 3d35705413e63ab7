//! All commands by name: the rows of `storage` joined with the code of those that run here.

use crate::session::SessionFn;
use rustc_hash::FxHashMap;
use storage::commands::row::{Find, Handler, KeySpec};
use storage::commands::{Row, Run};

/// No command name is longer than this; longer ones are unknown without a look.
const NAME_MAX: usize = 32;

/// One command or subcommand.
pub struct Command {
    pub row: &'static Row,
    /// Its place in [`Registry::all`] and in the statistics.
    pub number: usize,
    pub code: Code,
    /// The place of its key, when it has exactly one, in one database.
    pub only_key: Option<usize>,
    /// Of a container: its subcommands.
    subcommands: FxHashMap<&'static [u8], usize>,
}

#[derive(Clone, Copy)]
pub enum Code {
    Keyed(Handler),
    Session(SessionFn),
    /// Only its subcommands do something.
    Container,
}

fn only_key(row: &Row) -> Option<usize> {
    match row.keys {
        // COPY and MOVE look into a second database.
        _ if matches!(row.name, "copy" | "move") => None,
        [KeySpec { begin, find: Find::Range { last: 0, .. }, .. }] => Some(*begin),
        _ => None,
    }
}

impl Command {
    pub fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }
}

pub struct Registry {
    /// Each by itself: as one piece they would be the only allocation of their size, for which the
    /// allocator reserves half a megabyte.
    #[allow(clippy::vec_box)]
    all: Vec<Box<Command>>,
    by_name: FxHashMap<&'static [u8], usize>,
}

/// What a request names.
pub enum Found<'a> {
    Command(&'a Command),
    UnknownCommand,
    UnknownSubcommand(&'a Command),
}

impl Registry {
    /// Joins rows and code. Panics when a row of a session command has no code or some code no
    /// row: a mistake of ours that the first start shows.
    pub fn new(rows: &[&'static [Row]], code: &[(&'static str, SessionFn)]) -> Registry {
        let mut code: FxHashMap<&str, SessionFn> = code.iter().copied().collect();
        let rows: Vec<&'static Row> = rows.iter().flat_map(|family| family.iter()).collect();
        let mut all: Vec<Box<Command>> = Vec::with_capacity(rows.len());
        for row in &rows {
            let prefix = format!("{}|", row.name);
            let container = rows.iter().any(|other| other.name.starts_with(&prefix));
            let code = match row.run {
                Run::Keyed(handler) => Code::Keyed(handler),
                Run::Session => match code.remove(row.name) {
                    Some(function) => Code::Session(function),
                    None if container => Code::Container,
                    None => panic!("the command {} has a row and no code", row.name),
                },
            };
            let number = all.len();
            let only_key = only_key(row);
            let subcommands = FxHashMap::default();
            all.push(Box::new(Command { row, number, code, only_key, subcommands }));
        }
        assert!(code.is_empty(), "code without a row: {:?}", code.keys());
        let mut by_name = FxHashMap::default();
        for number in 0..all.len() {
            let Some(name) = all.get(number).map(|command| command.row.name) else { continue };
            match name.split_once('|') {
                None => {
                    let before = by_name.insert(name.as_bytes(), number);
                    assert!(before.is_none(), "the command {name} has two rows");
                }
                Some((container, subcommand)) => {
                    let parent = all.iter_mut().find(|command| command.row.name == container);
                    let parent = parent.unwrap_or_else(|| panic!("{container} has no row"));
                    parent.subcommands.insert(subcommand.as_bytes(), number);
                }
            }
        }
        Registry { all, by_name }
    }

    pub fn all(&self) -> impl ExactSizeIterator<Item = &Command> {
        self.all.iter().map(|command| &**command)
    }

    /// The command with this number.
    pub fn get(&self, number: usize) -> Option<&Command> {
        self.all.get(number).map(|command| &**command)
    }

    /// The subcommands of a container, by name without the container's.
    pub fn subcommands(&self, container: &Command) -> impl Iterator<Item = &Command> {
        let mut numbers: Vec<usize> = container.subcommands.values().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().filter_map(|number| self.get(number))
    }

    /// Finds what a request names, `subcommand` being its second argument if it has one.
    #[inline]
    pub fn find(&self, name: &[u8], subcommand: Option<&[u8]>) -> Found<'_> {
        let Some(command) = self.look(&self.by_name, name) else { return Found::UnknownCommand };
        if !command.is_container() {
            return Found::Command(command);
        }
        match subcommand {
            None => Found::Command(command),
            Some(subcommand) => self
                .look(&command.subcommands, subcommand)
                .map_or(Found::UnknownSubcommand(command), Found::Command),
        }
    }

    #[inline]
    fn look(&self, names: &FxHashMap<&'static [u8], usize>, name: &[u8]) -> Option<&Command> {
        let mut lower = [0u8; NAME_MAX];
        let lower = lower.get_mut(..name.len())?;
        for (to, from) in lower.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        names.get(&*lower).and_then(|number| self.get(*number))
    }
}
