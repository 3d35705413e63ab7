//! From a row's syntax line to the tree of arguments that COMMAND DOCS tells.
//!
//! Lower case words are values, upper case words tokens; `[...]` may be left out, of `<a | b>` one
//! is taken, and a bracket that ends in `...` repeats what stands before it. Types and the names of
//! choices follow from the words, by the habits of Redis's own documentation.

use std::iter::Peekable;
use std::str::SplitWhitespace;
use storage::commands::Row;
use storage::commands::row::{Find, KeySpec};

/// One argument, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arg {
    pub name: String,
    pub kind: Kind,
    pub token: Option<String>,
    /// Which of the row's key specifications finds it.
    pub key_spec: Option<usize>,
    pub optional: bool,
    pub multiple: bool,
    /// The token is repeated with each value.
    pub multiple_token: bool,
    pub children: Vec<Arg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    Oneof,
    Block,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key => "key",
            Kind::Pattern => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::PureToken => "pure-token",
            Kind::Oneof => "oneof",
            Kind::Block => "block",
        }
    }
}

/// The arguments of a row.
pub fn parse(row: &Row) -> Vec<Arg> {
    let spaced: String = row.syntax.chars().fold(String::new(), |mut text, letter| {
        match letter {
            '[' | ']' | '<' | '>' | '|' => text.extend([' ', letter, ' ']),
            _ => text.push(letter),
        }
        text
    });
    let mut words = spaced.split_whitespace().peekable();
    let pieces = alternatives(&mut words).into_iter().next().unwrap_or_default();
    let mut args = Builder { row }.sequence(&pieces);
    let container_words = 1 + usize::from(row.name.contains('|'));
    mark_keys(&mut args, row.keys, container_words);
    args
}

/// The line, cut at its brackets.
#[derive(Debug)]
enum Piece<'a> {
    Word(&'a str),
    Optional(Vec<Vec<Piece<'a>>>),
    Required(Vec<Vec<Piece<'a>>>),
    /// Repeats the arguments before it, as many as it holds.
    Repeat(Vec<Piece<'a>>),
}

/// Reads to the end or to a closing bracket; several alternatives are separated by `|`.
fn alternatives<'a>(words: &mut Peekable<SplitWhitespace<'a>>) -> Vec<Vec<Piece<'a>>> {
    let mut all = vec![Vec::new()];
    while let Some(word) = words.next() {
        let piece = match word {
            "]" | ">" => break,
            "|" => {
                all.push(Vec::new());
                continue;
            }
            "[" => bracket(alternatives(words)),
            "<" => Piece::Required(alternatives(words)),
            word => Piece::Word(word),
        };
        if let Some(last) = all.last_mut() {
            last.push(piece);
        }
    }
    all
}

fn bracket(mut inner: Vec<Vec<Piece<'_>>>) -> Piece<'_> {
    match inner.as_mut_slice() {
        [only] if matches!(only.last(), Some(Piece::Word("..."))) => {
            only.pop();
            Piece::Repeat(std::mem::take(only))
        }
        _ => Piece::Optional(inner),
    }
}

fn is_token(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_uppercase())
        && !word.bytes().any(|byte| byte.is_ascii_lowercase())
}

struct Builder<'a> {
    row: &'a Row,
}

impl Builder<'_> {
    fn sequence(&self, pieces: &[Piece<'_>]) -> Vec<Arg> {
        let mut args: Vec<Arg> = Vec::new();
        let mut rest = pieces.iter().peekable();
        while let Some(piece) = rest.next() {
            match piece {
                Piece::Word(word) if is_token(word) => {
                    let mut values: Vec<Arg> = Vec::new();
                    if let Some(Piece::Required(inner)) = rest.peek() {
                        values.push(self.choice(inner));
                        rest.next();
                    }
                    while let Some(Piece::Word(value)) = rest.peek()
                        && values.first().is_none_or(|first| first.kind != Kind::Oneof)
                        && !is_token(value)
                    {
                        values.push(self.value(value));
                        rest.next();
                    }
                    let mut arg = match <[Arg; 1]>::try_from(values) {
                        Ok([value]) => value,
                        Err(values) if values.is_empty() => pure_token(word),
                        Err(values) => block(values),
                    };
                    if arg.kind != Kind::PureToken {
                        arg.token = Some((*word).to_owned());
                    }
                    args.push(arg);
                }
                Piece::Word(word) => args.push(self.value(word)),
                Piece::Required(inner) => args.push(self.choice(inner)),
                Piece::Optional(inner) => {
                    let mut arg = self.choice(inner);
                    arg.optional = true;
                    args.push(arg);
                }
                Piece::Repeat(again) => repeat(&mut args, self.sequence(again)),
            }
        }
        let mut wheres = args.iter_mut().filter(|arg| arg.name == "where");
        if let (Some(from), Some(to)) = (wheres.next(), wheres.next()) {
            from.name = "wherefrom".to_owned();
            to.name = "whereto".to_owned();
        }
        args
    }

    fn value(&self, word: &str) -> Arg {
        Arg { name: word.to_owned(), kind: kind_of(self.row.name, word), ..Arg::default() }
    }

    /// One of several, or what the brackets alone hold.
    fn choice(&self, inner: &[Vec<Piece<'_>>]) -> Arg {
        let mut options: Vec<Arg> =
            inner.iter().map(|pieces| single(self.sequence(pieces))).collect();
        if options.len() == 1 {
            return options.pop().unwrap_or_default();
        }
        let name = choice_name(self.row.name, &options);
        Arg { name, kind: Kind::Oneof, children: options, ..Arg::default() }
    }
}

/// One argument as it is, several as a block.
fn single(args: Vec<Arg>) -> Arg {
    match <[Arg; 1]>::try_from(args) {
        Ok([only]) => only,
        Err(args) => block(args),
    }
}

fn block(args: Vec<Arg>) -> Arg {
    let names: Vec<&str> = args.iter().map(|arg| arg.name.as_str()).collect();
    let name = match names.as_slice() {
        ["count", "withscores" | "withvalues"] => "options".to_owned(),
        ["protover", ..] => "arguments".to_owned(),
        names => names.join("_"),
    };
    Arg { name, kind: Kind::Block, children: args, ..Arg::default() }
}

/// Marks the last arguments as repeatable: those that stand in `again` too.
fn repeat(args: &mut Vec<Arg>, again: Vec<Arg>) {
    let from = args.len().saturating_sub(again.len());
    let mut repeated = single(args.split_off(from));
    repeated.multiple = true;
    repeated.multiple_token = again.first().is_some_and(|arg| arg.token.is_some());
    args.push(repeated);
}

fn pure_token(word: &str) -> Arg {
    let name = match word {
        "CH" => "change".to_owned(),
        "INCR" => "increment".to_owned(),
        _ => word.to_lowercase(),
    };
    let token = Some(word.to_owned());
    Arg { name, kind: Kind::PureToken, token, ..Arg::default() }
}

/// The names Redis gives to choices between these tokens.
fn choice_name(command: &str, options: &[Arg]) -> String {
    let tokens: Vec<&str> = options.iter().filter_map(|arg| arg.token.as_deref()).collect();
    let name = match tokens.as_slice() {
        ["NX", "XX", ..] => "condition",
        ["GT", "LT"] => "comparison",
        ["EX", "PX", ..] => "expiration",
        ["BYSCORE", "BYLEX"] => "sortby",
        ["SUM", "MIN", "MAX"] => "aggregate",
        ["MIN", "MAX"] | ["LEFT", "RIGHT"] | ["BEFORE", "AFTER"] => "where",
        ["ASYNC", "SYNC"] => "async",
        ["ON", "OFF"] => "enabled",
        ["WRITE", "ALL"] => "mode",
        ["NOSAVE", "SAVE"] => "nosave_save",
        ["NORMAL", "MASTER", "SLAVE", ..] => "normal_master_slave_pubsub",
        ["ID", "TYPE", ..] => "new-format",
        [] if command == "client|kill" => "filter",
        _ if command == "command|list" => "filterby",
        _ => "",
    };
    if !name.is_empty() {
        return name.to_owned();
    }
    let names: Vec<&str> = options.iter().map(|arg| arg.name.as_str()).collect();
    names.join("_")
}

/// The type that a value's name says.
fn kind_of(command: &str, name: &str) -> Kind {
    let by_score =
        matches!(command, "zcount" | "zrangebyscore" | "zrevrangebyscore" | "zremrangebyscore");
    match (command, name) {
        ("incrbyfloat" | "hincrbyfloat", "increment") => Kind::Double,
        (_, "score") => Kind::Double,
        (_, "min" | "max") if by_score => Kind::Double,
        ("zrange" | "zrangestore", "start" | "stop") => Kind::String,
        ("lpos", "element") => Kind::String,
        (_, name) if name.starts_with("unix-time") => Kind::UnixTime,
        (_, "pattern") => Kind::Pattern,
        (_, name) if INTEGERS.contains(&name) => Kind::Integer,
        _ => Kind::String,
    }
}

const INTEGERS: &[&str] = &[
    "bit",
    "client-id",
    "count",
    "cursor",
    "db",
    "decrement",
    "destination-db",
    "end",
    "increment",
    "index",
    "index1",
    "index2",
    "len",
    "limit",
    "maxlen",
    "milliseconds",
    "min-match-len",
    "num-matches",
    "numkeys",
    "numreplicas",
    "offset",
    "port",
    "protover",
    "rank",
    "samples",
    "seconds",
    "start",
    "stop",
    "timeout",
    "version",
    "weight",
];

/// Gives the arguments that are keys their type and specification, by their place in the line.
fn mark_keys(args: &mut [Arg], specs: &[KeySpec], first: usize) {
    let mut at = first;
    for arg in args {
        if !mark_key(arg, specs, &mut at) {
            return;
        }
    }
}

/// False once places are no longer known: behind what is optional or repeated.
fn mark_key(arg: &mut Arg, specs: &[KeySpec], at: &mut usize) -> bool {
    if arg.token.is_some() && arg.kind != Kind::PureToken {
        return false;
    }
    if arg.kind == Kind::Oneof {
        *at += 1;
        return !arg.optional && !arg.multiple;
    }
    if arg.kind == Kind::Block {
        let known = arg.children.iter_mut().all(|child| mark_key(child, specs, at));
        return known && !arg.optional && !arg.multiple;
    }
    let here = specs.iter().position(|spec| match spec.find {
        Find::Count => spec.begin + 1 == *at,
        Find::Range { last, .. } => {
            spec.begin == *at || (last > 0 && (spec.begin..=last as usize).contains(at))
        }
    });
    let spec = here.and_then(|number| specs.get(number).map(|spec| (number, spec)));
    if let Some((number, spec)) = spec
        && !spec.flags.contains("not_key")
    {
        arg.kind = Kind::Key;
        arg.key_spec = Some(number);
    }
    *at += 1;
    !arg.optional && !arg.multiple
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::commands::ROW;
    use storage::commands::row::{counted, one, range};

    /// One line per tree: name:type, token in front, `?` optional, `*` multiple.
    fn shown(args: &[Arg]) -> String {
        let one = |arg: &Arg| {
            let token = arg.token.as_ref().map(|token| format!("{token}=")).unwrap_or_default();
            let optional = if arg.optional { "?" } else { "" };
            let again = if arg.multiple_token { "!" } else { "" };
            let multiple = if arg.multiple { "*" } else { "" };
            let inner = match arg.children.as_slice() {
                [] => String::new(),
                children => format!("({})", shown(children)),
            };
            format!("{token}{}:{}{inner}{optional}{multiple}{again}", arg.name, arg.kind.name())
        };
        args.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn tree(name: &'static str, syntax: &'static str, keys: Vec<KeySpec>) -> String {
        shown(&parse(&Row { name, syntax, keys: keys.leak(), ..ROW }))
    }

    #[test]
    fn values_keys_and_repeats() {
        assert_eq!(tree("get", "key", vec![one(1, "RO")]), "key:key");
        assert_eq!(tree("mget", "key [key ...]", vec![range(1, -1, 1, "RO")]), "key:key*");
        assert_eq!(
            tree("mset", "key value [key value ...]", vec![range(1, -1, 2, "OW")]),
            "key_value:block(key:key value:string)*"
        );
        assert_eq!(
            tree("rename", "key newkey", vec![one(1, "RW"), one(2, "OW")]),
            "key:key newkey:key"
        );
        assert_eq!(tree("object|freq", "key", vec![one(2, "RO")]), "key:key");
        assert_eq!(
            tree(
                "zunion",
                "numkeys key [key ...] [WEIGHTS weight [weight ...]]",
                vec![counted(1, "RO")]
            ),
            "numkeys:integer key:key* WEIGHTS=weight:integer?*"
        );
        assert_eq!(tree("x", "[channel [channel ...]]", vec![]), "channel:string?*");
        assert_eq!(tree("x", "[GET pattern [GET pattern ...]]", vec![]), "GET=pattern:pattern?*!");
        assert_eq!(
            tree("spublish", "shardchannel message", vec![one(1, "not_key")]),
            "shardchannel:string message:string"
        );
    }

    #[test]
    fn tokens_choices_and_blocks() {
        assert_eq!(
            tree(
                "set",
                "key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | KEEPTTL]",
                vec![one(1, "RW")]
            ),
            "key:key value:string condition:oneof(NX=nx:pure-token XX=xx:pure-token)? \
             GET=get:pure-token? expiration:oneof(EX=seconds:integer PX=milliseconds:integer \
             EXAT=unix-time-seconds:unix-time KEEPTTL=keepttl:pure-token)?"
        );
        assert_eq!(
            tree("zrange", "key [LIMIT offset count]", vec![one(1, "RO")]),
            "key:key LIMIT=offset_count:block(offset:integer count:integer)?"
        );
        assert_eq!(
            tree("zunion", "[AGGREGATE <SUM | MIN | MAX>]", vec![]),
            "AGGREGATE=aggregate:oneof(SUM=sum:pure-token MIN=min:pure-token MAX=max:pure-token)?"
        );
        assert_eq!(tree("lolwut", "[VERSION version]", vec![]), "VERSION=version:integer?");
        assert_eq!(tree("time", "", vec![]), "");
        assert_eq!(
            tree("x", "<LEFT | RIGHT> <LEFT | RIGHT>", vec![]),
            "wherefrom:oneof(LEFT=left:pure-token RIGHT=right:pure-token) \
             whereto:oneof(LEFT=left:pure-token RIGHT=right:pure-token)"
        );
    }

    #[test]
    fn brackets_in_brackets() {
        assert_eq!(
            tree("hello", "[protover [AUTH username password] [SETNAME clientname]]", vec![]),
            "arguments:block(protover:integer \
             AUTH=username_password:block(username:string password:string)? \
             SETNAME=clientname:string?)?"
        );
        assert_eq!(
            tree("srandmember", "key [count [WITHSCORES]]", vec![one(1, "RO")]),
            "key:key options:block(count:integer WITHSCORES=withscores:pure-token?)?"
        );
    }
}
