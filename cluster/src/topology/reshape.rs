//! Dividing a shard and taking it back.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    BucketId, GroupId, Member, NodeId, Operation, OperationKind, Shard, ShardId, Topology,
    Violation, Vote,
};

impl Topology {
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
        // Its number is new, or was set aside for it when the split began.
        let set_aside = |o: &Operation| {
            matches!(o.kind, OperationKind::Split { child, .. } if child == id)
                && o.shard == Some(parent)
        };
        let known = self.shards.contains_key(&id);
        if known || (id < self.counters.shard && !self.operations.values().any(set_aside)) {
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
        for node in leaving {
            if self.find_node(node)?.shadow == Some(parent) {
                self.set_shadow(node, Some(id));
            }
        }
        self.counters.shard = self.counters.shard.max(id.next());
        self.counters.group = group.next();
        self.put_shard(left);
        self.put_shard(right);
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
        let lacks = |m: &Member| gone.members.get(&m.node).is_none_or(|g| g.part.is_some());
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
        if let Some(busy) = self.work_on(right).find(|o| o.shard == Some(right)) {
            return Err(Violation::ShardBusy { shard: right, busy: busy.id });
        }
        let shadows: Vec<NodeId> = self.shadows(right).map(|n| n.id).collect();
        shadows.into_iter().for_each(|n| self.set_shadow(n, None));
        let children: Vec<Shard> =
            self.children(right).filter_map(|s| self.shards.get(&s)).cloned().collect();
        for child in children {
            self.put_shard(Shard { parent: Some(left), ..child });
        }
        self.take_shard(right);
        self.put_shard(kept);
        self.touch();
        Ok(())
    }
}
