//! What is begun next, of all that is wanted: the most urgent first (3.1), no more at a time than
//! the cluster bears, nothing on a shard with a member that is not up.

use super::planner::Planner;
use crate::autoscaler::DesiredShard;
use crate::topology::{Operation, OperationKind, ShardId};

/// How urgent something is: the least goes first. The order is the priority of 3.1 and ends in the
/// shard's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Urgency {
    kind: Kind,
    shard: ShardId,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Grow,
    RaiseLevel,
    Split,
    Shrink,
    Merge,
    LowerLevel,
}

impl Planner<'_> {
    pub fn begin_desired(&mut self) {
        let budget = &self.config.budget;
        if self.state.held || budget.dry_run {
            return;
        }
        self.widen_growth();
        let nodes = u32::try_from(self.topology.node_count()).unwrap_or(u32::MAX);
        let mut in_flight = self.topology.in_flight();
        if budget.may_begin(true, in_flight, nodes) && self.begin_load_manager(true) {
            in_flight.add(true);
        }
        for (urgency, wanted) in self.wants() {
            let grows = matches!(urgency.kind, Kind::Grow | Kind::Split);
            if budget.may_begin(grows, in_flight, nodes) && self.begin_on(urgency, wanted) {
                in_flight.add(grows);
            }
        }
        if budget.may_begin(false, in_flight, nodes) {
            self.begin_load_manager(false);
        }
    }

    /// Growth in flight asks for further nodes if more are wanted by now than are coming.
    fn widen_growth(&mut self) {
        let growing = self.topology.operations().filter(|o| o.kind == OperationKind::Grow);
        let growing: Vec<Operation> = growing.cloned().collect();
        for operation in growing {
            let Some(shard) = operation.shard else { continue };
            let wanted = self.state.desired.shards.get(&shard).map_or(0, |d| d.mach);
            let all = self.topology.work_on(shard).filter(|o| o.shard == Some(shard));
            let open: usize = all.map(|o| self.unanswered(o.id).len()).sum();
            let coming = self.size(shard).saturating_add(u32::try_from(open).unwrap_or(u32::MAX));
            if wanted < coming && self.is_healthy(shard) && self.open_replacements(shard) == 0 {
                self.give_up(&operation, coming - wanted);
            }
            let entered = self.joined(operation.id).iter().all(|&n| !self.is_idle(n));
            if entered && coming < wanted {
                let most = self.config.replicas.batch_step.max(1);
                self.request_many(operation.id, shard, (wanted - coming).min(most));
            }
        }
    }

    fn open_replacements(&self, shard: ShardId) -> usize {
        let replaces = |o: &&Operation| o.kind.is_repair() && o.shard == Some(shard);
        self.topology.work_on(shard).filter(replaces).count()
    }

    /// Takes back as many requests of growth as are not needed any more, if it has got a node.
    fn give_up(&mut self, operation: &Operation, surplus: u32) {
        // A node that is lost is asked for again under its request: that one is not too many.
        let healthy = operation.nodes.iter().all(|&n| self.up(n));
        if self.joined(operation.id).is_empty() || !healthy {
            return;
        }
        let open = self.unanswered(operation.id).into_iter().rev();
        for request in open.take(usize::try_from(surplus).unwrap_or(0)) {
            self.take_back(operation.id, request);
        }
    }

    fn wants(&self) -> Vec<(Urgency, DesiredShard)> {
        // An operation that ends now was in flight when it was decided what is wanted of its shard.
        let before = self.seen.topology.operations().flat_map(|o| o.shards());
        let now = self.topology.operations().flat_map(|o| o.shards());
        let busy: std::collections::BTreeSet<ShardId> = before.chain(now).collect();
        let mut wants: Vec<(Urgency, DesiredShard)> = Vec::new();
        for (&shard, wanted) in &self.state.desired.shards {
            let settled = !busy.contains(&shard) && !self.ended.contains(&shard);
            if !settled || self.topology.shard(shard).is_none() {
                continue;
            }
            if let Some(kind) = self.kind(shard, wanted)
                && self.is_healthy(shard)
            {
                wants.push((Urgency { kind, shard }, *wanted));
            }
        }
        wants.sort_by_key(|(urgency, _)| *urgency);
        wants
    }

    fn kind(&self, shard: ShardId, wanted: &DesiredShard) -> Option<Kind> {
        let size = self.size(shard);
        let level = self.topology.writer_level(shard)?;
        let mergeable = wanted.merge.is_some_and(|right| {
            let neighbours = self.topology.right_neighbour(shard).is_some_and(|r| r.id == right);
            neighbours && self.topology.work_on(right).next().is_none() && self.is_healthy(right)
        });
        // A wish for a size holds for what a merge leaves, so it is not grown towards before.
        let checks = [
            (Kind::Grow, wanted.mach > size && wanted.merge.is_none()),
            (Kind::RaiseLevel, wanted.level > level && size > 1),
            (Kind::Split, wanted.split.is_some_and(|g| self.is_divisible(shard, g.at))),
            (Kind::Shrink, wanted.mach < size),
            (Kind::Merge, mergeable),
            (Kind::LowerLevel, wanted.level < level && size > 1),
        ];
        checks.into_iter().find(|(_, holds)| *holds).map(|(kind, _)| kind)
    }

    fn is_divisible(&self, shard: ShardId, at: crate::topology::BucketId) -> bool {
        self.topology.shard(shard).is_some_and(|s| s.range.split_at(at).is_ok())
    }

    fn begin_on(&mut self, urgency: Urgency, wanted: DesiredShard) -> bool {
        let shard = urgency.shard;
        let needs_node = match urgency.kind {
            Kind::Grow | Kind::RaiseLevel => true,
            Kind::Split => wanted.split.is_some_and(|goal| goal.nodes > 0),
            Kind::Shrink | Kind::Merge | Kind::LowerLevel => false,
        };
        if needs_node && self.room() == 0 {
            return false;
        }
        let kind = match urgency.kind {
            Kind::Grow => OperationKind::Grow,
            Kind::Shrink => OperationKind::Shrink,
            Kind::RaiseLevel | Kind::LowerLevel => OperationKind::ChangeLevel { to: wanted.level },
            Kind::Split => match wanted.split {
                Some(goal) => {
                    let child = self.topology.counters().shard;
                    OperationKind::Split { at: goal.at, child, cause: goal.cause }
                }
                None => return false,
            },
            Kind::Merge => match wanted.merge {
                Some(right) => OperationKind::Merge { right },
                None => return false,
            },
        };
        let Some(id) = self.begin(kind, Some(shard)) else { return false };
        if urgency.kind == Kind::Grow {
            let nodes = wanted.mach.saturating_sub(self.size(shard));
            self.request_many(id, shard, nodes.min(self.config.replicas.batch_step.max(1)));
        } else if let Some(operation) = self.topology.operation(id).cloned() {
            self.advance_operation(&operation);
        }
        true
    }

    /// Several nodes at once: the last one in becomes Load Manager.
    fn request_many(&mut self, id: crate::topology::OperationId, shard: ShardId, nodes: u32) {
        let level = self.node_level(shard);
        for _ in 0..nodes {
            if let Some(operation) = self.topology.operation(id).cloned() {
                self.request(&operation, level);
            }
        }
    }

    /// One Load Manager more, or one less. At most one such operation at a time.
    fn begin_load_manager(&mut self, more: bool) -> bool {
        let (now, wanted) = (
            self.extra_load_managers().saturating_add(self.coming_load_managers()),
            self.state.desired.extra_load_managers,
        );
        let kinds = [OperationKind::AddLoadManager, OperationKind::RemoveLoadManager];
        let running = self.topology.operations().any(|o| kinds.contains(&o.kind));
        // A second shadow may be the passing state of another operation.
        let calm = |s: ShardId| self.operation_of(s).is_none() && self.is_healthy(s);
        let kind = match more {
            true if now < wanted && !running && self.room() > 0 => OperationKind::AddLoadManager,
            false if now > wanted && !running && self.has_extra().is_some_and(calm) => {
                OperationKind::RemoveLoadManager
            }
            _ => return false,
        };
        let Some(id) = self.begin(kind, None) else { return false };
        if let Some(operation) = self.topology.operation(id).cloned() {
            self.advance_operation(&operation);
        }
        true
    }
}
