//! A command's grammar as one line of text, and its random expansion.
//!
//! ```text
//! SET {ks} {v} [NX|XX] [GET] [EX {secs}|KEEPTTL]
//! WORD        itself; the words before the first placeholder are the command's name
//! {slot}      a random value of that kind, see `values`
//! [a | b]     nothing, or one of the alternatives
//! (a | b)     one of the alternatives
//! ...+        the placeholder or group before it one to four times
//! ```

use super::Kind;
use super::values::Values;
use crate::random::Random;

/// How often an optional part is there, in percent.
const OPTIONAL_PERCENT: usize = 35;

#[derive(Clone, Debug)]
enum Node {
    Word(&'static str),
    Slot(&'static str),
    Sequence(Vec<Node>),
    Choice { options: Vec<Node>, optional: bool },
    Repeat(Box<Node>),
}

/// A parsed line of a table.
#[derive(Debug)]
pub(crate) struct Grammar {
    name: String,
    name_words: usize,
    kind: Kind,
    root: Node,
}

impl Grammar {
    /// Parses a table's line. A line that cannot be parsed is a mistake in this crate and panics.
    pub(crate) fn new(text: &'static str, kind: Kind) -> Grammar {
        let mut tokens = tokens(text);
        tokens.reverse();
        let options = alternatives(&mut tokens);
        assert!(tokens.is_empty() && options.len() == 1, "unbalanced grammar: {text}");
        let root = options.into_iter().next().unwrap_or(Node::Sequence(Vec::new()));
        let words: Vec<&str> = match &root {
            Node::Sequence(nodes) => nodes.iter().map_while(word).collect(),
            other => word(other).into_iter().collect(),
        };
        Grammar { name: words.join(" "), name_words: words.len(), kind, root }
    }

    /// `SET`, `OBJECT ENCODING`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// All words after the name.
    pub(crate) fn options(&self) -> Vec<&'static str> {
        let mut words = Vec::new();
        collect_words(&self.root, &mut words);
        words.drain(..self.name_words.min(words.len()));
        words.sort_unstable();
        words.dedup();
        words
    }

    /// Makes one command; `used` gets its options.
    pub(crate) fn expand(&self, random: &mut Random, used: &mut Vec<&'static str>) -> Vec<Vec<u8>> {
        let mut expansion =
            Expansion { random, values: Values::default(), args: Vec::new(), words: Vec::new() };
        expansion.add(&self.root);
        used.extend(expansion.words.into_iter().skip(self.name_words));
        expansion.args
    }
}

struct Expansion<'a> {
    random: &'a mut Random,
    values: Values,
    args: Vec<Vec<u8>>,
    words: Vec<&'static str>,
}

impl Expansion<'_> {
    fn add(&mut self, node: &Node) {
        match node {
            Node::Word(word) => {
                self.words.push(word);
                let lower = self.random.percent(15);
                let word = if lower { word.to_lowercase() } else { (*word).to_owned() };
                self.args.push(word.into_bytes());
            }
            Node::Slot(slot) => self.values.fill(slot, self.random, &mut self.args),
            Node::Sequence(nodes) => nodes.iter().for_each(|node| self.add(node)),
            Node::Choice { options, optional } => {
                if *optional && !self.random.percent(OPTIONAL_PERCENT) {
                    return;
                }
                if let Some(option) = options.get(self.random.below(options.len())) {
                    self.add(option);
                }
            }
            Node::Repeat(node) => {
                let times = 1 + self.random.below(4);
                for _ in 0..times {
                    self.add(node);
                }
            }
        }
    }
}

fn word(node: &Node) -> Option<&'static str> {
    match node {
        Node::Word(word) => Some(word),
        _ => None,
    }
}

fn collect_words(node: &Node, words: &mut Vec<&'static str>) {
    match node {
        Node::Word(word) => words.push(word),
        Node::Slot(_) => {}
        Node::Sequence(nodes) | Node::Choice { options: nodes, .. } => {
            nodes.iter().for_each(|node| collect_words(node, words));
        }
        Node::Repeat(node) => collect_words(node, words),
    }
}

fn tokens(text: &'static str) -> Vec<&'static str> {
    let mut tokens = Vec::new();
    for mut piece in text.split_whitespace() {
        while !piece.is_empty() {
            let mark = |c: char| "[]()|+".contains(c);
            let end = match piece.find(mark) {
                Some(0) => 1,
                Some(at) => at,
                None => piece.len(),
            };
            let (token, rest) = piece.split_at(end);
            tokens.push(token);
            piece = rest;
        }
    }
    tokens
}

/// Parses up to a closing mark or the end; `tokens` is a stack with the next one on top.
fn alternatives(tokens: &mut Vec<&'static str>) -> Vec<Node> {
    let mut options = Vec::new();
    let mut sequence = Vec::new();
    while let Some(token) = tokens.last().copied() {
        if token == "]" || token == ")" {
            break;
        }
        tokens.pop();
        match token {
            "|" => options.push(Node::Sequence(std::mem::take(&mut sequence))),
            "+" => {
                if let Some(node) = sequence.pop() {
                    sequence.push(Node::Repeat(Box::new(node)));
                }
            }
            "[" | "(" => {
                let inner = alternatives(tokens);
                let close = tokens.pop();
                assert_eq!(close, Some(if token == "[" { "]" } else { ")" }), "unbalanced");
                sequence.push(Node::Choice { options: inner, optional: token == "[" });
            }
            _ => match token.strip_prefix('{').and_then(|slot| slot.strip_suffix('}')) {
                Some(slot) => sequence.push(Node::Slot(slot)),
                None => sequence.push(Node::Word(token)),
            },
        }
    }
    options.push(Node::Sequence(sequence));
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_options_are_read_from_the_line() {
        let grammar = Grammar::new("OBJECT FREQ {k} [NX|EX {secs}] ({v} | GET)+", Kind::Exact);
        assert_eq!(grammar.name(), "OBJECT FREQ");
        assert_eq!(grammar.options(), ["EX", "GET", "NX"]);
        let mut used = Vec::new();
        let args = grammar.expand(&mut Random::new(1), &mut used);
        assert!(args.len() >= 4);
    }
}
