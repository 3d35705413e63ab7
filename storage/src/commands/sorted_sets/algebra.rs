//! Unions, intersections and differences of sorted sets; sets take part with all scores 1.

use super::range::{header, member};
use super::store;
use crate::bytes::SmallBytes;
use crate::commands::fail::{SYNTAX, WRONG_TYPE};
use crate::commands::{Ctx, Fail, Outcome, parse};
use crate::keyspace::hash32;
use crate::objects::{Collection, Set, Value, ZSet};
use crate::table::HashOrdered;
use resp::numbers::parse_f64;
use resp::{Args, Reply};

const NOT_WEIGHT: Fail = Fail::text("ERR weight value is not a float");
const NEGATIVE_LIMIT: Fail = Fail::text("ERR LIMIT can't be negative");

type Pairs = Vec<(SmallBytes, f64)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// What becomes of the result; decides which options there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    Reply,
    Store,
    Count,
}

#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    scores: bool,
    /// 0: none.
    limit: usize,
}

/// One operand. A key that does not exist is an empty one.
#[derive(Clone, Copy)]
enum Input<'a> {
    Empty,
    ZSet(&'a ZSet),
    Set(&'a Set),
}

pub fn zunion<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Union, Goal::Reply)
}

pub fn zunionstore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Union, Goal::Store)
}

pub fn zinter<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Inter, Goal::Reply)
}

pub fn zinterstore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Inter, Goal::Store)
}

pub fn zintercard<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Inter, Goal::Count)
}

pub fn zdiff<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Diff, Goal::Reply)
}

pub fn zdiffstore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    run(cx, out, Operation::Diff, Goal::Store)
}

fn run<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>, operation: Operation, goal: Goal) -> Outcome {
    let args = cx.args;
    let at = if goal == Goal::Store { 2 } else { 1 };
    let count = parse::integer(args.at(at))?;
    if count < 1 {
        let name = args.at(0).to_ascii_lowercase();
        let name = String::from_utf8_lossy(&name);
        let text = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(Fail::owned(text));
    }
    let first = at + 1;
    let count = usize::try_from(count).ok().filter(|count| *count <= args.len() - first);
    let end = first + count.ok_or(SYNTAX)?;
    for index in first..end {
        let key = cx.key(index);
        cx.touch(&key);
        Input::of(cx.value(&key))?;
    }
    let options = Options::parse(args.from(end), end - first, operation, goal)?;

    let inputs: Vec<(Input<'_>, f64)> = (first..end)
        .zip(&options.weights)
        .map(|(index, weight)| Ok((Input::of(cx.value(&cx.key(index)))?, *weight)))
        .collect::<Result<_, Fail>>()?;
    let pairs = match operation {
        Operation::Union => union(inputs, options.aggregate),
        Operation::Inter => inter(inputs, options.aggregate, options.limit),
        Operation::Diff => diff(&inputs),
    };
    match (goal, operation) {
        (Goal::Count, _) => out.int(pairs.len() as i64),
        (Goal::Reply, _) => reply(out, pairs, options.scores),
        (Goal::Store, Operation::Union) => store(cx, out, &cx.key(1), pairs, "zunionstore"),
        (Goal::Store, Operation::Inter) => store(cx, out, &cx.key(1), pairs, "zinterstore"),
        (Goal::Store, Operation::Diff) => store(cx, out, &cx.key(1), pairs, "zdiffstore"),
    }
    Ok(())
}

fn reply(out: &mut Reply<'_>, mut pairs: Pairs, scores: bool) {
    ZSet::sort(&mut pairs);
    header(out, pairs.len(), scores);
    for (bytes, score) in &pairs {
        member(out, bytes, scores.then_some(*score));
    }
}

fn union(mut inputs: Vec<(Input<'_>, f64)>, aggregate: Aggregate) -> Pairs {
    // Smallest first, as in Redis: with floats the order of a sum shows in its last digits.
    inputs.sort_by_key(|(input, _)| input.len());
    let mut pairs: HashOrdered<(SmallBytes, f64)> = HashOrdered::default();
    for (input, weight) in inputs {
        input.each(&mut |member, score| {
            let (hash, score) = (hash32(member), weighted(score, weight));
            match pairs.get_mut(hash, |(known, _)| **known == *member) {
                Some((_, sum)) => *sum = aggregate.apply(*sum, score),
                None => {
                    pairs.insert(hash, (SmallBytes::new(member), score));
                }
            }
            true
        });
    }
    pairs.into_iter().collect()
}

fn inter(mut inputs: Vec<(Input<'_>, f64)>, aggregate: Aggregate, limit: usize) -> Pairs {
    inputs.sort_by_key(|(input, _)| input.len());
    let mut pairs = Vec::new();
    let Some(((smallest, weight), others)) = inputs.split_first() else { return pairs };
    smallest.each(&mut |member, score| {
        let first = Some(weighted(score, *weight));
        let score = others.iter().fold(first, |sum, (input, weight)| {
            // The product is not freed from NaN here: the sum is, minimum and maximum ignore it.
            Some(aggregate.apply(sum?, input.score(member)? * weight))
        });
        pairs.extend(score.map(|score| (SmallBytes::new(member), score)));
        limit == 0 || pairs.len() < limit
    });
    pairs
}

fn diff(inputs: &[(Input<'_>, f64)]) -> Pairs {
    let mut pairs = Vec::new();
    let Some(((first, _), others)) = inputs.split_first() else { return pairs };
    first.each(&mut |member, score| {
        if others.iter().all(|(input, _)| input.score(member).is_none()) {
            pairs.push((SmallBytes::new(member), score));
        }
        true
    });
    pairs
}

/// The score times the weight; infinity times zero counts as zero.
fn weighted(score: f64, weight: f64) -> f64 {
    let product = score * weight;
    if product.is_nan() { 0.0 } else { product }
}

impl Aggregate {
    /// Infinities of both signs sum up to zero.
    fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Aggregate::Sum if (a + b).is_nan() => 0.0,
            Aggregate::Sum => a + b,
            Aggregate::Min if b < a => b,
            Aggregate::Max if b > a => b,
            Aggregate::Min | Aggregate::Max => a,
        }
    }
}

impl Options {
    /// Reads what follows `keys` keys.
    fn parse(
        mut rest: Args<'_>,
        keys: usize,
        operation: Operation,
        goal: Goal,
    ) -> Result<Options, Fail> {
        let weights = vec![1.0; keys];
        let mut options = Options { weights, aggregate: Aggregate::Sum, scores: false, limit: 0 };
        let weighs = operation != Operation::Diff && goal != Goal::Count;
        while let Some(word) = rest.get(0) {
            let mut taken = 2;
            if weighs && rest.len() > keys && parse::is(word, "weights") {
                for (weight, arg) in options.weights.iter_mut().zip(rest.from(1).iter()) {
                    *weight = parse_f64(arg).ok_or(NOT_WEIGHT)?;
                }
                taken = keys + 1;
            } else if weighs && rest.len() >= 2 && parse::is(word, "aggregate") {
                options.aggregate = match rest.at(1) {
                    how if parse::is(how, "sum") => Aggregate::Sum,
                    how if parse::is(how, "min") => Aggregate::Min,
                    how if parse::is(how, "max") => Aggregate::Max,
                    _ => return Err(SYNTAX),
                };
            } else if goal == Goal::Reply && parse::is(word, "withscores") {
                options.scores = true;
                taken = 1;
            } else if goal == Goal::Count && rest.len() >= 2 && parse::is(word, "limit") {
                options.limit = parse::positive(rest.at(1)).map_err(|_| NEGATIVE_LIMIT)?;
            } else {
                return Err(SYNTAX);
            }
            rest = rest.from(taken);
        }
        Ok(options)
    }
}

impl<'a> Input<'a> {
    fn of(value: Option<&'a Value>) -> Result<Input<'a>, Fail> {
        match value {
            None => Ok(Input::Empty),
            Some(Value::ZSet(set)) => Ok(Input::ZSet(set)),
            Some(Value::Set(set)) => Ok(Input::Set(set)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    fn len(self) -> usize {
        match self {
            Input::Empty => 0,
            Input::ZSet(set) => set.len(),
            Input::Set(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Input::Empty => None,
            Input::ZSet(set) => set.score(member),
            Input::Set(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Visits members with their scores until told to stop.
    fn each(self, visit: &mut dyn FnMut(&[u8], f64) -> bool) {
        match self {
            Input::Empty => {}
            Input::ZSet(set) => {
                set.iter().all(|(member, score)| visit(member, score));
            }
            Input::Set(set) => {
                set.iter().all(|member| visit(member.bytes(&mut [0; 20]), 1.0));
            }
        }
    }
}
