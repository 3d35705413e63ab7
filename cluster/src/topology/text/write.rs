//! Writing.

use std::fmt::{self, Display, Formatter, Write};

use crate::topology::{
    Epoch, GroupId, JoinOrder, Level, LoadManagerState, Member, Node, Operation, OperationKind,
    Phase, Shard, ShardId, SplitCause, Topology, Version, Vote,
};

/// Buckets of a cluster that does not say how many.
pub(super) const BUCKETS_USUAL: u16 = 1000;

impl Display for Topology {
    /// One line; with `{:#}` one line per item.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut items: Vec<String> = Vec::new();
        for node in self.nodes() {
            items.push(self.node_text(node)?);
        }
        for shard in self.shards() {
            items.extend(self.shard_text(shard)?);
        }
        for operation in self.operations() {
            items.push(self.operation_text(operation)?);
        }
        items.extend(self.cluster_text()?);
        f.write_str(&items.join(if f.alternate() { "\n" } else { " | " }))
    }
}

impl Topology {
    fn node_text(&self, node: &Node) -> Result<String, fmt::Error> {
        let mut text = node.id.to_string();
        if node.level != Level::MIN {
            write!(text, " {}", node.level)?;
        }
        if let Some(zone) = &node.zone {
            write!(text, " @{zone}")?;
        }
        if node.joined != JoinOrder(node.id.0) {
            write!(text, " {}", node.joined)?;
        }
        if let Some(request) = node.request {
            write!(text, " {request}")?;
        }
        if node.fenced {
            text.push_str(" fenced");
        }
        match node.load_manager {
            LoadManagerState::Off => {}
            LoadManagerState::On => text.push_str(" LM"),
            LoadManagerState::Draining => text.push_str(" LM-draining"),
        }
        if let Some(shadow) = node.shadow
            && self.member(shadow, node.id).is_none()
        {
            write!(text, " {shadow}~:none")?;
        }
        for shard in self.shards_of(node.id) {
            if let Some(member) = shard.members.get(&node.id) {
                write_part(&mut text, node, shard, member)?;
            }
        }
        Ok(text)
    }

    fn shard_text(&self, shard: &Shard) -> Result<Option<String>, fmt::Error> {
        let mut text = shard.id.to_string();
        if self.shard_count() > 1 {
            write!(text, " {}", shard.range)?;
        }
        if shard.epoch != Epoch(1) {
            write!(text, " {}", shard.epoch)?;
        }
        if shard.group != usual_group(shard.id) {
            write!(text, " {}", shard.group)?;
        }
        if let Some(parent) = shard.parent {
            write!(text, " of {parent}")?;
        }
        Ok(text.contains(' ').then_some(text))
    }

    fn operation_text(&self, operation: &Operation) -> Result<String, fmt::Error> {
        let mut text = format!("{} {}", operation.id, operation.kind);
        if let Some(shard) = operation.shard {
            write!(text, " on {shard}")?;
        }
        if operation.phase != Phase::Requested {
            write!(text, " {}", operation.phase)?;
        }
        if operation.epoch != self.usual_epoch(operation) {
            write!(text, " {}", operation.epoch)?;
        }
        for node in &operation.nodes {
            write!(text, " {node}")?;
        }
        for request in &operation.requests {
            write!(text, " {request}")?;
        }
        Ok(text)
    }

    fn usual_epoch(&self, operation: &Operation) -> Epoch {
        let shard = operation.shard.and_then(|s| self.shard(s));
        shard.map_or(self.epoch(), |s| s.epoch)
    }

    fn cluster_text(&self) -> Result<Option<String>, fmt::Error> {
        let mut text = String::from("cluster");
        if self.buckets() != BUCKETS_USUAL {
            write!(text, " B{}", self.buckets())?;
        }
        if self.version() != Version(1) {
            write!(text, " {}", self.version())?;
        }
        if self.epoch() != Epoch(1) {
            write!(text, " {}", self.epoch())?;
        }
        let (known, least) = (self.counters(), self.least_counters());
        let mut next = String::new();
        if known.node != least.node {
            write!(next, " {}", known.node)?;
        }
        if known.joined != least.joined {
            write!(next, " {}", known.joined)?;
        }
        if known.shard != least.shard {
            write!(next, " {}", known.shard)?;
        }
        if known.group != least.group {
            write!(next, " {}", known.group)?;
        }
        if known.operation != least.operation {
            write!(next, " {}", known.operation)?;
        }
        if !next.is_empty() {
            write!(text, " next{next}")?;
        }
        Ok(text.contains(' ').then_some(text))
    }
}

/// The group of a shard that does not say which.
pub(super) fn usual_group(shard: ShardId) -> GroupId {
    GroupId(u64::from(shard.0))
}

fn write_part(text: &mut String, node: &Node, shard: &Shard, member: &Member) -> fmt::Result {
    let writes = shard.writer == node.id;
    let shadow = node.shadow == Some(shard.id);
    let (role, usual) = match (writes, member.reads, shadow) {
        (true, false, _) => (" W", Vote::Voter),
        (true, true, _) => (" WR", Vote::Voter),
        (false, true, false) => (" R", Vote::Voter),
        (false, false, false) => (" F", Vote::Learner),
        (false, true, true) => (" R", Vote::Learner),
        (false, false, true) => ("", Vote::Learner),
    };
    write!(text, "{role} {}", shard.id)?;
    if shadow {
        text.push('~');
    }
    if let Some(part) = member.part {
        write!(text, "[{part}]")?;
    }
    if member.vote != usual {
        write!(text, ":{}", member.vote)?;
    }
    Ok(())
}

impl Display for Vote {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Learner => "learner",
            Self::Voter => "voter",
            Self::Incoming => "incoming",
            Self::Outgoing => "outgoing",
        })
    }
}

impl Display for Phase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "requested",
            Self::Joined => "joined",
            Self::Syncing => "syncing",
            Self::Prepared => "prepared",
            Self::Committed => "committed",
            Self::Transferring => "transferring",
            Self::Draining => "draining",
            Self::Releasing => "releasing",
        })
    }
}

impl Display for SplitCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
        })
    }
}

impl Display for OperationKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grow => f.write_str("grow"),
            Self::Shrink => f.write_str("shrink"),
            Self::AddLoadManager => f.write_str("add-lm"),
            Self::RemoveLoadManager => f.write_str("remove-lm"),
            Self::ChangeLevel { to } => write!(f, "level {to}"),
            Self::Split { at, child, cause } => write!(f, "split {child} at {} for {cause}", at.0),
            Self::Merge { right } => write!(f, "merge {right}"),
            Self::Replace { lost } => write!(f, "replace {lost}"),
            Self::Revote => f.write_str("revote"),
            Self::SwitchTo { to } => write!(f, "switch {to}"),
        }
    }
}
