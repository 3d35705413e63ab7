//! Every type of value with the typed commands of redis-rs, which check each reply's form.

use redis::{
    Commands, Direction, ErrorKind, ServerErrorKind, SetExpiry, SetOptions, TypedCommands,
};
use redis_rs_client::{over_both, wait_until};
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[test]
fn strings_and_expiry() {
    over_both(|_, r| {
        TypedCommands::set(r, "k", "v").unwrap();
        assert_eq!(TypedCommands::get(r, "k").unwrap(), Some("v".into()));
        assert_eq!(TypedCommands::get(r, "none").unwrap(), None);
        let options = SetOptions::default().with_expiration(SetExpiry::PX(40));
        assert_eq!(TypedCommands::set_options(r, "k", "w", options).unwrap(), Some("OK".into()));
        let left: i64 = Commands::pttl(r, "k").unwrap();
        assert!((0..=40).contains(&left), "{left}");
        wait_until("the key to expire", || !TypedCommands::exists(r, "k").unwrap());
        assert_eq!(TypedCommands::incr(r, "n", 5).unwrap(), 5);
        let sum: f64 = Commands::incr(r, "n", 0.5).unwrap();
        assert_eq!(sum, 5.5);
        TypedCommands::mset(r, &[("a", "1"), ("b", "2")]).unwrap();
        let all: Vec<Option<String>> = Commands::mget(r, &["a", "b", "none"]).unwrap();
        assert_eq!(all, [Some("1".into()), Some("2".into()), None]);
        assert_eq!(TypedCommands::append(r, "a", "23").unwrap(), 3);
        assert_eq!(TypedCommands::getrange(r, "a", 1, -1).unwrap(), "23");
        let bytes: Vec<u8> = (0..=255).collect();
        TypedCommands::set(r, "bytes", &bytes[..]).unwrap();
        let back: Vec<u8> = Commands::get(r, "bytes").unwrap();
        assert_eq!(back, bytes);
        assert_eq!(TypedCommands::del(r, &["a", "b", "none"]).unwrap(), 2);
    });
}

#[test]
fn hashes() {
    over_both(|_, r| {
        TypedCommands::hset_multiple(r, "h", &[("a", "1"), ("b", "2")]).unwrap();
        let all: HashMap<String, i64> = Commands::hgetall(r, "h").unwrap();
        assert_eq!(all, HashMap::from([("a".into(), 1), ("b".into(), 2)]));
        let ninth: i64 = Commands::hincr(r, "h", "a", 9).unwrap();
        assert_eq!(ninth, 10);
        let some: (Option<i64>, Option<i64>) = Commands::hmget(r, "h", &["a", "x"]).unwrap();
        assert_eq!(some, (Some(10), None));
        assert!(TypedCommands::hexists(r, "h", "b").unwrap());
        assert_eq!(TypedCommands::hdel(r, "h", "b").unwrap(), 1);
        assert_eq!(TypedCommands::hlen(r, "h").unwrap(), 1);
        let none: HashMap<String, String> = Commands::hgetall(r, "none").unwrap();
        assert!(none.is_empty());
    });
}

#[test]
fn lists() {
    over_both(|_, r| {
        assert_eq!(TypedCommands::rpush(r, "l", &["a", "b", "c"]).unwrap(), 3);
        assert_eq!(TypedCommands::lrange(r, "l", 0, -1).unwrap(), ["a", "b", "c"]);
        let moved: String =
            Commands::lmove(r, "l", "m", Direction::Right, Direction::Left).unwrap();
        assert_eq!(moved, "c");
        let first: Vec<String> = Commands::lpop(r, "l", std::num::NonZeroUsize::new(2)).unwrap();
        assert_eq!(first, ["a", "b"]);
        let none: Option<String> = Commands::lpop(r, "l", None).unwrap();
        assert_eq!(none, None);
        assert_eq!(TypedCommands::llen(r, "m").unwrap(), 1);
    });
}

#[test]
fn sets() {
    over_both(|_, r| {
        assert_eq!(TypedCommands::sadd(r, "s", &["a", "b", "c"]).unwrap(), 3);
        assert_eq!(TypedCommands::sadd(r, "t", &["b", "c", "d"]).unwrap(), 3);
        let both: BTreeSet<String> = Commands::sinter(r, &["s", "t"]).unwrap();
        assert_eq!(both, BTreeSet::from(["b".into(), "c".into()]));
        assert!(TypedCommands::sismember(r, "s", "a").unwrap());
        let which: Vec<bool> = Commands::smismember(r, "s", &["a", "x"]).unwrap();
        assert_eq!(which, [true, false]);
        assert_eq!(TypedCommands::srem(r, "s", "a").unwrap(), 1);
        assert_eq!(TypedCommands::scard(r, "s").unwrap(), 2);
    });
}

#[test]
fn sorted_sets() {
    over_both(|_, r| {
        let scores = [(1.0, "a"), (2.5, "b"), (f64::INFINITY, "c")];
        assert_eq!(TypedCommands::zadd_multiple(r, "z", &scores).unwrap(), 3);
        let pairs: Vec<(String, f64)> = Commands::zrange_withscores(r, "z", 0, -1).unwrap();
        let expected = scores.map(|(score, member)| (member.to_owned(), score));
        assert_eq!(pairs, expected);
        assert_eq!(TypedCommands::zscore(r, "z", "b").unwrap(), Some(2.5));
        let behind: Vec<String> = Commands::zrangebyscore(r, "z", "(1", "+inf").unwrap();
        assert_eq!(behind, ["b", "c"]);
        let more: f64 = Commands::zincr(r, "z", "a", 0.25).unwrap();
        assert_eq!(more, 1.25);
        let popped: Vec<(String, f64)> = Commands::zpopmin(r, "z", 1).unwrap();
        assert_eq!(popped, [("a".to_owned(), 1.25)]);
        assert_eq!(TypedCommands::zcard(r, "z").unwrap(), 2);
    });
}

#[test]
fn errors_keep_their_code() {
    over_both(|_, r| {
        TypedCommands::set(r, "k", "v").unwrap();
        let error = Commands::lpush::<_, _, usize>(r, "k", "x").unwrap_err();
        assert_eq!(error.code(), Some("WRONGTYPE"));
        let error = redis::cmd("NOSUCH").exec(r).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server(ServerErrorKind::ResponseError));
        assert!(error.to_string().contains("unknown command"), "{error}");
    });
}

#[test]
fn iterators_of_scans_see_everything_once() {
    over_both(|_, r| {
        let names: BTreeSet<String> = (0..500).map(|at| format!("key:{at}")).collect();
        let pairs: Vec<(String, usize)> = names.iter().cloned().zip(0..).collect();
        TypedCommands::mset(r, &pairs).unwrap();
        TypedCommands::set(r, "other", "v").unwrap();
        let seen: Vec<String> =
            Commands::scan_match(r, "key:*").unwrap().map(Result::unwrap).collect();
        assert_eq!(seen.len(), names.len());
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), names);
        TypedCommands::hset_multiple(r, "h", &pairs).unwrap();
        let fields: BTreeMap<String, usize> =
            Commands::hscan(r, "h").unwrap().map(Result::unwrap).collect();
        assert_eq!(fields, pairs.iter().cloned().collect());
        let members: Vec<String> = names.iter().cloned().collect();
        TypedCommands::sadd(r, "s", &members).unwrap();
        let seen: BTreeSet<String> = Commands::sscan(r, "s").unwrap().map(Result::unwrap).collect();
        assert_eq!(seen, names);
    });
}
