//! Questions about a sorted set: ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK, ZCOUNT, ZLEXCOUNT, ZSCAN.

use super::bounds;
use crate::bytes::SmallBytes;
use crate::commands::parse::{self, ScanArgs};
use crate::commands::{Ctx, Outcome, glob};
use crate::objects::{Collection, ZSet};
use resp::Reply;
use resp::numbers::format_score;

pub fn zcard<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let key = cx.key(1);
    let set = cx.read::<ZSet>(&key)?;
    out.int(set.map_or(0, Collection::len) as i64);
    Ok(())
}

pub fn zscore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let set = cx.read::<ZSet>(&key)?;
    score_or_null(set.and_then(|set| set.score(args.at(2))), out);
    Ok(())
}

pub fn zmscore<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let set = cx.read::<ZSet>(&key)?;
    let members = args.from(2);
    out.array(members.len());
    for member in members.iter() {
        score_or_null(set.and_then(|set| set.score(member)), out);
    }
    Ok(())
}

pub fn zrank<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    rank(cx, out, false)
}

pub fn zrevrank<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    rank(cx, out, true)
}

fn rank<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>, reverse: bool) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let found = cx.read::<ZSet>(&key)?.and_then(|set| {
        let (rank, _) = set.rank(args.at(2))?;
        Some(if reverse { set.len() - 1 - rank } else { rank })
    });
    match found {
        Some(rank) => out.int(rank as i64),
        None => out.null(),
    }
    Ok(())
}

pub fn zcount<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let (min, max) = bounds::scores(args.at(2), args.at(3))?;
    let set = cx.read::<ZSet>(&key)?;
    out.int(set.map_or(0, |set| set.ranks_by_score(min, max).len()) as i64);
    Ok(())
}

pub fn zlexcount<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let (min, max) = bounds::lex(args.at(2), args.at(3))?;
    let set = cx.read::<ZSet>(&key)?;
    out.int(set.map_or(0, |set| set.ranks_by_lex(min, max).len()) as i64);
    Ok(())
}

pub fn zscan<'a>(cx: &mut Ctx<'a, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    parse::cursor(args.at(2))?;
    out.array(2);
    // As in Redis the options are looked at only when there is something to scan.
    let Some(set) = cx.read::<ZSet>(&key)? else {
        out.bulk(b"0");
        out.array(0);
        return Ok(());
    };
    let scan = ScanArgs::parse(args, 2, false)?;
    let text = if set.is_single() { compact_text } else { format_score };
    let mut found = Vec::new();
    let next = set.scan(scan.cursor, scan.count, |member, score| {
        if scan.pattern.is_none_or(|pattern| glob::matches(pattern, member, false)) {
            found.push((SmallBytes::new(member), score));
        }
    });
    out.bulk(next.to_string().as_bytes());
    out.array(found.len() * 2);
    for (member, score) in found {
        out.bulk(&member);
        out.bulk(text(score).as_bytes());
    }
    Ok(())
}

/// A score as ZSCAN shows it in the compact form, where Redis keeps whole numbers as integers.
fn compact_text(score: f64) -> String {
    const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;
    if score.abs() <= WHOLE_MAX && score.fract() == 0.0 {
        return (score as i64).to_string();
    }
    format_score(score)
}

fn score_or_null(score: Option<f64>, out: &mut Reply<'_>) {
    match score {
        Some(score) => out.score(score),
        None => out.null(),
    }
}
