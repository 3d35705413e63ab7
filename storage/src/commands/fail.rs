//! Error replies. The exact texts that more than one command uses stand here, once.

use std::borrow::Cow;
use std::fmt;

/// Why a command did not do what it was asked: the text of the error reply, without its `-`.
/// Bytes, for it may quote what the client sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Fail(pub Cow<'static, [u8]>);

/// What a handler answers: `Ok` once it has written its reply.
pub type Outcome = Result<(), Fail>;

impl Fail {
    pub const fn text(text: &'static str) -> Fail {
        Fail(Cow::Borrowed(text.as_bytes()))
    }

    pub fn owned(text: String) -> Fail {
        Fail(Cow::Owned(text.into_bytes()))
    }

    /// A text with an argument inside it. Redis prints arguments as C strings: a zero byte ends
    /// them, and any other byte stays as it is.
    pub fn quoting(before: &str, arg: &[u8], after: &str) -> Fail {
        Fail(Cow::Owned([before.as_bytes(), c_string(arg), after.as_bytes()].concat()))
    }

    /// The arity error of `name` (lower case, `|` between container and subcommand).
    pub fn arity(name: &str) -> Fail {
        Fail::owned(format!("ERR wrong number of arguments for '{name}' command"))
    }

    pub fn invalid_expire(name: &str) -> Fail {
        Fail::owned(format!("ERR invalid expire time in '{name}' command"))
    }
}

/// The bytes up to the first zero byte.
pub fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(&self.0), f)
    }
}

pub const WRONG_TYPE: Fail =
    Fail::text("WRONGTYPE Operation against a key holding the wrong kind of value");
pub const SYNTAX: Fail = Fail::text("ERR syntax error");
pub const NOT_INTEGER: Fail = Fail::text("ERR value is not an integer or out of range");
pub const NOT_FLOAT: Fail = Fail::text("ERR value is not a valid float");
pub const OVERFLOW: Fail = Fail::text("ERR increment or decrement would overflow");
pub const NO_SUCH_KEY: Fail = Fail::text("ERR no such key");
pub const INDEX_RANGE: Fail = Fail::text("ERR index out of range");
pub const NOT_POSITIVE: Fail = Fail::text("ERR value is out of range, must be positive");
pub const STRING_TOO_LONG: Fail =
    Fail::text("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
pub const OFFSET_RANGE: Fail = Fail::text("ERR offset is out of range");
pub const DB_RANGE: Fail = Fail::text("ERR DB index is out of range");
