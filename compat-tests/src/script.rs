//! Scripts of requests and replies: plain text that one server wrote and every other must repeat.
//!
//! ```text
//! # a comment
//! > SET k "a b"            a command on connection c1
//! OK                       the reply in the form of `Reply::render`
//! c2> GET k                a command on connection c2, opened at its first use
//! "a b"
//! c2<                      one more reply of c2 (a message, the second of SUBSCRIBE a b)
//! !resp3 c2                HELLO 3 on c2; its reply is not shown
//! !unordered               the next reply's elements are sorted (`!unordered 2`: in pairs)
//! !close c2                closes c2 (a later use opens a new one)
//! ~ *glob*                 instead of a reply: the reply as one text must match
//! (closed)                 the server closed the connection
//! ```
//!
//! A script begins on an empty server that was started for it. The expectation is never written by
//! hand: `COMPAT_REWRITE=1` takes it from redis-server. A line with `~` is kept, and checked.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use crate::Result;
use crate::client::Client;
use crate::text::{matches, split};

/// A parsed script.
#[derive(Debug)]
pub struct Script {
    items: Vec<Item>,
}

#[derive(Debug)]
enum Item {
    /// A comment or an empty line.
    Remark(String),
    /// `!resp3`, `!unordered`, `!close`.
    Directive(String),
    Step(Step),
}

/// A line that is answered.
#[derive(Debug)]
struct Step {
    number: usize,
    line: String,
    connection: String,
    /// `None` for `c2<`: only one more reply is read.
    command: Option<Vec<Vec<u8>>>,
    expected: Vec<String>,
}

/// A reply that was not the expected one.
#[derive(Debug)]
pub struct Difference {
    /// Line number in the script.
    pub number: usize,
    /// The request's line.
    pub line: String,
    /// Expected lines.
    pub expected: Vec<String>,
    /// Lines that came.
    pub got: Vec<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "  line {}: {}", self.number, self.line)?;
        let length = self.expected.len().max(self.got.len());
        for at in 0..length {
            let (expected, got) = (self.expected.get(at), self.got.get(at));
            if expected == got {
                writeln!(f, "      {}", expected.map_or("", String::as_str))?;
                continue;
            }
            if let Some(text) = expected {
                writeln!(f, "    - {text}")?;
            }
            if let Some(text) = got {
                writeln!(f, "    + {text}")?;
            }
        }
        Ok(())
    }
}

impl Script {
    /// Reads a script. Errors name the line.
    pub fn parse(text: &str) -> Result<Script> {
        let mut items: Vec<Item> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.is_empty() || line.starts_with('#') {
                items.push(Item::Remark(line.to_owned()));
            } else if line.starts_with('!') {
                items.push(Item::Directive(line.to_owned()));
            } else if let Some(step) = Step::parse(number, line)? {
                items.push(Item::Step(step));
            } else if let Some(Item::Step(step)) = items.last_mut() {
                step.expected.push(line.to_owned());
            } else {
                return Err(format!("line {number}: a reply without a command: {line}").into());
            }
        }
        Ok(Script { items })
    }

    /// How many replies it asks for.
    pub fn steps(&self) -> usize {
        self.items.iter().filter(|item| matches!(item, Item::Step(_))).count()
    }

    /// Runs it against the server at `addr` and returns what differs.
    pub fn run(&self, addr: SocketAddr) -> Result<Vec<Difference>> {
        let mut differences = Vec::new();
        self.replay(addr, |step, got| {
            if !step.accepts(&got) {
                differences.push(Difference {
                    number: step.number,
                    line: step.line.clone(),
                    expected: step.expected.clone(),
                    got,
                });
            }
        })?;
        Ok(differences)
    }

    /// Runs it against the server at `addr` and returns its text with that server's replies.
    /// Patterns stay; one that does not match is an error.
    pub fn rewrite(&self, addr: SocketAddr) -> Result<String> {
        let mut replies = Vec::new();
        let mut wrong = String::new();
        self.replay(addr, |step, got| {
            if !step.is_pattern() {
                replies.push(got);
            } else if step.accepts(&got) {
                replies.push(step.expected.clone());
            } else {
                wrong += &format!("line {}: {} got {got:?}\n", step.number, step.line);
            }
        })?;
        if !wrong.is_empty() {
            return Err(wrong.into());
        }
        let mut out = String::new();
        let mut replies = replies.into_iter();
        for item in &self.items {
            match item {
                Item::Remark(line) | Item::Directive(line) => out += &format!("{line}\n"),
                Item::Step(step) => {
                    out += &format!("{}\n", step.line);
                    for line in replies.next().unwrap_or_default() {
                        out += &format!("{line}\n");
                    }
                }
            }
        }
        Ok(out)
    }

    fn replay(&self, addr: SocketAddr, mut each: impl FnMut(&Step, Vec<String>)) -> Result<()> {
        let mut connections: BTreeMap<String, Client> = BTreeMap::new();
        let mut group = 0;
        for item in &self.items {
            match item {
                Item::Remark(_) => {}
                Item::Directive(line) => {
                    let words: Vec<&str> = line.split_whitespace().collect();
                    match words.as_slice() {
                        ["!unordered"] => group = 1,
                        ["!unordered", "2"] => group = 2,
                        ["!close", name] => drop(connections.remove(*name)),
                        ["!resp3"] => {
                            connection(&mut connections, "c1", addr)?.command(&["HELLO", "3"])?;
                        }
                        ["!resp3", name] => {
                            connection(&mut connections, name, addr)?.command(&["HELLO", "3"])?;
                        }
                        _ => return Err(format!("unknown directive: {line}").into()),
                    }
                }
                Item::Step(step) => {
                    let client = connection(&mut connections, &step.connection, addr)?;
                    let got = match ask(client, step.command.as_deref()) {
                        Ok(mut reply) => {
                            if group > 0 {
                                reply.sort(group);
                            }
                            // A lone CR or LF cannot be in a status or an error; show it if it is.
                            reply.render().replace('\r', "\\r")
                        }
                        Err(error) if closed(&error) => {
                            connections.remove(&step.connection);
                            "(closed)".to_owned()
                        }
                        Err(error) => format!("(no reply: {error})"),
                    };
                    group = 0;
                    each(step, got.lines().map(str::to_owned).collect());
                }
            }
        }
        Ok(())
    }
}

impl Step {
    /// `None` when the line is not a request.
    fn parse(number: usize, line: &str) -> Result<Option<Step>> {
        let (name, rest, more) = match line.find(['>', '<']) {
            Some(at) => (
                line.get(..at).unwrap_or(""),
                line.get(at + 1..).unwrap_or(""),
                line.get(at..=at) == Some("<"),
            ),
            None => return Ok(None),
        };
        let known = name.is_empty()
            || name
                .strip_prefix('c')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if !known || !(rest.is_empty() || rest.starts_with(' ')) {
            return Ok(None);
        }
        let connection = if name.is_empty() { "c1" } else { name }.to_owned();
        let command = if more {
            None
        } else {
            let args = split(rest).ok_or_else(|| format!("line {number}: unbalanced quotes"))?;
            if args.is_empty() {
                return Err(format!("line {number}: no command").into());
            }
            Some(args)
        };
        Ok(Some(Step { number, line: line.to_owned(), connection, command, expected: Vec::new() }))
    }

    fn is_pattern(&self) -> bool {
        self.expected.first().is_some_and(|line| line.starts_with("~ "))
    }

    fn accepts(&self, got: &[String]) -> bool {
        match self.expected.first().and_then(|line| line.strip_prefix("~ ")) {
            Some(pattern) => matches(pattern, &got.join("\n")),
            None => self.expected == got,
        }
    }
}

fn connection<'a>(
    connections: &'a mut BTreeMap<String, Client>,
    name: &str,
    addr: SocketAddr,
) -> io::Result<&'a mut Client> {
    use std::collections::btree_map::Entry;
    Ok(match connections.entry(name.to_owned()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Client::connect(addr)?),
    })
}

fn ask(client: &mut Client, command: Option<&[Vec<u8>]>) -> io::Result<crate::reply::Reply> {
    match command {
        Some(args) => client.command(args),
        None => client.receive(),
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_are_told_apart() {
        let script =
            Script::parse("# x\n> SET k v\nOK\nc2> GET k\n1> \"push\"\nc2<\n~ a*\n").unwrap();
        assert_eq!(script.steps(), 3);
        assert!(Script::parse("OK\n").is_err());
    }

    #[test]
    fn a_pattern_stands_for_the_whole_reply() {
        let script = Script::parse("> X\n~ 1) \"a\"*(integer) *\n").unwrap();
        let Item::Step(step) = &script.items[0] else { panic!("no step") };
        assert!(step.accepts(&["1) \"a\"".to_owned(), "2) (integer) 7".to_owned()]));
        assert!(!step.accepts(&["1) \"a\"".to_owned()]));
    }
}
