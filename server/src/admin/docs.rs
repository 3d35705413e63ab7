//! COMMAND DOCS: what a person wants to know of a command; redis-cli makes its help and its hints
//! from it.

use super::command::{find, top};
use super::syntax::{Arg, parse};
use crate::registry::Command;
use crate::session::{After, Call, SessionFn};
use resp::Reply;
use storage::commands::Fail;

pub const CODE: &[(&str, SessionFn)] = &[("command|docs", docs)];

fn docs(call: &mut Call<'_>, reply: &mut Reply<'_>) -> Result<After, Fail> {
    let names = call.args.from(2);
    let wanted: Vec<&Command> = if names.is_empty() {
        top(call).collect()
    } else {
        names.iter().filter_map(|name| find(call, name)).collect()
    };
    reply.map(wanted.len());
    for command in wanted {
        reply.bulk_str(command.row.name);
        document(call, command, reply);
    }
    Ok(After::Done)
}

fn document(call: &Call<'_>, command: &Command, reply: &mut Reply<'_>) {
    let row = command.row;
    let subcommands: Vec<&Command> = call.node.registry.subcommands(command).collect();
    let args = parse(row);
    let texts = [
        ("summary", row.summary),
        ("since", row.since),
        ("group", row.group.name()),
        ("complexity", row.complexity),
    ];
    let texts = texts.iter().filter(|(_, text)| !text.is_empty());
    let fields = usize::from(!args.is_empty()) + usize::from(!subcommands.is_empty());
    reply.map(texts.clone().count() + fields);
    for (name, text) in texts {
        reply.bulk_str(name);
        reply.bulk_str(text);
    }
    if !args.is_empty() {
        reply.bulk_str("arguments");
        arguments(&args, reply);
    }
    if !subcommands.is_empty() {
        reply.bulk_str("subcommands");
        reply.map(subcommands.len());
        for subcommand in subcommands {
            reply.bulk_str(subcommand.row.name);
            document(call, subcommand, reply);
        }
    }
}

fn arguments(args: &[Arg], reply: &mut Reply<'_>) {
    reply.array(args.len());
    for arg in args {
        let flags = [
            ("optional", arg.optional),
            ("multiple", arg.multiple),
            ("multiple_token", arg.multiple_token),
        ];
        let flags: Vec<&str> =
            flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        let fields = [
            arg.key_spec.is_some(),
            arg.token.is_some(),
            !flags.is_empty(),
            !arg.children.is_empty(),
        ];
        reply.map(2 + fields.iter().filter(|there| **there).count());
        reply.bulk_str("name");
        reply.bulk_str(&arg.name);
        reply.bulk_str("type");
        reply.bulk_str(arg.kind.name());
        if let Some(number) = arg.key_spec {
            reply.bulk_str("key_spec_index");
            reply.int(number as i64);
        }
        if let Some(token) = &arg.token {
            reply.bulk_str("token");
            reply.bulk_str(token);
        }
        if !flags.is_empty() {
            reply.bulk_str("flags");
            reply.set(flags.len());
            flags.iter().for_each(|flag| reply.simple(flag));
        }
        if !arg.children.is_empty() {
            reply.bulk_str("arguments");
            arguments(&arg.children, reply);
        }
    }
}
