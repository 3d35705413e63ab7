//! Reading and editing lists by index and by value.

use super::span;
use crate::commands::fail::{Fail, INDEX_RANGE, NO_SUCH_KEY, Outcome, SYNTAX};
use crate::commands::parse::{integer, is};
use crate::commands::{Ctx, Missing};
use crate::keyspace::Class;
use crate::objects::{Collection, List, Side};
use resp::numbers::parse_i64;
use resp::{Args, Reply};

const RANK_ZERO: Fail = Fail::text(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
     or use negative to start from the end of the list",
);

pub fn llen(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let len = cx.read::<List>(&cx.key(1))?.map_or(0, List::len);
    out.int(len as i64);
    Ok(())
}

pub fn lindex(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let arg = cx.args.at(2);
    let Some(list) = cx.read::<List>(&cx.key(1))? else {
        out.null();
        return Ok(());
    };
    match index_in(integer(arg)?, list.len()).and_then(|index| list.get(index)) {
        Some(element) => out.bulk(element),
        None => out.null(),
    }
    Ok(())
}

pub fn lrange(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (start, stop) = (integer(cx.args.at(2))?, integer(cx.args.at(3))?);
    let Some(list) = cx.read::<List>(&cx.key(1))? else {
        out.array(0);
        return Ok(());
    };
    let (start, end) = span(start, stop, list.len());
    out.array(end - start);
    list.range(start..end).for_each(|element| out.bulk(element));
    Ok(())
}

pub fn lpos(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let search = Search::parse(cx.args)?;
    let Some(list) = cx.read::<List>(&cx.key(1))? else {
        match search.count {
            Some(_) => out.array(0),
            None => out.null(),
        }
        return Ok(());
    };
    match search.count {
        None => match search.run(list).next() {
            Some(index) => out.int(index as i64),
            None => out.null(),
        },
        Some(count) => {
            let begun = out.begin_array();
            let mut found = 0;
            let most = if count == 0 { usize::MAX } else { count };
            for index in search.run(list).take(most) {
                out.int(index as i64);
                found += 1;
            }
            out.end_array(begun, found);
        }
    }
    Ok(())
}

pub fn lset(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let set = cx.modify(&key, Missing::Skip, |list: &mut List, changes| {
        let index = index_in(integer(args.at(2))?, list.len()).ok_or(INDEX_RANGE)?;
        if list.set(index, args.at(3), changes) { Ok(()) } else { Err(INDEX_RANGE) }
    })?;
    set.ok_or(NO_SUCH_KEY)??;
    cx.notify(Class::List, "lset", &key);
    out.ok();
    Ok(())
}

pub fn linsert(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let behind = match args.at(2) {
        arg if is(arg, "before") => 0,
        arg if is(arg, "after") => 1,
        _ => return Err(SYNTAX),
    };
    let len = cx.modify(&key, Missing::Skip, |list: &mut List, changes| {
        let pivot = list.iter().position(|element| element == args.at(3))?;
        list.insert(pivot + behind, args.at(4), changes);
        Some(list.len() as i64)
    })?;
    if let Some(Some(_)) = len {
        cx.notify(Class::List, "linsert", &key);
    }
    out.int(len.map_or(0, |len| len.unwrap_or(-1)));
    Ok(())
}

pub fn lrem(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (args, key) = (cx.args, cx.key(1));
    let count = integer(args.at(2))?;
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let removed = cx.modify(&key, Missing::Skip, |list: &mut List, changes| {
        let all = list.iter().enumerate();
        let matching = |pair: &(usize, &[u8])| pair.1 == args.at(3);
        let mut indexes: Vec<usize> = if count < 0 {
            let from_end = list.iter().rev().zip((0..list.len()).rev());
            let matching = from_end.filter(|pair| matching(&(pair.1, pair.0)));
            matching.map(|pair| pair.1).take(most).collect()
        } else {
            all.filter(matching).map(|pair| pair.0).take(most).collect()
        };
        if count < 0 {
            indexes.reverse();
        }
        list.remove(&indexes, changes);
        (indexes.len(), list.is_empty())
    })?;
    let (removed, empty) = removed.unwrap_or_default();
    if removed > 0 {
        cx.notify(Class::List, "lrem", &key);
    }
    if empty {
        cx.notify(Class::Generic, "del", &key);
    }
    out.int(removed as i64);
    Ok(())
}

pub fn ltrim(cx: &mut Ctx<'_, '_>, out: &mut Reply<'_>) -> Outcome {
    let (start, stop) = (integer(cx.args.at(2))?, integer(cx.args.at(3))?);
    let key = cx.key(1);
    let empty = cx.modify(&key, Missing::Skip, |list: &mut List, changes| {
        let (start, end) = span(start, stop, list.len());
        list.drop_ends(Side::Right, list.len() - end, changes);
        list.drop_ends(Side::Left, start, changes);
        list.is_empty()
    })?;
    if let Some(empty) = empty {
        cx.notify(Class::List, "ltrim", &key);
        if empty {
            cx.notify(Class::Generic, "del", &key);
        }
    }
    out.ok();
    Ok(())
}

/// LPOS: an element and which of its places are wanted.
struct Search<'a> {
    element: &'a [u8],
    /// Matches to pass over.
    skip: usize,
    backwards: bool,
    /// 0: all of them; `None`: one, not in an array.
    count: Option<usize>,
    /// Elements to look at.
    look: usize,
}

impl<'a> Search<'a> {
    fn parse(args: Args<'a>) -> Result<Search<'a>, Fail> {
        let not_negative = |arg: &[u8], error: &'static str| {
            let number = parse_i64(arg).and_then(|number| usize::try_from(number).ok());
            number.ok_or(Fail::text(error))
        };
        let (mut rank, mut count, mut look) = (1, None, 0);
        let mut options = args.from(3).iter();
        while let Some(option) = options.next() {
            let value = options.next().ok_or(SYNTAX)?;
            if is(option, "rank") {
                rank = integer(value)?;
                if rank == 0 {
                    return Err(RANK_ZERO);
                }
            } else if is(option, "count") {
                count = Some(not_negative(value, "ERR COUNT can't be negative")?);
            } else if is(option, "maxlen") {
                look = not_negative(value, "ERR MAXLEN can't be negative")?;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(Search {
            element: args.at(2),
            // The least number has no opposite; Redis then takes the first match, so do we.
            skip: rank.checked_abs().map_or(0, |rank| rank as usize - 1),
            backwards: rank < 0,
            count,
            look: if look == 0 { usize::MAX } else { look },
        })
    }

    /// The indexes found, in the order of the search.
    fn run<'l>(&'l self, list: &'l List) -> impl Iterator<Item = usize> + 'l {
        let mut elements = list.iter();
        let in_order = (0..list.len()).take(self.look).filter_map(move |passed| {
            let next = if self.backwards { elements.next_back() } else { elements.next() };
            let index = if self.backwards { list.len() - 1 - passed } else { passed };
            (next == Some(self.element)).then_some(index)
        });
        in_order.skip(self.skip)
    }
}

/// An index, negative ones from the end; `None` before the head. It may be behind the tail.
fn index_in(index: i64, len: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(index.unsigned_abs() as usize),
    }
}
