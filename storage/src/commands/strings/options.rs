//! The options of SET and GETEX, and what they mean for the deadline.

use crate::commands::fail::{Fail, SYNTAX};
use crate::commands::parse::{integer, is};
use resp::Args;

/// What happens to the deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry<'a> {
    /// Nothing was said.
    Unsaid,
    /// KEEPTTL
    Keep,
    /// PERSIST
    Persist,
    /// EX, PX, EXAT, PXAT with its number, which is read only once it is needed.
    At(Unit, &'a [u8]),
}

/// How a deadline is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Seconds,
    Millis,
    /// Seconds since the epoch.
    SecondsAt,
    /// Milliseconds since the epoch.
    MillisAt,
}

/// Which of the two commands the options belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Command {
    Set,
    GetEx,
}

pub struct Options<'a> {
    pub expiry: Expiry<'a>,
    /// NX
    pub if_missing: bool,
    /// XX
    pub if_exists: bool,
    /// GET
    pub get: bool,
}

impl<'a> Options<'a> {
    /// Reads the options, which begin the arguments given. As in Redis an option may be repeated,
    /// but not combined with one that contradicts it.
    pub fn parse(args: Args<'a>, command: Command) -> Result<Options<'a>, Fail> {
        let mut options =
            Options { expiry: Expiry::Unsaid, if_missing: false, if_exists: false, get: false };
        let set = command == Command::Set;
        let mut rest = args.iter();
        while let Some(option) = rest.next() {
            if set && is(option, "nx") && !options.if_exists {
                options.if_missing = true;
            } else if set && is(option, "xx") && !options.if_missing {
                options.if_exists = true;
            } else if set && is(option, "get") {
                options.get = true;
            } else if set && is(option, "keepttl") {
                options.expiry = options.expiry.repeated(Expiry::Keep)?;
            } else if !set && is(option, "persist") {
                options.expiry = options.expiry.repeated(Expiry::Persist)?;
            } else {
                let unit = unit(option).ok_or(SYNTAX)?;
                let number = rest.next().ok_or(SYNTAX)?;
                options.expiry = options.expiry.repeated(Expiry::At(unit, number))?;
            }
        }
        Ok(options)
    }
}

impl<'a> Expiry<'a> {
    /// What holds after `next` was said as well.
    fn repeated(self, next: Expiry<'a>) -> Result<Expiry<'a>, Fail> {
        let same = match (self, next) {
            (Expiry::Unsaid, _) => true,
            (Expiry::At(before, _), Expiry::At(unit, _)) => before == unit,
            (before, next) => before == next,
        };
        if same { Ok(next) } else { Err(SYNTAX) }
    }

    /// The deadline in milliseconds since the epoch, if one is given. `name` is the command's, for
    /// its error.
    pub fn deadline(self, now: i64, name: &str) -> Result<Option<i64>, Fail> {
        match self {
            Expiry::At(unit, number) => deadline(unit, number, now, name).map(Some),
            _ => Ok(None),
        }
    }
}

/// A deadline in milliseconds since the epoch from its argument.
pub fn deadline(unit: Unit, arg: &[u8], now: i64, name: &str) -> Result<i64, Fail> {
    let number = Some(integer(arg)?).filter(|number| *number > 0);
    let deadline = match unit {
        Unit::Seconds => number.and_then(|s| s.checked_mul(1000)?.checked_add(now)),
        Unit::Millis => number.and_then(|ms| ms.checked_add(now)),
        Unit::SecondsAt => number.and_then(|s| s.checked_mul(1000)),
        Unit::MillisAt => number,
    };
    deadline.ok_or_else(|| Fail::invalid_expire(name))
}

fn unit(option: &[u8]) -> Option<Unit> {
    let words = [
        ("ex", Unit::Seconds),
        ("px", Unit::Millis),
        ("exat", Unit::SecondsAt),
        ("pxat", Unit::MillisAt),
    ];
    words.into_iter().find(|(word, _)| is(option, word)).map(|(_, unit)| unit)
}
