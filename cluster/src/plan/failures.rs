//! Lost nodes: what is done at once, without any operator, and one request for each of them (3.4).
//!
//! First the request, so that it is never forgotten; then somebody else is Load Manager, somebody
//! else serves reads, somebody else leads. No minority is ever promoted: a shard that has lost its
//! quorum waits. The one exception is Mach II, where the only voter is lost: once the driver has
//! confirmed that it is gone, and only if no acknowledged write can be lost or loss was accepted,
//! the shadow takes over (X4).

use std::collections::BTreeSet;

use super::planner::{NO_OPERATION, Planner};
use crate::autoscaler::config::{Mach2Failover, WriteAck};
use crate::autoscaler::{ActionKind, EventKind};
use crate::topology::{LoadManagerState, NodeId, Operation, OperationKind, RequestId, ShardId};

impl Planner<'_> {
    pub fn repair(&mut self) {
        let lost: BTreeSet<NodeId> =
            self.unwell.iter().copied().filter(|&n| self.down(n)).collect();
        self.give_up_shrinking();
        for &node in &lost {
            if self.state.lost.insert(node) {
                self.events.push(EventKind::NodeLost { node });
                self.tell_unavailable(node);
            }
            self.replace(node);
            self.relieve(node);
        }
        self.record_elections();
        for &node in &lost {
            self.forget(node);
        }
        let open: BTreeSet<NodeId> = self.replaced().collect();
        let known = |n: &NodeId| lost.contains(n);
        let kept = self.state.lost.iter().copied().filter(|n| known(n) || open.contains(n));
        self.state.lost = kept.collect();
    }

    /// Repair goes before shrinking (X31): a shard that has lost a member it was to keep is not
    /// made smaller. Who was half retired serves again.
    fn give_up_shrinking(&mut self) {
        let shrinks: Vec<Operation> = self
            .topology
            .operations()
            .filter(|o| o.kind == OperationKind::Shrink)
            .cloned()
            .collect();
        for operation in shrinks {
            let Some(found) = operation.shard.and_then(|s| self.topology.shard(s)) else {
                continue;
            };
            let retired = self.retired(&operation);
            let lost = |n: &NodeId| self.down(*n) && !retired.contains(n);
            if !found.members.keys().any(lost) {
                continue;
            }
            match operation.phase.can_cancel() {
                true => self.cancel(&operation),
                false => self.finish(&operation),
            }
        }
    }

    fn replaced(&self) -> impl Iterator<Item = NodeId> {
        self.topology.operations().filter_map(|o| match o.kind {
            OperationKind::Replace { lost } => Some(lost),
            _ => None,
        })
    }

    fn tell_unavailable(&mut self, node: NodeId) {
        let shards: Vec<ShardId> = self.topology.shards_of(node).map(|s| s.id).collect();
        for shard in shards {
            let voters = self.topology.shard(shard).map(|s| s.voters()).unwrap_or_default();
            let down: Vec<NodeId> = voters.iter().copied().filter(|&n| self.down(n)).collect();
            if voters.contains(&node) && !self.has_quorum(shard) {
                self.events.push(EventKind::ShardUnavailable { shard, down });
            }
        }
    }

    /// One request for each lost node that had a duty (I18). A node that was itself awaited by an
    /// operation is asked for again under its own request.
    fn replace(&mut self, lost: NodeId) {
        let Some(found) = self.topology.node(lost) else { return };
        if self.replaced().any(|n| n == lost) || self.is_idle(lost) {
            return;
        }
        let shards: Vec<ShardId> = self.topology.shards_of(lost).map(|s| s.id).collect();
        if !shards.is_empty() && shards.iter().all(|&s| self.leaving(s).contains(&lost)) {
            return;
        }
        let (level, request) = (found.level, found.request);
        let shard = found.shadow.or(shards.first().copied());
        if request.is_some_and(|r| self.is_awaited(r)) {
            return;
        }
        if let Some(id) = self.begin(OperationKind::Replace { lost }, shard)
            && let Some(operation) = self.topology.operation(id).cloned()
        {
            self.request(&operation, level);
        }
    }

    /// Whether an operation that can still be abandoned waits for this request's node.
    pub fn is_awaited(&self, request: RequestId) -> bool {
        self.topology.operations().any(|o| o.phase.can_cancel() && o.requests.contains(&request))
    }

    /// Its duties go to others.
    fn relieve(&mut self, lost: NodeId) {
        let Some(found) = self.topology.node(lost) else { return };
        let (on, shadow) = (found.is_load_manager(), found.shadow);
        let shards: Vec<ShardId> = self.topology.shards_of(lost).map(|s| s.id).collect();
        if on {
            self.stand_in(lost, shadow, &shards);
        }
        for &shard in &shards {
            self.ensure_reader(shard, lost);
        }
        let another = self.topology.load_managers().any(|n| n.id != lost && self.up(n.id));
        let served: BTreeSet<ShardId> =
            shards.iter().copied().filter(|&s| self.is_read(s)).collect();
        let shard = shadow.or(shards.first().copied());
        self.set(NO_OPERATION, shard, lost, |roles| {
            if another {
                roles.load_manager = LoadManagerState::Off;
                roles.shadow = None;
            }
            roles.reads.retain(|s| !served.contains(s));
        });
    }

    /// Somebody alive serves the shard's reads.
    fn is_read(&self, shard: ShardId) -> bool {
        let readers = self.topology.shard(shard).map(|s| s.readers()).unwrap_or_default();
        readers.into_iter().any(|n| self.up(n))
    }

    /// Another Load Manager in place of a lost one: the latest Replica of its shard (X5), unless
    /// another holds that shard's shadow; without any Replica the Writer, if no other is left.
    fn stand_in(&mut self, lost: NodeId, shadow: Option<ShardId>, shards: &[ShardId]) {
        if shadow.is_some_and(|s| !self.live_shadows(s).is_empty()) {
            return;
        }
        let all: Vec<ShardId> = match (shadow, shards) {
            (Some(shard), _) => vec![shard],
            (None, []) => self.topology.shards().map(|s| s.id).collect(),
            (None, shards) => shards.to_vec(),
        };
        let another = self.topology.load_managers().any(|n| n.id != lost && self.up(n.id));
        if another && shadow.is_none() {
            return;
        }
        for &shard in &all {
            let fit = |n: &NodeId| self.up(*n) && self.ready(shard, *n) && *n != lost;
            let data: Vec<NodeId> = self.data_nodes(shard).into_iter().filter(fit).collect();
            let leaving = self.leaving(shard);
            let free = |n: &NodeId| {
                let shadow = self.topology.node(*n).and_then(|n| n.shadow);
                !leaving.contains(n) && shadow.is_none() && !self.is_guest(shard, *n)
            };
            let stays = data.into_iter().filter(free);
            if let Some(node) = self.topology.latest(stays)
                && self.become_load_manager(shard, node)
            {
                return;
            }
        }
        let writers = all.iter().filter_map(|&s| Some((s, self.writer(s)?)));
        let alive: Vec<(ShardId, NodeId)> = writers.filter(|&(_, w)| self.up(w)).collect();
        if let Some(&(shard, writer)) = alive.first().filter(|_| !another) {
            let operation = self.tidy_operation(shard);
            self.set(operation, Some(shard), writer, |roles| {
                roles.load_manager = LoadManagerState::On;
            });
        }
    }

    /// Where a group has elected another leader, or has lost its own and can elect, the topology
    /// follows: an election is a fact, and a wish for one names the best voter (X2).
    fn record_elections(&mut self) {
        let shards: Vec<(ShardId, NodeId)> =
            self.topology.shards().map(|s| (s.id, s.writer)).collect();
        for (shard, writer) in shards {
            let leader = self.seen.shards.get(&shard).and_then(|s| s.leader);
            let votes =
                |n: NodeId| self.topology.shard(shard).is_some_and(|s| s.voters().contains(&n));
            match leader.filter(|&n| n != writer && self.up(n) && votes(n)) {
                Some(elected) => self.lead(shard, elected),
                None if !self.down(writer) => {}
                None if self.has_quorum(shard) => {
                    if let Some(best) = self.best_leader(shard, writer) {
                        self.lead(shard, best);
                    }
                }
                None => self.take_over(shard, writer),
            }
        }
    }

    /// Mach II without its Writer: fence, then take over if that loses nothing, or may.
    fn take_over(&mut self, shard: ShardId, writer: NodeId) {
        let Some(found) = self.topology.shard(shard) else { return };
        if found.voters() != BTreeSet::from([writer]) || found.is_joint() {
            return;
        }
        let members = found.members.keys().copied();
        let fit = members.filter(|&n| n != writer && self.up(n) && self.ready(shard, n));
        let best = fit.filter_map(|n| self.leader_rank(shard, n)).max().map(|r| r.node);
        let safety = &self.config.safety;
        let allowed =
            safety.write_ack == WriteAck::All || safety.mach2_failover == Mach2Failover::AcceptLoss;
        let Some(to) = best else { return };
        let fenced = self.topology.node(writer).is_some_and(|n| n.fenced);
        match (fenced, allowed) {
            // Fencing is the driver's work: it is done when the next observation says so. Nobody is
            // fenced for nothing: the Writer may come back from its disk.
            (false, true) => {
                if self.state.told.insert(writer) {
                    self.events.push(EventKind::NodeFence { node: writer });
                }
                self.ask(ActionKind::Fence { node: writer });
            }
            (true, true) => {
                let operation = self.operation_of(shard).map_or(NO_OPERATION, |o| o.id);
                self.emit(operation, ActionKind::TakeOver { shard, to });
            }
            (_, false) => {}
        }
    }

    /// A lost node without duty leaves the topology, once it has had its time to come back.
    fn forget(&mut self, lost: NodeId) {
        let Some(found) = self.topology.node(lost) else { return };
        let since = self.seen.nodes.get(&lost).map(|n| n.since_ms).unwrap_or_default();
        let past = self.seen.now_ms.is_past(since, self.config.provisioning.node_return);
        let on = found.load_manager != LoadManagerState::Off || found.shadow.is_some();
        if (past || found.fenced) && !on {
            let used = self.topology.shards_of(lost).any(|s| {
                s.writer == lost
                    || s.members
                        .get(&lost)
                        .is_some_and(|m| m.reads || m.vote != crate::topology::Vote::Learner)
            });
            if !used {
                self.release(NO_OPERATION, lost);
            }
        }
    }
}
