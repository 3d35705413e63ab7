//! What every shard should look like, whatever happened to it.
//!
//! Copies that are assigned are made; one Load Manager holds the shadow; members in sync serve
//! reads, and the Writer only if nobody else can (I4); an odd number votes (I3); who leaves gives up
//! one duty after the other. A shard that looks so costs one glance.

use std::collections::BTreeSet;

use super::planner::Planner;
use crate::autoscaler::ActionKind;
use crate::topology::{
    LoadManagerState, NodeId, OperationId, OperationKind, Phase, ShardId, SplitCause, Vote,
};

impl Planner<'_> {
    pub fn tidy_shards(&mut self) {
        let shards: Vec<ShardId> = self.topology.shards().map(|s| s.id).collect();
        let busy: BTreeSet<ShardId> = self.topology.operations().flat_map(|o| o.shards()).collect();
        for shard in shards {
            if busy.contains(&shard) || !self.is_quiet(shard) {
                self.tidy(shard);
            }
        }
    }

    /// Whether nothing can be amiss: everybody is up, serves or is a shadow, and the number of
    /// voters is what it should be.
    fn is_quiet(&self, shard: ShardId) -> bool {
        let Some(found) = self.topology.shard(shard) else { return true };
        let none = BTreeSet::new();
        let shadows = self.topology.all_shadows().get(&shard).unwrap_or(&none);
        let burst = self.is_bursting(shard);
        let (mut replicas, mut voters) = (0, 0);
        for member in found.members.values() {
            let shadow = shadows.contains(&member.node);
            let reads = if shadow { burst } else { true };
            let usual = (member.node == found.writer || member.reads == reads)
                && member.part.is_none()
                && matches!(member.vote, Vote::Learner | Vote::Voter);
            if !usual || self.unwell.contains(&member.node) {
                return false;
            }
            replicas += usize::from(!shadow && member.node != found.writer);
            voters += usize::from(member.vote == Vote::Voter);
        }
        let max = usize::try_from(self.config.safety.max_voters).unwrap_or(usize::MAX);
        let odd = if replicas == 0 { 1 } else { (replicas + 1).min(max) | 1 };
        let reads = found.members.get(&found.writer).is_some_and(|m| m.reads);
        let alone = found.members.len() == 1;
        voters == odd
            && reads == (replicas == 0)
            && shadows.len() <= 1
            && shadows.iter().all(|&n| found.has(n))
            && (alone || !self.is_load_manager(found.writer))
    }

    pub fn tidy(&mut self, shard: ShardId) {
        self.copy_shadows(shard);
        self.place_load_manager(shard);
        self.rotate(shard);
        self.serve_reads(shard);
        self.choose_voters(shard);
        self.drop_leaving(shard);
    }

    /// Shadows that are assigned, or hold only a part of what they should, are copied.
    fn copy_shadows(&mut self, shard: ShardId) {
        let split = self.topology.busy(shard).is_some_and(|o| {
            matches!(o.kind, OperationKind::Split { cause: SplitCause::Reads, .. })
                && o.phase < Phase::Committed
        });
        for node in self.shadows_of(shard) {
            let whole = self.topology.member(shard, node).map(|m| m.part.is_none());
            let amiss = whole.is_none() || (whole == Some(false) && !split);
            if amiss && self.up(node) && !self.can_wait(shard, node) {
                self.attach(shard, node, None);
            }
        }
    }

    /// Whether the shadow of a Load Manager that a surge has brought may stay empty: it will be
    /// released unless it is needed for longer, and the shard has another (I14).
    fn can_wait(&self, shard: ShardId, node: NodeId) -> bool {
        let memory = &self.state.load_managers;
        let rest = self.config.load_manager.lm_idle_window;
        let recent = memory.surged.is_some_and(|at| !self.seen.now_ms.is_past(at, rest));
        let mut others = self.live_shadows(shard).into_iter().filter(|&n| n != node);
        (recent || memory.idle_since.is_some())
            && self.operation_of(shard).is_none()
            && others.any(|n| self.ready(shard, n))
    }

    pub fn attach(
        &mut self,
        shard: ShardId,
        node: NodeId,
        part: Option<crate::topology::BucketRange>,
    ) {
        let operation = self.tidy_operation(shard);
        if let Some(source) = self.source(shard, node) {
            self.emit(operation, ActionKind::AttachLearner { node, shard, part, source });
        }
    }

    /// The Writer is Load Manager only while it is alone.
    fn place_load_manager(&mut self, shard: ShardId) {
        let Some(writer) = self.writer(shard) else { return };
        let busy = self.topology.busy(shard).map(|o| o.kind.clone());
        if !self.is_load_manager(writer) || busy == Some(OperationKind::Shrink) {
            return;
        }
        let operation = self.tidy_operation(shard);
        let elsewhere = self.topology.node(writer).and_then(|n| n.shadow);
        if let Some(other) = elsewhere.filter(|&s| s != shard) {
            self.leave_shadow(operation, shard, other, writer);
            return;
        }
        if self.live_shadows(shard).is_empty() {
            self.hand_over_load_manager(shard, writer, busy.as_ref());
        }
        if !self.live_shadows(shard).is_empty() {
            let drain = |r: &mut crate::topology::Roles| {
                r.load_manager = LoadManagerState::Draining;
            };
            self.set(operation, Some(shard), writer, drain);
        }
    }

    /// A Writer that has come to lead while it held another shard's shadow: a Replica there takes
    /// it, if there is one to spare.
    fn leave_shadow(
        &mut self,
        operation: OperationId,
        shard: ShardId,
        other: ShardId,
        writer: NodeId,
    ) {
        let fit = |n: &NodeId| *n != writer && self.up(*n) && self.ready(other, *n);
        let replicas = self.data_nodes(other).into_iter().filter(fit);
        let Some(node) = self.topology.latest(replicas) else { return };
        if self.become_load_manager(other, node) {
            self.set(operation, Some(shard), writer, |roles| {
                roles.load_manager = LoadManagerState::Draining;
                roles.shadow = None;
            });
        }
    }

    /// Somebody else becomes Load Manager in the Writer's place: the Writer before it (X21), who
    /// serves nothing now, else the latest Replica. A shadow that won an election gives the lead
    /// back to a Replica and stays what it was (3.4, M3 W).
    fn hand_over_load_manager(
        &mut self,
        shard: ShardId,
        writer: NodeId,
        busy: Option<&OperationKind>,
    ) {
        let leaving = self.leaving(shard);
        let fit = |n: &NodeId| self.up(*n) && self.ready(shard, *n) && !leaving.contains(n);
        let data: BTreeSet<NodeId> = self.data_nodes(shard).into_iter().filter(fit).collect();
        let reads = |n: NodeId| self.topology.member(shard, n).is_some_and(|m| m.reads);
        let idle = data.iter().copied().filter(|&n| !reads(n));
        let chosen = match self.topology.latest(idle) {
            Some(node) => Some(node),
            None if busy.is_some() => self.topology.latest(data.iter().copied()),
            None => {
                let Some(to) = self.best_leader(shard, writer) else { return };
                self.lead(shard, to);
                Some(writer).filter(|&w| self.writer(shard) != Some(w))
            }
        };
        if let Some(node) = chosen {
            self.become_load_manager(shard, node);
        }
    }

    /// The node becomes Load Manager with the shard's shadow and serves its reads no more. Somebody
    /// else serves them first.
    pub fn become_load_manager(&mut self, shard: ShardId, node: NodeId) -> bool {
        // Nobody holds two shadows, or gives up one for another.
        let shadow = self.topology.node(node).and_then(|n| n.shadow);
        if shadow.is_some_and(|s| s != shard) {
            return false;
        }
        self.ensure_reader(shard, node);
        let operation = self.operation_of(shard).map_or(super::NO_OPERATION, |o| o.id);
        self.set(operation, Some(shard), node, |roles| {
            roles.load_manager = LoadManagerState::On;
            roles.shadow = Some(shard);
            roles.reads.remove(&shard);
        })
    }

    /// Somebody who lives and is not `node` serves the shard's reads; the Writer if it must be.
    pub fn ensure_reader(&mut self, shard: ShardId, node: NodeId) {
        let Some(found) = self.topology.shard(shard) else { return };
        let writer = found.writer;
        if found.readers().iter().any(|&n| n != node && self.up(n)) {
            return;
        }
        let mut fit: Vec<NodeId> = self.data_nodes(shard).into_iter().collect();
        fit.extend([writer]);
        fit.extend(self.live_shadows(shard));
        fit.retain(|&n| n != node && self.up(n) && self.ready(shard, n));
        if let Some(&server) = fit.first() {
            let operation = self.tidy_operation(shard);
            self.set(operation, Some(shard), server, |r| r.reads.extend([shard]));
        }
    }

    fn serve_reads(&mut self, shard: ShardId) {
        let leaving = self.leaving(shard);
        let operation = self.tidy_operation(shard);
        let burst = self.is_bursting(shard);
        let Some(writer) = self.writer(shard) else { return };
        for node in self.data_nodes(shard) {
            let fit = self.up(node) && self.ready(shard, node) && !leaving.contains(&node);
            // A Load Manager for this shard serves none of its reads; for another one it may (X7).
            let elsewhere = self.topology.node(node).is_some_and(|n| n.shadow.is_some());
            let free = elsewhere || !self.is_load_manager(node);
            if fit && free && !self.is_guest(shard, node) {
                self.set(operation, Some(shard), node, |r| r.reads.extend([shard]));
            }
        }
        let replica = self.data_nodes(shard).into_iter().any(|n| {
            let reads = self.topology.member(shard, n).is_some_and(|m| m.reads);
            reads && self.up(n) && !leaving.contains(&n)
        });
        if self.up(writer) {
            self.set_reads(shard, writer, !replica);
        }
        for node in self.shadows_of(shard) {
            let needed = burst || !(replica || self.up(writer));
            if !needed || (self.up(node) && self.warm(shard, node)) {
                self.set_reads(shard, node, needed);
            }
        }
        for node in leaving {
            self.set_reads(shard, node, false);
        }
    }

    fn set_reads(&mut self, shard: ShardId, node: NodeId, reads: bool) {
        if self.topology.member(shard, node).is_none_or(|m| m.reads == reads) {
            return;
        }
        if !reads {
            self.ensure_reader(shard, node);
        }
        let operation = self.tidy_operation(shard);
        self.set(operation, Some(shard), node, |roles| match reads {
            true => roles.reads.extend([shard]),
            false => roles.reads.retain(|s| *s != shard),
        });
    }

    /// Whether shadows help with reads: when the decisions say so, and while the node that will
    /// make them Replica is awaited (X13, 3.5 step 0).
    fn is_bursting(&self, shard: ShardId) -> bool {
        let decided = self.state.shards.get(&shard).is_some_and(|s| s.burst);
        let grows = self
            .topology
            .busy(shard)
            .is_some_and(|o| o.kind == OperationKind::Grow && self.joined(o.id).is_empty());
        // Neither in a dry run nor where people are asked first.
        let budget = &self.config.budget;
        let may = self.config.surge.burst_serve && !budget.dry_run && !budget.approve;
        may && (decided || grows)
    }

    /// A copy that is there only for a merge to come.
    pub fn is_guest(&self, shard: ShardId, node: NodeId) -> bool {
        let Some(operation) = self.topology.busy(shard) else { return false };
        let (OperationKind::Merge { right }, Some(left)) = (&operation.kind, operation.shard)
        else {
            return false;
        };
        let home = if shard == *right { left } else { *right };
        let serves = |s: ShardId| {
            let found = self.topology.member(s, node);
            found.is_some_and(|m| m.reads || m.vote != Vote::Learner)
        };
        !serves(shard) && serves(home)
    }

    fn choose_voters(&mut self, shard: ShardId) {
        let Some(found) = self.topology.shard(shard) else { return };
        let (old, joint) = (found.voters(), found.is_joint());
        let new = if joint { old.clone() } else { self.best_voters(shard) };
        // While a voter is down, as many as before may fail yet, and several do not become one (I3).
        let leaving = self.leaving(shard);
        let missed = |n: &NodeId| self.down(*n) && !leaving.contains(n);
        let weaker = self.spare(&new) < self.spare(&old) || (new.len() == 1 && self.live(&old) > 1);
        let worse = weaker && old.iter().any(missed);
        if (new == old && !joint)
            || worse
            || !self.has_quorum(shard)
            || !self.is_majority_live(&new)
        {
            return;
        }
        let operation = self.operation_of(shard).map_or(super::NO_OPERATION, |o| o.id);
        self.emit(operation, ActionKind::ChangeVoters { shard, voters: new });
    }

    /// Who leaves, and neither votes nor serves any more, drops its copy; nobody does before the
    /// Writer is seen to lead.
    fn drop_leaving(&mut self, shard: ShardId) {
        if !self.is_led(shard) {
            return;
        }
        let operation = self.operation_of(shard).map_or(super::NO_OPERATION, |o| o.id);
        for node in self.leaving(shard) {
            let Some(range) = self.topology.shard(shard).map(|s| s.range) else { return };
            self.emit(operation, ActionKind::DropRange { node, shard, range });
        }
    }

    /// Members that an operation in flight takes out of the shard.
    pub fn leaving(&self, shard: ShardId) -> BTreeSet<NodeId> {
        let mut leaving = BTreeSet::new();
        let own = self.topology.work_on(shard);
        for operation in own.chain(self.topology.work_on_load_managers()) {
            match operation.kind {
                OperationKind::Shrink if operation.shard == Some(shard) => {
                    leaving.extend(self.retired(operation));
                }
                OperationKind::RemoveLoadManager => leaving.extend(self.retired(operation)),
                OperationKind::Split { child, cause, .. } => {
                    if let Some(parent) = operation.shard {
                        leaving.extend(self.split_leaving(shard, parent, child, cause));
                    }
                }
                OperationKind::ChangeLevel { to } if operation.shard == Some(shard) => {
                    leaving.extend(self.level_leaving(shard, to));
                }
                _ => {}
            }
        }
        leaving.retain(|&n| self.topology.member(shard, n).is_some());
        leaving
    }
}
