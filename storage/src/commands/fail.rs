//! Error replies. The exact texts that more than one command uses stand here, once.

use std::borrow::Cow;

/// Why a command did not do what it was asked: the text of the error reply, without its `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail(pub Cow<'static, str>);

/// What a handler answers: `Ok` once it has written its reply.
pub type Outcome = Result<(), Fail>;

impl Fail {
    pub const fn text(text: &'static str) -> Fail {
        Fail(Cow::Borrowed(text))
    }

    pub fn owned(text: String) -> Fail {
        Fail(Cow::Owned(text))
    }

    /// The arity error of `name` (lower case, `|` between container and subcommand).
    pub fn arity(name: &str) -> Fail {
        Fail::owned(format!("ERR wrong number of arguments for '{name}' command"))
    }

    pub fn invalid_expire(name: &str) -> Fail {
        Fail::owned(format!("ERR invalid expire time in '{name}' command"))
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
