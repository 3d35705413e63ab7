//! The changes a topology can go through. Each is whole or refused: it is made on copies of what it
//! touches, these are checked, and only then put in place.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BucketId, BucketRange, Epoch, GroupId, JoinOrder, Level, LoadManagerState, Member, Node,
    NodeId, Operation, OperationId, Phase, RangeError, RequestId, Roles, Shard, ShardId, Topology,
    Violation, Vote, Zone,
};

impl Topology {
    /// A node joins, without any role, as the latest; its id is the next one.
    pub fn join(&mut self, level: Level, zone: Option<Zone>, request: Option<RequestId>) -> NodeId {
        let (id, joined): (NodeId, JoinOrder) = (self.counters.node, self.counters.joined);
        let node = Node { request, ..Node::joining(id, level, zone, joined) };
        self.counters.node = id.next();
        self.counters.joined = joined.next();
        self.nodes.insert(id, node);
        self.touch();
        id
    }

    /// A node leaves for good. Copies that only follow go with it; a Writer, voter or server of
    /// reads gives that up first.
    pub fn leave(&mut self, node: NodeId) -> Result<(), Violation> {
        self.find_node(node)?;
        for shard in self.shards_of(node) {
            check_idle(shard, node)?;
        }
        if !self.load_managers().any(|n| n.id != node) {
            return Err(Violation::NoLoadManager);
        }
        self.nodes.remove(&node);
        for shard in self.shards.values_mut() {
            shard.members.remove(&node);
        }
        self.touch();
        Ok(())
    }

    /// The operator's word that the node's process is gone and stays gone.
    pub fn fence(&mut self, node: NodeId) -> Result<(), Violation> {
        let found = self.nodes.get_mut(&node).ok_or(Violation::UnknownNode(node))?;
        found.fenced = true;
        self.touch();
        Ok(())
    }

    /// All modules of a node get their roles at once. It must be a member of the shards whose reads
    /// it serves. The epochs of shards whose readers change grow.
    pub fn set_roles(&mut self, node: NodeId, roles: &Roles) -> Result<(), Violation> {
        let mut changed = self.find_node(node)?.clone();
        let takes = roles.load_manager == LoadManagerState::On || !roles.reads.is_empty();
        if changed.fenced && takes {
            return Err(Violation::Fenced(node));
        }
        changed.load_manager = roles.load_manager;
        changed.shadow = roles.shadow;
        self.check_node(&changed)?;
        if !changed.is_load_manager() && !self.load_managers().any(|n| n.id != node) {
            return Err(Violation::NoLoadManager);
        }
        if let Some(&shard) = roles.reads.iter().find(|&&s| self.member(s, node).is_none()) {
            self.find_shard(shard)?;
            return Err(Violation::NotMember { shard, node });
        }
        let mut shards = Vec::new();
        for shard in self.shards_of(node) {
            let reads = roles.reads.contains(&shard.id);
            let mut shard = shard.clone();
            match shard.members.get_mut(&node) {
                Some(member) if member.reads != reads => member.reads = reads,
                _ => continue,
            }
            shard.epoch = shard.epoch.next();
            self.check_shard(&shard)?;
            shards.push(shard);
        }
        self.nodes.insert(node, changed);
        self.shards.extend(shards.into_iter().map(|s| (s.id, s)));
        self.touch();
        Ok(())
    }

    /// A node begins to keep a copy of the shard, or of `part` of it, as a learner. A learner of a
    /// part becomes one of the whole by being attached again.
    pub fn attach(
        &mut self,
        shard: ShardId,
        node: NodeId,
        part: Option<BucketRange>,
    ) -> Result<(), Violation> {
        if self.find_node(node)?.fenced {
            return Err(Violation::Fenced(node));
        }
        self.change_shard(shard, |shard| {
            let member = shard.members.entry(node).or_insert_with(|| Member::learner(node));
            member.part = part;
            Ok(())
        })
    }

    /// A node no longer keeps a copy. A Writer, voter or server of reads gives that up first.
    pub fn detach(&mut self, shard: ShardId, node: NodeId) -> Result<(), Violation> {
        self.change_shard(shard, |shard| {
            check_idle(shard, node)?;
            match shard.members.remove(&node) {
                Some(_) => Ok(()),
                None => Err(Violation::NotMember { shard: shard.id, node }),
            }
        })
    }

    /// A joint change of voters begins: from now on majorities of both sets are needed.
    pub fn begin_voters(
        &mut self,
        shard: ShardId,
        voters: &BTreeSet<NodeId>,
    ) -> Result<(), Violation> {
        for &node in voters {
            if self.find_node(node)?.fenced {
                return Err(Violation::Fenced(node));
            }
        }
        self.change_shard(shard, |shard| {
            if shard.is_joint() {
                return Err(Violation::Joint(shard.id));
            }
            if let Some(&node) = voters.iter().find(|&&n| !shard.has(n)) {
                return Err(Violation::NotMember { shard: shard.id, node });
            }
            for member in shard.members.values_mut() {
                member.vote = Vote::joint(member.vote.before(), voters.contains(&member.node));
            }
            Ok(())
        })
    }

    /// The joint change of voters ends: the new set stands. Nothing changes if none is in flight.
    pub fn finish_voters(&mut self, shard: ShardId) -> Result<(), Violation> {
        self.change_shard(shard, |shard| {
            for member in shard.members.values_mut() {
                let after = member.vote.after();
                member.vote = Vote::joint(after, after);
            }
            Ok(())
        })
    }

    /// A voter has become the shard's Writer, by transfer or election. The epoch grows. A shadow
    /// gives that up by becoming Writer.
    pub fn set_writer(&mut self, shard: ShardId, node: NodeId) -> Result<(), Violation> {
        if self.find_node(node)?.fenced {
            return Err(Violation::Fenced(node));
        }
        if !self.find_shard(shard)?.has(node) {
            return Err(Violation::NotMember { shard, node });
        }
        let shadow = self.find_node(node)?.shadow;
        let kept = shadow.filter(|&s| s != shard);
        self.set_shadow(node, kept);
        let changed = self.change_shard(shard, |shard| {
            if shard.writer != node {
                shard.writer = node;
                shard.epoch = shard.epoch.next();
            }
            Ok(())
        });
        if changed.is_err() {
            self.set_shadow(node, shadow);
        }
        changed
    }

    /// At Mach II: a member takes over without an election, since every voter is fenced (C11). It
    /// becomes Writer, only voter, and serves reads. The epoch grows.
    pub fn take_over(&mut self, shard: ShardId, node: NodeId) -> Result<(), Violation> {
        let found = self.find_shard(shard)?;
        for voter in found.voters().union(&found.voters_before()) {
            if !self.find_node(*voter)?.fenced {
                return Err(Violation::NotFenced { shard, node: *voter });
            }
        }
        if self.find_node(node)?.fenced {
            return Err(Violation::Fenced(node));
        }
        let shadow = self.find_node(node)?.shadow;
        self.set_shadow(node, shadow.filter(|&s| s != shard));
        let changed = self.change_shard(shard, |shard| {
            for member in shard.members.values_mut() {
                member.vote = Vote::joint(member.node == node, member.node == node);
                member.reads = member.node == node;
            }
            shard.writer = node;
            shard.epoch = shard.epoch.next();
            match shard.has(node) {
                true => Ok(()),
                false => Err(Violation::NotMember { shard: shard.id, node }),
            }
        });
        if changed.is_err() {
            self.set_shadow(node, shadow);
        }
        changed
    }

    /// The shard divides: buckets from `at` on belong to the child, which `voters` and `learners`,
    /// members of the parent, make up and the parent's Writer leads at first. Both get the parent's
    /// epoch + 1.
    ///
    /// Members that kept only the child's part leave the parent, and if they were its shadow they
    /// are now the child's. All others stay members of the parent until they are detached. Who
    /// served the parent's reads serves the child's too; if nobody of the child did, its Writer.
    pub fn split(
        &mut self,
        parent: ShardId,
        at: BucketId,
        child: (ShardId, GroupId),
        voters: &BTreeSet<NodeId>,
        learners: &BTreeSet<NodeId>,
    ) -> Result<(), Violation> {
        let mut left = self.find_shard(parent)?.clone();
        let (id, group) = child;
        if id < self.counters.shard {
            return Err(Violation::ShardReused(id));
        }
        if group < self.counters.group {
            return Err(Violation::GroupReused(group));
        }
        if !voters.contains(&left.writer) {
            return Err(Violation::ChildWithoutWriter { parent, writer: left.writer });
        }
        if left.is_joint() {
            return Err(Violation::Joint(parent));
        }
        let (left_range, right_range) = left.range.split_at(at)?;
        let mut members = BTreeMap::new();
        for &node in voters.union(learners) {
            let Some(old) = left.members.get(&node) else {
                return Err(Violation::NotMember { shard: parent, node });
            };
            let part = match old.part {
                Some(part) if part.covers(right_range) => None,
                part => part,
            };
            let votes = voters.contains(&node);
            members.insert(
                node,
                Member { node, vote: Vote::joint(votes, votes), reads: old.reads, part },
            );
        }
        left.epoch = left.epoch.next();
        left.range = left_range;
        let mut right = Shard {
            id,
            group,
            range: right_range,
            epoch: left.epoch,
            writer: left.writer,
            members,
            parent: Some(parent),
        };
        if right.readers().is_empty()
            && let Some(writer) = right.members.get_mut(&left.writer)
        {
            writer.reads = true;
        }
        let moved = |m: &Member| m.part.is_some_and(|part| right_range.covers(part));
        let leaving: BTreeSet<NodeId> =
            left.members.values().filter(|m| moved(m)).map(|m| m.node).collect();
        left.members.retain(|_, m| !moved(m));
        for member in left.members.values_mut() {
            member.part = member.part.filter(|&part| part != left_range);
        }
        self.check_shard(&left)?;
        self.check_shard(&right)?;
        for node in self.nodes.values_mut() {
            if node.shadow == Some(parent) && leaving.contains(&node.id) {
                node.shadow = Some(id);
            }
        }
        self.counters.shard = id.next();
        self.counters.group = group.next();
        self.shards.insert(parent, left);
        self.shards.insert(id, right);
        self.touch();
        Ok(())
    }

    /// The right neighbour ends and its buckets belong to the left one, whose voters and servers of
    /// reads must keep a whole copy of both. The left one's epoch grows above both.
    ///
    /// Children of the right one become the left one's; who held the right one's shadow holds none.
    pub fn merge(&mut self, left: ShardId, right: ShardId) -> Result<(), Violation> {
        let mut kept = self.find_shard(left)?.clone();
        let gone = self.find_shard(right)?;
        if kept.is_joint() || gone.is_joint() {
            return Err(Violation::Joint(if kept.is_joint() { left } else { right }));
        }
        let lacks = |m: &Member| !gone.members.get(&m.node).is_some_and(|g| g.part.is_none());
        let duty = |m: &&Member| m.reads || m.vote.after();
        if let Some(member) = kept.members.values().filter(duty).find(|m| lacks(m)) {
            return Err(Violation::NotColocated { left, right, node: member.node });
        }
        kept.range = kept.range.join(gone.range)?;
        kept.epoch = kept.epoch.max(gone.epoch).next();
        let old = self.find_shard(left)?.range;
        for member in kept.members.values_mut() {
            if lacks(member) {
                member.part = Some(member.part.unwrap_or(old));
            }
        }
        self.check_shard(&kept)?;
        if let Some(busy) = self.operations.values().find(|o| o.shard == Some(right)) {
            return Err(Violation::ShardBusy { shard: right, busy: busy.id });
        }
        for node in self.nodes.values_mut() {
            node.shadow = node.shadow.filter(|&s| s != right);
        }
        for shard in self.shards.values_mut() {
            if shard.parent == Some(right) {
                shard.parent = Some(left);
            }
        }
        self.shards.remove(&right);
        self.shards.insert(left, kept);
        self.touch();
        Ok(())
    }

    /// A saga begins.
    pub fn begin(&mut self, operation: Operation) -> Result<(), Violation> {
        if operation.id < self.counters.operation {
            return Err(Violation::OperationReused(operation.id));
        }
        self.check_operation(&operation)?;
        self.counters.operation = operation.id.next();
        self.operations.insert(operation.id, operation);
        self.touch();
        Ok(())
    }

    /// A saga is in a later phase, or in the same one.
    pub fn advance(&mut self, id: OperationId, phase: Phase) -> Result<(), Violation> {
        let found = self.operations.get_mut(&id).ok_or(Violation::UnknownOperation(id))?;
        if phase < found.phase {
            return Err(Violation::PhaseBack(id));
        }
        found.phase = phase;
        self.touch();
        Ok(())
    }

    /// Nodes and requests that have a part in a saga.
    pub fn involve(
        &mut self,
        id: OperationId,
        nodes: &[NodeId],
        requests: &[RequestId],
    ) -> Result<(), Violation> {
        let found = self.operations.get_mut(&id).ok_or(Violation::UnknownOperation(id))?;
        found.nodes.extend(nodes);
        found.requests.extend(requests);
        self.touch();
        Ok(())
    }

    /// A saga has reached its end.
    pub fn finish(&mut self, id: OperationId) -> Result<Operation, Violation> {
        let found = self.operations.remove(&id).ok_or(Violation::UnknownOperation(id))?;
        self.touch();
        Ok(found)
    }

    /// A saga is abandoned; refused once it can only go forward.
    pub fn cancel(&mut self, id: OperationId) -> Result<Operation, Violation> {
        let found = self.operations.get(&id).ok_or(Violation::UnknownOperation(id))?;
        match found.phase.can_cancel() {
            true => self.finish(id),
            false => Err(Violation::PastCancel(id)),
        }
    }

    /// A new leader of the control group begins.
    pub fn raise_epoch(&mut self, new: Epoch) -> Result<(), Violation> {
        if new <= self.epoch {
            return Err(Violation::ControlEpochNotGrown { old: self.epoch, new });
        }
        self.epoch = new;
        self.touch();
        Ok(())
    }

    fn change_shard(
        &mut self,
        id: ShardId,
        change: impl FnOnce(&mut Shard) -> Result<(), Violation>,
    ) -> Result<(), Violation> {
        let mut shard = self.find_shard(id)?.clone();
        change(&mut shard)?;
        self.check_shard(&shard)?;
        self.shards.insert(id, shard);
        self.touch();
        Ok(())
    }

    fn set_shadow(&mut self, node: NodeId, shadow: Option<ShardId>) {
        if let Some(found) = self.nodes.get_mut(&node) {
            found.shadow = shadow;
        }
    }

    fn touch(&mut self) {
        self.version = self.version.next();
    }
}

fn check_idle(shard: &Shard, node: NodeId) -> Result<(), Violation> {
    let busy = shard
        .members
        .get(&node)
        .is_some_and(|m| m.reads || m.vote != Vote::Learner || shard.writer == node);
    match busy {
        true => Err(Violation::MemberInUse { shard: shard.id, node }),
        false => Ok(()),
    }
}

impl BucketRange {
    /// `first..=at - 1` and `at..=last`.
    pub fn split_at(self, at: BucketId) -> Result<(BucketRange, BucketRange), RangeError> {
        if at <= self.first() || at > self.last() {
            return Err(RangeError::SplitPoint { range: self, at: at.0 });
        }
        Ok((Self::new(self.first().0, at.0 - 1)?, Self::new(at.0, self.last().0)?))
    }

    /// This and its right neighbour as one.
    pub fn join(self, right: BucketRange) -> Result<BucketRange, RangeError> {
        match self.is_left_of(right) {
            true => Self::new(self.first().0, right.last().0),
            false => Err(RangeError::NotAdjacent { left: self, right }),
        }
    }
}
