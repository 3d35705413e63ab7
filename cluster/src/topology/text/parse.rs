//! Reading.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::ParseError;
use super::words::{Item, Word, items};
use super::write::{BUCKETS_USUAL, usual_group};
use crate::topology::{
    BucketId, BucketRange, Counters, Epoch, Format, GroupId, JoinOrder, Level, LoadManagerState,
    Member, Node, NodeId, Operation, OperationId, OperationKind, Phase, RequestId, Shard, ShardId,
    SplitCause, Topology, TopologyParts, Version, Vote, Zone,
};

impl FromStr for Topology {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut reading = Reading::default();
        for item in items(text) {
            reading.item(item)?;
        }
        reading.finish()
    }
}

/// What has been read so far.
struct Reading<'a> {
    buckets: u16,
    version: Version,
    epoch: Epoch,
    counters: Counters,
    nodes: Vec<Node>,
    /// Members by shard, with the word that names the shard first.
    members: BTreeMap<ShardId, (Word<'a>, BTreeMap<NodeId, Member>)>,
    writers: BTreeMap<ShardId, NodeId>,
    shards: BTreeMap<ShardId, ShardItem<'a>>,
    operations: Vec<(Operation, Option<Epoch>)>,
    cluster: bool,
}

/// What a shard's item says; what it leaves out is usual.
struct ShardItem<'a> {
    at: Word<'a>,
    range: Option<BucketRange>,
    epoch: Option<Epoch>,
    group: Option<GroupId>,
    parent: Option<ShardId>,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            buckets: BUCKETS_USUAL,
            version: Version(1),
            epoch: Epoch(1),
            counters: Counters::FIRST,
            nodes: Vec::new(),
            members: BTreeMap::new(),
            writers: BTreeMap::new(),
            shards: BTreeMap::new(),
            operations: Vec::new(),
            cluster: false,
        }
    }
}

impl<'a> Reading<'a> {
    fn item(&mut self, mut item: Item<'a>) -> Result<(), ParseError> {
        let first = item.next();
        if let Some(node) = node_id(first) {
            return self.node(node, item);
        }
        if let Some(shard) = shard_id(first) {
            return self.shard(first, shard, item);
        }
        if let Some(operation) = first.number(OperationId::LETTER) {
            return self.operation(OperationId(operation), item);
        }
        if first.text == "cluster" && !self.cluster {
            self.cluster = true;
            return self.cluster(item);
        }
        Err(first.refuse("a node `N1`, a shard `s1`, an operation `o1` or, once, `cluster`"))
    }

    fn node(&mut self, id: NodeId, mut item: Item<'a>) -> Result<(), ParseError> {
        let level = item.take(level).unwrap_or(Level::MIN);
        let zone = item.take(|w| Zone::new(w.text.strip_prefix('@')?).ok());
        let joined = item.take(|w| w.number(JoinOrder::LETTER)).unwrap_or(id.0);
        let mut node = Node::joining(id, level, zone, JoinOrder(joined));
        node.request = item.take(|w| w.number(RequestId::LETTER)).map(RequestId);
        node.fenced = item.takes("fenced");
        if item.takes("LM") {
            node.load_manager = LoadManagerState::On;
        } else if item.takes("LM-draining") {
            node.load_manager = LoadManagerState::Draining;
        }
        while item.peek().is_some() {
            self.part(&mut node, &mut item)?;
        }
        self.nodes.push(node);
        Ok(())
    }

    /// One node's part in one shard: `W s1`, `R s1:learner`, `s1~[501-1000]`.
    fn part(&mut self, node: &mut Node, item: &mut Item<'a>) -> Result<(), ParseError> {
        let roles = [("W", false), ("WR", true), ("R", true), ("F", false)];
        let role = item.take(|w| roles.into_iter().find(|r| r.0 == w.text));
        let word = item.next();
        let expected = match role {
            Some(_) => "a shard `s1` after the role",
            None => {
                "`L2`, `@zone`, `j1`, `r1`, `fenced`, `LM`, `LM-draining` in this order, then `W`, \
                 `WR`, `R`, `F` with a shard, or a shadow `s1~`"
            }
        };
        let part = read_part(word).ok_or_else(|| word.refuse(expected))?;
        let (name, reads) = role.unwrap_or(("", false));
        let fits = match name {
            "W" | "WR" | "F" => !part.shadow,
            "R" => true,
            _ => part.shadow,
        };
        if !fits {
            return Err(word.refuse(expected));
        }
        if part.shadow && node.shadow.replace(part.shard).is_some() {
            return Err(word.refuse("one shadow only"));
        }
        let usual = match (name, part.shadow) {
            ("W" | "WR" | "R", false) => Vote::Voter,
            _ => Vote::Learner,
        };
        let vote = match part.vote {
            PartVote::Usual => usual,
            PartVote::Said(vote) => vote,
            PartVote::NoMember if name.is_empty() && part.kept.is_none() => return Ok(()),
            PartVote::NoMember => return Err(word.refuse("`:none` only after a mere shadow")),
        };
        if matches!(name, "W" | "WR") && self.writers.insert(part.shard, node.id).is_some() {
            return Err(word.refuse("one Writer of the shard only"));
        }
        let member = Member { node: node.id, vote, reads, part: part.kept };
        let (_, members) =
            self.members.entry(part.shard).or_insert_with(|| (word, BTreeMap::new()));
        match members.insert(node.id, member) {
            None => Ok(()),
            Some(_) => Err(word.refuse("each shard once")),
        }
    }

    fn shard(&mut self, at: Word<'a>, id: ShardId, mut item: Item<'a>) -> Result<(), ParseError> {
        let range = match item.peek().and_then(|w| Some((w, w.range()?))) {
            Some((word, range)) => {
                item.next();
                Some(range.map_err(|e| word.refuse(format!("a range ({e})")))?)
            }
            None => None,
        };
        let epoch = item.take(|w| w.number(Epoch::LETTER)).map(Epoch);
        let group = item.take(|w| w.number(GroupId::LETTER)).map(GroupId);
        let mut parent = None;
        if item.takes("of") {
            let word = item.next();
            parent = Some(shard_id(word).ok_or_else(|| word.refuse("the parent `s1`"))?);
        }
        item.finish("buckets `1-500`, `e1`, `g1`, `of s1` in this order")?;
        let read = ShardItem { at, range, epoch, group, parent };
        match self.shards.insert(id, read) {
            None => Ok(()),
            Some(_) => Err(at.refuse("each shard's item once")),
        }
    }

    fn operation(&mut self, id: OperationId, mut item: Item<'a>) -> Result<(), ParseError> {
        let kind = operation_kind(&mut item)?;
        let mut shard = None;
        if item.takes("on") {
            let word = item.next();
            shard = Some(shard_id(word).ok_or_else(|| word.refuse("a shard `s1`"))?);
        }
        let phase = item.take(|w| PHASES.into_iter().find(|p| p.to_string() == w.text));
        let epoch = item.take(|w| w.number(Epoch::LETTER)).map(Epoch);
        let mut operation = Operation::begin(id, kind, shard, Epoch(0));
        operation.phase = phase.unwrap_or_default();
        while let Some(node) = item.take(node_id) {
            operation.nodes.insert(node);
        }
        while let Some(request) = item.take(|w| w.number(RequestId::LETTER)) {
            operation.requests.insert(RequestId(request));
        }
        item.finish("`on s1`, a phase, `e1`, nodes, requests in this order")?;
        self.operations.push((operation, epoch));
        Ok(())
    }

    fn cluster(&mut self, mut item: Item<'a>) -> Result<(), ParseError> {
        let buckets = item.take(|w| u16::try_from(w.number("B")?).ok());
        self.buckets = buckets.unwrap_or(self.buckets);
        self.version = item.take(|w| w.number(Version::LETTER)).map_or(self.version, Version);
        self.epoch = item.take(|w| w.number(Epoch::LETTER)).map_or(self.epoch, Epoch);
        if item.takes("next") {
            let next = &mut self.counters;
            next.node = item.take(node_id).unwrap_or(next.node);
            let joined = item.take(|w| w.number(JoinOrder::LETTER));
            next.joined = joined.map_or(next.joined, JoinOrder);
            next.shard = item.take(shard_id).unwrap_or(next.shard);
            next.group = item.take(|w| w.number(GroupId::LETTER)).map_or(next.group, GroupId);
            let operation = item.take(|w| w.number(OperationId::LETTER));
            next.operation = operation.map_or(next.operation, OperationId);
        }
        item.finish("`B1000`, `v1`, `e1`, `next N1 j1 s1 g1 o1` in this order")
    }

    fn finish(mut self) -> Result<Topology, ParseError> {
        for (&id, &(at, _)) in &self.members {
            let (range, epoch, group, parent) = (None, None, None, None);
            self.shards.entry(id).or_insert(ShardItem { at, range, epoch, group, parent });
        }
        let alone = self.shards.len() == 1;
        let mut shards = Vec::new();
        for (id, item) in self.shards {
            let range = match item.range {
                Some(range) => range,
                None if alone => BucketRange::new(1, self.buckets)
                    .map_err(|e| item.at.refuse(format!("buckets ({e})")))?,
                None => return Err(item.at.refuse(format!("an item `{id} FIRST-LAST`"))),
            };
            let Some(&writer) = self.writers.get(&id) else {
                return Err(item.at.refuse(format!("a node with `W {id}`")));
            };
            let (_, members) = self.members.remove(&id).unwrap_or((item.at, BTreeMap::new()));
            shards.push(Shard {
                id,
                group: item.group.unwrap_or_else(|| usual_group(id)),
                range,
                epoch: item.epoch.unwrap_or(Epoch(1)),
                writer,
                members,
                parent: item.parent,
            });
        }
        let epochs: BTreeMap<ShardId, Epoch> = shards.iter().map(|s| (s.id, s.epoch)).collect();
        let mut operations = Vec::new();
        for (mut operation, epoch) in self.operations {
            let usual = operation.shard.and_then(|s| epochs.get(&s).copied());
            operation.epoch = epoch.unwrap_or(usual.unwrap_or(self.epoch));
            operations.push(operation);
        }
        Ok(Topology::from_parts(TopologyParts {
            format: Format,
            buckets: self.buckets,
            version: self.version,
            epoch: self.epoch,
            counters: self.counters,
            nodes: self.nodes,
            shards,
            operations,
        })?)
    }
}

const PHASES: [Phase; 8] = [
    Phase::Requested,
    Phase::Joined,
    Phase::Syncing,
    Phase::Prepared,
    Phase::Committed,
    Phase::Transferring,
    Phase::Draining,
    Phase::Releasing,
];

/// `s1~[501-1000]:voter`.
struct Part {
    shard: ShardId,
    shadow: bool,
    kept: Option<BucketRange>,
    vote: PartVote,
}

enum PartVote {
    Usual,
    Said(Vote),
    NoMember,
}

fn read_part(word: Word<'_>) -> Option<Part> {
    let (rest, vote) = match word.text.split_once(':') {
        None => (word.text, PartVote::Usual),
        Some((rest, "none")) => (rest, PartVote::NoMember),
        Some((rest, said)) => {
            let votes = [Vote::Learner, Vote::Voter, Vote::Incoming, Vote::Outgoing];
            (rest, PartVote::Said(votes.into_iter().find(|v| v.to_string() == said)?))
        }
    };
    let (rest, kept) = match rest.split_once('[') {
        None => (rest, None),
        Some((rest, kept)) => {
            let text = kept.strip_suffix(']')?;
            (rest, Some(Word { text, ..word }.range()?.ok()?))
        }
    };
    let (text, shadow) = match rest.strip_suffix('~') {
        Some(text) => (text, true),
        None => (rest, false),
    };
    Some(Part { shard: shard_id(Word { text, ..word })?, shadow, kept, vote })
}

fn operation_kind(item: &mut Item<'_>) -> Result<OperationKind, ParseError> {
    let word = item.next();
    Ok(match word.text {
        "grow" => OperationKind::Grow,
        "shrink" => OperationKind::Shrink,
        "add-lm" => OperationKind::AddLoadManager,
        "remove-lm" => OperationKind::RemoveLoadManager,
        "level" => OperationKind::ChangeLevel { to: read(item, "a level `L3`", level)? },
        "split" => {
            let child = read(item, "the child `s2`", shard_id)?;
            read(item, "`at`", |w| (w.text == "at").then_some(()))?;
            let bucket = |w: Word<'_>| Some(BucketId(u16::try_from(w.number("")?).ok()?));
            let at = read(item, "the child's first bucket", bucket)?;
            read(item, "`for`", |w| (w.text == "for").then_some(()))?;
            let causes = [SplitCause::Reads, SplitCause::Writes];
            let find = |w: Word<'_>| causes.into_iter().find(|c| c.to_string() == w.text);
            let cause = read(item, "`reads` or `writes`", find)?;
            OperationKind::Split { at, child, cause }
        }
        "merge" => OperationKind::Merge { right: read(item, "a shard `s2`", shard_id)? },
        "replace" => OperationKind::Replace { lost: read(item, "a node `N1`", node_id)? },
        "revote" => OperationKind::Revote,
        "switch" => OperationKind::SwitchTo { to: read(item, "a node `N1`", node_id)? },
        _ => {
            return Err(word.refuse(
                "`grow`, `shrink`, `add-lm`, `remove-lm`, `level`, `split`, `merge`, `replace`, \
                 `revote` or `switch`",
            ));
        }
    })
}

fn read<'a, T>(
    item: &mut Item<'a>,
    expected: &str,
    make: impl FnOnce(Word<'a>) -> Option<T>,
) -> Result<T, ParseError> {
    let word = item.next();
    make(word).ok_or_else(|| word.refuse(expected))
}

fn node_id(word: Word<'_>) -> Option<NodeId> {
    word.number(NodeId::LETTER).map(NodeId)
}

fn shard_id(word: Word<'_>) -> Option<ShardId> {
    Some(ShardId(u32::try_from(word.number(ShardId::LETTER)?).ok()?))
}

fn level(word: Word<'_>) -> Option<Level> {
    Level::new(u8::try_from(word.number("L")?).ok()?).ok()
}
