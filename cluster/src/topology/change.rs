//! The changes a topology can go through. Each is whole or refused: it is made on copies of what it
//! touches, these are checked, and only then put in place.

use std::collections::BTreeSet;

use super::{
    BucketRange, Epoch, JoinOrder, Level, LoadManagerState, Member, Node, NodeId, RequestId, Roles,
    Shard, ShardId, Topology, Violation, Vote, Zone,
};

impl Topology {
    /// A node joins, without any role, as the latest; its id is the next one. It has a part in the
    /// operations that wait for its request.
    pub fn join(&mut self, level: Level, zone: Option<Zone>, request: Option<RequestId>) -> NodeId {
        let (id, joined): (NodeId, JoinOrder) = (self.counters.node, self.counters.joined);
        let node = Node { request, ..Node::joining(id, level, zone, joined) };
        self.counters.node = id.next();
        self.counters.joined = joined.next();
        self.put_node(node);
        for operation in self.operations.values_mut() {
            if request.is_some_and(|r| operation.requests.contains(&r)) {
                operation.nodes.insert(id);
            }
        }
        self.touch();
        id
    }

    /// A node leaves for good. Copies that only follow go with it; a Writer, voter or server of
    /// reads gives that up first.
    pub fn leave(&mut self, node: NodeId) -> Result<(), Violation> {
        self.find_node(node)?;
        let mut copies: Vec<Shard> = self.shards_of(node).cloned().collect();
        for shard in &copies {
            check_idle(shard, node)?;
        }
        if !self.load_managers().any(|n| n.id != node) {
            return Err(Violation::NoLoadManager);
        }
        self.take_node(node);
        for mut shard in copies.drain(..) {
            shard.members.remove(&node);
            self.put_shard(shard);
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
        self.put_node(changed);
        shards.into_iter().for_each(|s| self.put_shard(s));
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
        self.put_shard(shard);
        self.touch();
        Ok(())
    }

    pub(super) fn set_shadow(&mut self, node: NodeId, shadow: Option<ShardId>) {
        let found = self.nodes.get(&node).filter(|n| n.shadow != shadow);
        if let Some(changed) = found.map(|n| Node { shadow, ..n.clone() }) {
            self.put_node(changed);
        }
    }

    pub(super) fn touch(&mut self) {
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
