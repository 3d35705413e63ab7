//! Items and words of a text, each word with its place.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::topology::{BucketRange, RangeError, Violation};

/// Why a text is no topology.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseError {
    /// A word does not belong where it stands.
    #[error("line {line}, column {column}: expected {expected}, found {found}")]
    Word {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1; of a word that is missing, where it should be.
        column: usize,
        /// What could stand there.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// The words are right but do not make a topology.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// A word and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    pub line: usize,
    pub column: usize,
}

impl Word<'_> {
    pub fn refuse(self, expected: impl Into<String>) -> ParseError {
        let (line, column) = (self.line, self.column);
        let found = match self.text {
            "" => "the end of the item".to_owned(),
            text => format!("`{text}`"),
        };
        ParseError::Word { line, column, expected: expected.into(), found }
    }

    /// The number after `letter`: `N12` is 12.
    pub fn number(self, letter: &str) -> Option<u64> {
        let digits = self.text.strip_prefix(letter)?;
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    }

    /// `501-1000`, if it looks like a range at all.
    pub fn range(self) -> Option<Result<BucketRange, RangeError>> {
        let (first, last) = self.text.split_once('-')?;
        Some(BucketRange::new(first.parse().ok()?, last.parse().ok()?))
    }
}

/// The words of one item, in order.
pub(super) struct Item<'a> {
    words: Peekable<IntoIter<Word<'a>>>,
    end: Word<'a>,
}

impl<'a> Item<'a> {
    pub fn peek(&mut self) -> Option<Word<'a>> {
        self.words.peek().copied()
    }

    /// The next word; where the item ends, an empty one, which every reader refuses.
    pub fn next(&mut self) -> Word<'a> {
        self.words.next().unwrap_or(self.end)
    }

    /// Takes the next word if `read` can make something of it.
    pub fn take<T>(&mut self, read: impl FnOnce(Word<'a>) -> Option<T>) -> Option<T> {
        let value = read(self.peek()?)?;
        self.words.next();
        Some(value)
    }

    /// Whether the next word is `text`; if so it is taken.
    pub fn takes(&mut self, text: &str) -> bool {
        self.take(|w| (w.text == text).then_some(())).is_some()
    }

    /// Refuses what is left.
    pub fn finish(mut self, expected: &str) -> Result<(), ParseError> {
        match self.peek() {
            Some(word) => Err(word.refuse(expected)),
            None => Ok(()),
        }
    }
}

/// All items of a text that have words.
pub(super) fn items(text: &str) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line_number = number + 1;
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let mut column = 1;
        for piece in line.split('|') {
            let words = words(piece, line_number, column);
            column += piece.chars().count() + 1;
            if !words.is_empty() {
                let end = Word { text: "", line: line_number, column: column - 1 };
                items.push(Item { words: words.into_iter().peekable(), end });
            }
        }
    }
    items
}

fn words(piece: &str, line: usize, start: usize) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut column = start;
    for part in piece.split_inclusive(char::is_whitespace) {
        let text = part.trim_end();
        if !text.is_empty() {
            words.push(Word { text, line, column });
        }
        column += part.chars().count();
    }
    words
}
