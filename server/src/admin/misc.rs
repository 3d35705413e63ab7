//! TIME, ROLE, LASTSAVE, LOLWUT, WAIT, SAVE, BGSAVE, SHUTDOWN.

use super::pause::timeout_ms;
use crate::node::{Node, wall_us};
use crate::session::{After, Call, SessionFn};
use resp::Reply;
use std::sync::atomic::Ordering;
use storage::commands::Fail;
use storage::commands::fail::{NOT_INTEGER, SYNTAX};
use storage::commands::parse::{integer, is};

pub const CODE: &[(&str, SessionFn)] = &[
    ("time", time),
    ("role", role),
    ("lastsave", last_save),
    ("lolwut", lolwut),
    ("wait", wait),
    ("save", save),
    ("bgsave", bgsave),
    ("shutdown", shutdown),
];

const SAVING: Fail = Fail::text("ERR Background save already in progress");

fn time(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let us = wall_us();
    reply.array(2);
    reply.bulk_int(us / 1_000_000);
    reply.bulk_int(us % 1_000_000);
    Ok(After::Done)
}

fn role(_: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.array(3);
    reply.bulk_str("master");
    reply.int(0);
    reply.array(0);
    Ok(After::Done)
}

fn last_save(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    reply.int(call.node.last_save.load(Ordering::Relaxed) / 1000);
    Ok(After::Done)
}

fn lolwut(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    if is(call.args.get(1).unwrap_or_default(), "version")
        && let Some(version) = call.args.get(2)
    {
        i32::try_from(integer(version)?).map_err(|_| NOT_INTEGER)?;
    }
    let art = "   |>\n---|------->\n   |>\n";
    let version = env!("CARGO_PKG_VERSION");
    let text = format!("{art}Bowshock ver. {version}, speaking as Redis ver. 7.0.15\n");
    reply.verbatim("txt", text.as_bytes());
    Ok(After::Done)
}

fn wait(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let replicas = integer(call.args.at(1))?;
    let ms = timeout_ms(call.args.at(2))?;
    if replicas <= 0 || call.locked.is_some() {
        reply.int(0);
        return Ok(After::Done);
    }
    Ok(After::WaitReplicas { ms })
}

/// Saves, unless that is being done already: then the error says so.
fn save_once(node: &Node) -> Result<(), Fail> {
    if node.saving.swap(true, Ordering::AcqRel) {
        return Err(SAVING);
    }
    let outcome = node.save();
    node.saving.store(false, Ordering::Release);
    outcome.map(|_| ()).map_err(|text| Fail::owned(format!("ERR {text}")))
}

fn save(_: &mut Call<'_>, _: &mut Reply<'_>) -> Result<After, Fail> {
    Ok(After::Job(Box::new(|node, reply| {
        save_once(node)?;
        reply.ok();
        Ok(())
    })))
}

fn bgsave(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    match call.args.len() {
        1 => {}
        2 if is(call.args.at(1), "schedule") => {}
        _ => return Err(SYNTAX),
    }
    let node = call.node;
    if node.saving.load(Ordering::Acquire) {
        return Err(SAVING);
    }
    if node.store.is_none() {
        return Err(Fail::text("ERR there is nothing on disk with --base memory"));
    }
    node.workers.run(Box::new(move || {
        if let Err(fail) = save_once(node) {
            tracing::error!("background save failed: {fail}");
        }
    }));
    reply.simple("Background saving started");
    Ok(After::Done)
}

/// What SHUTDOWN was asked.
#[derive(Default, Debug, PartialEq, Eq, Clone, Copy)]
struct Shutdown {
    save: bool,
    no_save: bool,
    now: bool,
    force: bool,
    abort: bool,
}

impl Shutdown {
    fn parse(args: resp::Args<'_>) -> Result<Shutdown, Fail> {
        let mut asked = Shutdown::default();
        for arg in args.from(1).iter() {
            let option = match arg {
                arg if is(arg, "save") => &mut asked.save,
                arg if is(arg, "nosave") => &mut asked.no_save,
                arg if is(arg, "now") => &mut asked.now,
                arg if is(arg, "force") => &mut asked.force,
                arg if is(arg, "abort") => &mut asked.abort,
                _ => return Err(SYNTAX),
            };
            *option = true;
        }
        let others = asked.save || asked.no_save || asked.now || asked.force;
        if (asked.save && asked.no_save) || (asked.abort && others) {
            return Err(SYNTAX);
        }
        Ok(asked)
    }
}

/// The journal has what was acknowledged, so only SAVE has something to wait for.
fn shutdown(call: &mut Call<'_>, _: &mut Reply<'_>) -> Result<After, Fail> {
    let asked = Shutdown::parse(call.args)?;
    if asked.abort {
        return Err(Fail::text("ERR No shutdown in progress."));
    }
    if !asked.save {
        tracing::info!("stopping as a client asked");
        call.node.shut_down();
        return Ok(After::Close);
    }
    Ok(After::Job(Box::new(move |node, _| {
        if let Err(text) = node.save() {
            tracing::error!("save before shutdown failed: {text}");
            if !asked.force {
                return Err(Fail::text("ERR Errors trying to SHUTDOWN. Check logs."));
            }
        }
        node.shut_down();
        Ok(())
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedArgs;

    fn parse(words: &[&[u8]]) -> Result<Shutdown, Fail> {
        Shutdown::parse(OwnedArgs::from_slices(words).as_args())
    }

    #[test]
    fn options_of_shutdown_that_contradict_each_other_are_refused() {
        assert_eq!(parse(&[b"shutdown", b"save", b"nosave"]), Err(SYNTAX));
        assert_eq!(parse(&[b"shutdown", b"abort", b"now"]), Err(SYNTAX));
        assert_eq!(parse(&[b"shutdown", b"later"]), Err(SYNTAX));
        let asked = parse(&[b"SHUTDOWN", b"NOSAVE", b"NOW", b"FORCE"]).unwrap();
        assert!(asked.no_save && asked.now && asked.force && !asked.save);
    }
}
