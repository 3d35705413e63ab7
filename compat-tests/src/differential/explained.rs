//! The table of differences that are meant: `explained.txt`, each with its reason.

use crate::text::matches;

/// One meant difference.
#[derive(Debug)]
pub(crate) struct Explained {
    command: &'static str,
    redis: &'static str,
    sut: &'static str,
    /// Why it is meant.
    pub(crate) reason: &'static str,
    /// How often it was met.
    pub(crate) count: u64,
}

impl Explained {
    /// The whole table. A line that cannot be read is a mistake in the file and panics.
    pub(crate) fn table() -> Vec<Explained> {
        parse(include_str!("../../explained.txt"))
    }

    /// Whether this line explains what two servers said.
    pub(crate) fn covers(&self, command: &str, redis: &str, sut: &str) -> bool {
        self.command.eq_ignore_ascii_case(command)
            && matches(self.redis, redis)
            && matches(self.sut, sut)
    }
}

fn parse(text: &'static str) -> Vec<Explained> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let columns: Vec<&'static str> = line.split(" | ").map(str::trim).collect();
            let [command, redis, sut, reason] = columns.as_slice() else {
                panic!("explained.txt: not four columns: {line}")
            };
            assert!(!reason.is_empty(), "explained.txt: no reason: {line}");
            Explained { command, redis, sut, reason, count: 0 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_explains_only_its_own_pattern() {
        let table = parse("# x\nDEBUG | OK | (error) ERR * | not there");
        assert!(table[0].covers("debug", "OK", "(error) ERR no"));
        assert!(!table[0].covers("DEBUG", "OK", "OK"));
        Explained::table();
    }
}
