//! ZRANGE, the older commands that are cases of it, and ZRANGESTORE.
//!
//! Each command says what it fixes in advance (by what, which way); the options may choose the
//! rest. Whatever the bounds are, they become a range of ranks, and LIMIT narrows that: so every
//! form costs O(log n) plus what it replies.

use super::bounds;
use crate::bytes::SmallBytes;
use crate::commands::fail::SYNTAX;
use crate::commands::{Ctx, Fail, Outcome, parse};
use crate::objects::{Bound, Collection, LexBound, ZSet};
use resp::{Args, Protocol, Reply};
use std::ops::Range;

const LIMIT_BY_RANK: Fail = Fail::text(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_BY_LEX: Fail =
    Fail::text("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// What a command or its options say; `None` where nothing is said yet.
#[derive(Clone, Copy)]
struct Query {
    by: Option<By>,
    reverse: Option<bool>,
    scores: bool,
    offset: i64,
    /// Negative: no limit.
    limit: i64,
}

const OPEN: Query = Query { by: None, reverse: None, scores: false, offset: 0, limit: -1 };

enum Bounds<'a> {
    Rank(i64, i64),
    Score(Bound, Bound),
    Lex(LexBound<'a>, LexBound<'a>),
}

pub fn zrange<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, OPEN)
}

pub fn zrevrange<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, Query { by: Some(By::Rank), reverse: Some(true), ..OPEN })
}

pub fn zrangebyscore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, Query { by: Some(By::Score), reverse: Some(false), ..OPEN })
}

pub fn zrevrangebyscore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, Query { by: Some(By::Score), reverse: Some(true), ..OPEN })
}

pub fn zrangebylex<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, Query { by: Some(By::Lex), reverse: Some(false), ..OPEN })
}

pub fn zrevrangebylex<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    range(cx, out, Query { by: Some(By::Lex), reverse: Some(true), ..OPEN })
}

fn range<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>, preset: Query) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let (query, bounds) = preset.parse(args.from(2), false)?;
    let Some(set) = cx.read::<ZSet>(&key)? else {
        out.array(0);
        return Ok(());
    };
    let ranks = query.ranks(set, &bounds);
    header(out, ranks.len(), query.scores);
    let emit = |(bytes, score): (&[u8], f64)| member(out, bytes, query.scores.then_some(score));
    match query.is_reverse() {
        false => set.range(ranks).for_each(emit),
        true => set.range(ranks).rev().for_each(emit),
    }
    Ok(())
}

pub fn zrangestore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let (destination, source) = (cx.key(1), cx.key(2));
    let (query, bounds) = OPEN.parse(args.from(3), true)?;
    let pairs = match cx.read::<ZSet>(&source)? {
        Some(set) => {
            let pairs = set.range(query.ranks(set, &bounds));
            pairs.map(|(member, score)| (SmallBytes::new(member), score)).collect()
        }
        None => Vec::new(),
    };
    super::store(cx, out, &destination, pairs, "zrangestore");
    Ok(())
}

impl Query {
    /// Reads `min max options`; with `store` there are no scores to ask for.
    fn parse<'a>(mut self, args: Args<'a>, store: bool) -> Result<(Query, Bounds<'a>), Fail> {
        let mut rest = args.from(2);
        while let Some(word) = rest.get(0) {
            let mut taken = 1;
            if !store && parse::is(word, "withscores") {
                self.scores = true;
            } else if parse::is(word, "limit") && rest.len() >= 3 {
                self.offset = parse::integer(rest.at(1))?;
                self.limit = parse::integer(rest.at(2))?;
                taken = 3;
            } else if self.reverse.is_none() && parse::is(word, "rev") {
                self.reverse = Some(true);
            } else if self.by.is_none() && parse::is(word, "bylex") {
                self.by = Some(By::Lex);
            } else if self.by.is_none() && parse::is(word, "byscore") {
                self.by = Some(By::Score);
            } else {
                return Err(SYNTAX);
            }
            rest = rest.from(taken);
        }
        let by = self.by.unwrap_or(By::Rank);
        if self.limit != -1 && by == By::Rank {
            return Err(LIMIT_BY_RANK);
        }
        if self.scores && by == By::Lex {
            return Err(SCORES_BY_LEX);
        }
        let (first, second) = (args.at(0), args.at(1));
        // Scores and members come as max, min when the order is reversed; ranks do not.
        let (min, max) = if self.is_reverse() { (second, first) } else { (first, second) };
        let bounds = match by {
            By::Rank => Bounds::Rank(parse::integer(first)?, parse::integer(second)?),
            By::Score => bounds::scores(min, max).map(|(min, max)| Bounds::Score(min, max))?,
            By::Lex => bounds::lex(min, max).map(|(min, max)| Bounds::Lex(min, max))?,
        };
        Ok((self, bounds))
    }

    fn is_reverse(self) -> bool {
        self.reverse == Some(true)
    }

    /// The ranks that are asked for, in forward counting.
    fn ranks(self, set: &ZSet, bounds: &Bounds<'_>) -> Range<usize> {
        match *bounds {
            Bounds::Rank(start, stop) => {
                let ranks = bounds::ranks(start, stop, set.len());
                match self.is_reverse() {
                    false => ranks,
                    true => set.len() - ranks.end..set.len() - ranks.start,
                }
            }
            Bounds::Score(min, max) => self.limited(set.ranks_by_score(min, max)),
            Bounds::Lex(min, max) => self.limited(set.ranks_by_lex(min, max)),
        }
    }

    /// LIMIT, counted from where the reply begins. A negative offset finds nothing.
    fn limited(self, ranks: Range<usize>) -> Range<usize> {
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let offset = offset.min(ranks.len());
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX).min(ranks.len() - offset);
        if self.is_reverse() {
            let end = ranks.end - offset;
            return end - limit..end;
        }
        let start = ranks.start + offset;
        start..start + limit
    }
}

/// The header of `len` members: in RESP2 scores are elements of their own.
pub fn header(out: &mut Reply<'_>, len: usize, scores: bool) {
    let flat = scores && out.protocol() == Protocol::Resp2;
    out.array(if flat { len.saturating_mul(2) } else { len });
}

/// A member; with its score in RESP3 a pair.
pub fn member(out: &mut Reply<'_>, member: &[u8], score: Option<f64>) {
    if score.is_some() && out.protocol() == Protocol::Resp3 {
        out.array(2);
    }
    out.bulk(member);
    if let Some(score) = score {
        out.score(score);
    }
}
