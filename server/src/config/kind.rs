//! What a key's value may be, how it is read and how it is shown.
//!
//! Everything that is not a text is one number, so that a value read in the hot path is one load
//! of an atomic: yes/no and the choices are places in their list, `auto` is -1. The error texts of
//! [`Kind::parse`] are those of redis-server 7.0.15's CONFIG SET.

use super::units::{parse_bytes, print_bytes};
use sha2::{Digest, Sha256};

pub const YES_NO: &[&str] = &["no", "yes"];
/// `auto` of [`Kind::AutoBytes`].
pub const AUTO: i64 = -1;
/// A password that was replaced by its hash begins so.
const HASHED: &str = "sha256:";

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Int {
        min: i64,
        max: i64,
    },
    /// Bytes, with units.
    Bytes {
        min: i64,
        max: i64,
    },
    /// Bytes or `auto`.
    AutoBytes,
    YesNo,
    Choice(&'static [&'static str]),
    /// Checked, and given back in its usual form.
    Text {
        check: fn(&str) -> Result<String, String>,
        allowed: &'static str,
    },
    /// Kept as its SHA-256 only; empty for none.
    Secret,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    Number(i64),
    Text(String),
}

impl Value {
    /// 0 for a text.
    pub fn number(&self) -> i64 {
        match self {
            Value::Number(number) => *number,
            Value::Text(_) => 0,
        }
    }

    /// Empty for a number.
    pub fn text(&self) -> &str {
        match self {
            Value::Number(_) => "",
            Value::Text(text) => text,
        }
    }
}

impl Kind {
    /// Reads a value; the error is Redis's text.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        match self {
            Kind::Int { min, max } => {
                let number = resp::numbers::parse_i64(text.as_bytes())
                    .ok_or("argument couldn't be parsed into an integer")?;
                within(number, min, max)
            }
            Kind::Bytes { min, max } => within(bytes(text)?, min, max),
            Kind::AutoBytes if text.eq_ignore_ascii_case("auto") => Ok(Value::Number(AUTO)),
            Kind::AutoBytes => bytes(text).map(Value::Number),
            Kind::YesNo => {
                choose(YES_NO, text).ok_or_else(|| "argument must be 'yes' or 'no'".into())
            }
            Kind::Choice(all) => choose(all, text).ok_or_else(|| {
                format!("argument(s) must be one of the following: {}", all.join(", "))
            }),
            Kind::Text { check, .. } => check(text).map(Value::Text),
            Kind::Secret => Ok(Value::Text(hashed(text))),
        }
    }

    /// Prints a value as CONFIG GET does: bytes without units.
    pub fn print(self, value: &Value) -> String {
        let choice = |all: &[&str], number: i64| {
            let place = usize::try_from(number).ok();
            place.and_then(|place| all.get(place)).map_or_else(String::new, ToString::to_string)
        };
        match (self, value) {
            (_, Value::Text(text)) => text.clone(),
            (Kind::YesNo, Value::Number(number)) => choice(YES_NO, *number),
            (Kind::Choice(all), Value::Number(number)) => choice(all, *number),
            (Kind::AutoBytes, Value::Number(AUTO)) => "auto".into(),
            (_, Value::Number(number)) => number.to_string(),
        }
    }

    /// What may be given, for people.
    pub fn allowed(self) -> String {
        match self {
            Kind::Int { min, max } => {
                format!("a whole number, {}", range(min, max, |n| n.to_string()))
            }
            Kind::Bytes { min, max } => {
                let print = |n: i64| print_bytes(n.unsigned_abs());
                format!("bytes such as 1024, 100mb or 2gb, {}", range(min, max, print))
            }
            Kind::AutoBytes => "auto, or bytes such as 100mb or 2gb".into(),
            Kind::YesNo => "yes or no".into(),
            Kind::Choice(all) => format!("one of {}", all.join(", ")),
            Kind::Text { allowed, .. } => allowed.into(),
            Kind::Secret => "a password, or sha256: and the 64 hex digits of its hash".into(),
        }
    }

    /// Whether its values are numbers in a TOML file.
    pub fn is_int(self) -> bool {
        matches!(self, Kind::Int { .. })
    }
}

fn range(min: i64, max: i64, print: impl Fn(i64) -> String) -> String {
    // An upper limit nobody will reach tells a reader nothing.
    if max >= i64::from(i32::MAX) {
        format!("at least {}", print(min))
    } else {
        format!("{} to {}", print(min), print(max))
    }
}

fn within(number: i64, min: i64, max: i64) -> Result<Value, String> {
    if (min..=max).contains(&number) {
        Ok(Value::Number(number))
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

/// An empty text is 0, as in Redis.
fn bytes(text: &str) -> Result<i64, String> {
    let bytes = if text.is_empty() { Some(0) } else { parse_bytes(text) };
    bytes
        .and_then(|bytes| i64::try_from(bytes).ok())
        .ok_or_else(|| "argument must be a memory value".into())
}

fn choose(all: &[&str], text: &str) -> Option<Value> {
    let place = all.iter().position(|known| known.eq_ignore_ascii_case(text))?;
    Some(Value::Number(place as i64))
}

/// `sha256:` and hex digits, the form in which a password is kept, shown and written to files.
fn hashed(password: &str) -> String {
    if password.is_empty() || digest(password).is_some() {
        return password.to_ascii_lowercase();
    }
    let mut text = HASHED.to_string();
    for byte in Sha256::digest(password.as_bytes()) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The hash in a kept password.
pub fn digest(kept: &str) -> Option<[u8; 32]> {
    let digits = kept.get(..HASHED.len()).filter(|head| head.eq_ignore_ascii_case(HASHED));
    let digits = digits.and_then(|_| kept.get(HASHED.len()..))?.as_bytes();
    let mut hash = [0; 32];
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}
