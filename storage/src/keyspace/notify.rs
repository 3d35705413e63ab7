//! Keyspace notifications: which class of events is on, and what happened.

/// The classes of `notify-keyspace-events`, as bits with Redis's letters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Class {
    Generic = 1,
    String = 1 << 1,
    List = 1 << 2,
    Set = 1 << 3,
    Hash = 1 << 4,
    Zset = 1 << 5,
    Expired = 1 << 6,
    Evicted = 1 << 7,
    Stream = 1 << 8,
    KeyMiss = 1 << 9,
    New = 1 << 10,
    Module = 1 << 11,
}

/// `K`: publish to `__keyspace@<db>__:<key>`.
pub const KEYSPACE: u32 = 1 << 16;
/// `E`: publish to `__keyevent@<db>__:<event>`.
pub const KEYEVENT: u32 = 1 << 17;

const LETTERS: [(u32, char); 14] = [
    (Class::Generic as u32, 'g'),
    (Class::String as u32, '$'),
    (Class::List as u32, 'l'),
    (Class::Set as u32, 's'),
    (Class::Hash as u32, 'h'),
    (Class::Zset as u32, 'z'),
    (Class::Expired as u32, 'x'),
    (Class::Evicted as u32, 'e'),
    (Class::Stream as u32, 't'),
    (Class::Module as u32, 'd'),
    (KEYSPACE, 'K'),
    (KEYEVENT, 'E'),
    (Class::KeyMiss as u32, 'm'),
    (Class::New as u32, 'n'),
];

/// What `A` stands for: everything but key misses and new keys.
const ALL: u32 = ((1 << 9) - 1) | Class::Module as u32;

/// Reads `notify-keyspace-events`; `None` for an unknown letter.
pub fn parse(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |mask, letter| {
        if letter == 'A' {
            return Some(mask | ALL);
        }
        let found = LETTERS.iter().find(|(_, known)| *known == letter);
        found.map(|(bit, _)| mask | bit)
    })
}

/// Prints it as Redis does: `A` for all classes.
pub fn print(mask: u32) -> String {
    let all = mask & ALL == ALL;
    let rest = LETTERS.iter().filter(|(bit, _)| mask & bit != 0 && !(all && ALL & bit != 0));
    all.then_some('A').into_iter().chain(rest.map(|(_, letter)| *letter)).collect()
}

/// One event on one key, to be published once the change is committed (C26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub event: &'static str,
    pub db: usize,
    pub key: Box<[u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_back_as_redis_prints_them() {
        for (given, printed) in [("", ""), ("KEA", "AKE"), ("Elg", "glE"), ("KEAmn", "AKEmn")] {
            assert_eq!(print(parse(given).unwrap()), printed, "{given}");
        }
        assert_eq!(parse("KQ"), None);
    }
}
