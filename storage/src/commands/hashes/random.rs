//! HRANDFIELD.

use crate::commands::fail::SYNTAX;
use crate::commands::parse::is;
use crate::commands::sets::sample;
use crate::commands::{Ctx, Fail, Outcome};
use crate::objects::{Collection, Hash};
use resp::{Protocol, Reply};

const COUNT_RANGE: Fail = Fail::text("ERR value is out of range");

pub(super) fn hrandfield(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let args = cx.args;
    let key = cx.key(1);
    let mut rng = cx.turn.rng.fork();
    let Some(count) = args.get(2) else {
        match cx.read::<Hash>(&key)?.and_then(|hash| hash.random(|below| rng.usize(..below))) {
            Some((field, _)) => out.bulk(field),
            None => out.null(),
        }
        return Ok(());
    };
    let count = sample::count(count)?;
    let with_values = args.len() > 3;
    if args.len() > 4 || with_values && !is(args.at(3), "withvalues") {
        return Err(SYNTAX);
    }
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(COUNT_RANGE);
    }
    let Some(hash) = cx.read::<Hash>(&key)? else {
        out.array(0);
        return Ok(());
    };
    let pairs = with_values && out.protocol() != Protocol::Resp2;
    let width = if with_values && !pairs { 2 } else { 1 };
    let put = |out: &mut Reply<'_>, (field, value): (&[u8], &[u8])| {
        if pairs {
            out.array(2);
        }
        out.bulk(field);
        if with_values {
            out.bulk(value);
        }
    };
    if count < 0 {
        let times = count.unsigned_abs();
        out.array(times as usize * width);
        return sample::repeat(out, times, |out| {
            if let Some(pair) = hash.random(|below| rng.usize(..below)) {
                put(out, pair);
            }
        });
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(hash.len());
    let drawn = sample::distinct(hash.iter(), hash.len(), count, &mut rng, |rng| {
        hash.random(|below| rng.usize(..below))
    });
    out.array(drawn.len() * width);
    drawn.into_iter().for_each(|pair| put(out, pair));
    Ok(())
}
