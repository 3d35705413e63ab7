//! ZADD and ZINCRBY.

use crate::commands::fail::SYNTAX;
use crate::commands::{Ctx, Fail, Missing, Outcome, parse};
use crate::keyspace::Class;
use crate::objects::{Changes, ZSet};
use resp::{Args, Reply};
use smallvec::SmallVec;

const NX_XX: Fail = Fail::text("ERR XX and NX options at the same time are not compatible");
const GT_LT_NX: Fail =
    Fail::text("ERR GT, LT, and/or NX options at the same time are not compatible");
const ONE_PAIR: Fail = Fail::text("ERR INCR option supports a single increment-element pair");
const NAN: Fail = Fail::text("ERR resulting score is not a number (NaN)");

#[derive(Clone, Copy, Default)]
struct Options {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
    ch: bool,
    incr: bool,
}

/// What became of the members of one command.
#[derive(Default)]
struct Tally {
    added: i64,
    updated: i64,
    /// The last score, unless the options forbade to set it.
    score: Option<f64>,
}

pub fn zadd<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    add(cx, out, Options::default())
}

pub fn zincrby<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    add(cx, out, Options { incr: true, ..Options::default() })
}

fn add<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>, preset: Options) -> Outcome {
    let (options, pairs) = Options::parse(cx.args.from(2), preset)?;
    let scores = pairs.iter().step_by(2).map(parse::float);
    let scores = scores.collect::<Result<SmallVec<[f64; 8]>, Fail>>()?;
    let members = pairs.iter().skip(1).step_by(2);

    let key = cx.key(1);
    let missing = if options.xx { Missing::Skip } else { Missing::Create };
    let tally = cx.modify(&key, missing, |set: &mut ZSet, changes| {
        let mut tally = Tally::default();
        for (&score, member) in scores.iter().zip(members) {
            options.apply(set, member, score, changes, &mut tally)?;
        }
        Ok(tally)
    })?;
    let tally = tally.transpose()?.unwrap_or_default();

    if tally.added + tally.updated > 0 {
        cx.notify(Class::Zset, if options.incr { "zincr" } else { "zadd" }, &key);
    }
    match (options.incr, tally.score) {
        (true, Some(score)) => out.score(score),
        (true, None) => out.null(),
        (false, _) if options.ch => out.int(tally.added + tally.updated),
        (false, _) => out.int(tally.added),
    }
    Ok(())
}

impl Options {
    /// Reads options; the rest are pairs of score and member.
    fn parse<'a>(args: Args<'a>, preset: Options) -> Result<(Options, Args<'a>), Fail> {
        let mut options = preset;
        let words = args.iter().take_while(|arg| options.take(arg)).count();
        let pairs = args.from(words);
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(SYNTAX);
        }
        if options.nx && options.xx {
            return Err(NX_XX);
        }
        if (options.nx && (options.gt || options.lt)) || (options.gt && options.lt) {
            return Err(GT_LT_NX);
        }
        if options.incr && pairs.len() > 2 {
            return Err(ONE_PAIR);
        }
        Ok((options, pairs))
    }

    /// Whether the argument is an option; sets it.
    fn take(&mut self, arg: &[u8]) -> bool {
        let known = [
            ("nx", &mut self.nx),
            ("xx", &mut self.xx),
            ("ch", &mut self.ch),
            ("incr", &mut self.incr),
            ("gt", &mut self.gt),
            ("lt", &mut self.lt),
        ];
        match known.into_iter().find(|(word, _)| parse::is(arg, word)) {
            Some((_, option)) => {
                *option = true;
                true
            }
            None => false,
        }
    }

    /// Adds or updates one member. An error only with `incr`, before anything changed.
    fn apply(
        self,
        set: &mut ZSet,
        member: &[u8],
        score: f64,
        changes: &mut Changes<'_>,
        tally: &mut Tally,
    ) -> Result<(), Fail> {
        // The old score is asked for beforehand only where an option depends on it.
        if self.nx || self.xx || self.gt || self.lt || self.incr {
            let Some(old) = set.score(member) else {
                if !self.xx {
                    set.set(member, score, changes);
                    tally.added += 1;
                    tally.score = Some(score);
                }
                return Ok(());
            };
            if self.nx {
                return Ok(());
            }
            let new = if self.incr { old + score } else { score };
            if new.is_nan() {
                return Err(NAN);
            }
            if (self.lt && new >= old) || (self.gt && new <= old) {
                return Ok(());
            }
            tally.score = Some(new);
            if new != old {
                set.set(member, new, changes);
                tally.updated += 1;
            }
            return Ok(());
        }
        match set.set(member, score, changes) {
            None => tally.added += 1,
            Some(old) if old != score => tally.updated += 1,
            Some(_) => {}
        }
        Ok(())
    }
}
