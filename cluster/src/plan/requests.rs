//! Requests for nodes: numbered once, issued again with growing patience, answered late or never.
//!
//! A request's number never changes, so asking again is harmless (X29). A node that comes for a
//! request nobody waits for any more is taken by another operation or released.

use super::planner::Planner;
use crate::autoscaler::action::NodeRequest;
use crate::autoscaler::state::{Answer, Request};
use crate::autoscaler::{ActionKind, EventKind, OperatorWord, TimeMs};
use crate::topology::{
    Level, LoadManagerState, NodeId, Operation, OperationId, OperationKind, Phase, RequestId,
};

/// Doublings of the deadline that are counted; by then the configured maximum is reached.
const DOUBLINGS_MAX: u32 = 16;

impl Planner<'_> {
    /// Asks for a node for the operation, if the cluster may have one more (I9).
    pub fn request(&mut self, operation: &Operation, min_level: Level) {
        if !operation.kind.is_repair() && self.room() == 0 {
            return;
        }
        let nth = self.topology.operation(operation.id).map_or(0, |o| o.requests.len());
        let Some(purpose) = self.purpose(operation, nth) else { return };
        // Asked for a moment ago, from an observation that did not show it yet: the same request.
        let pending = self.state.requests.values().find(|r| {
            let known = self.topology.operation(operation.id);
            r.operation == operation.id
                && r.asked.purpose == purpose
                && known.is_some_and(|o| !o.requests.contains(&r.asked.request))
        });
        if let Some(asked) = pending.map(|r| r.asked.clone()) {
            self.emit(operation.id, ActionKind::RequestNode(asked));
            return;
        }
        let request = self.next_request();
        let asked = NodeRequest { request, purpose, min_level, zone_hint: None, attempt: 1 };
        if self.emit(operation.id, ActionKind::RequestNode(asked.clone())) {
            self.state.next_request = request.next();
            self.note(operation.id, asked);
        }
    }

    /// A number never used, even if this state is older than the topology.
    fn next_request(&self) -> RequestId {
        let waiting = self.topology.operations().flat_map(|o| o.requests.iter().copied());
        let answered = self.topology.nodes().filter_map(|n| n.request);
        let used = waiting.chain(answered).max().map_or(RequestId(1), RequestId::next);
        used.max(self.state.next_request)
    }

    fn note(&mut self, operation: OperationId, asked: NodeRequest) {
        let now = self.seen.now_ms;
        let deadline = self.deadline(now, asked.attempt);
        self.events.push(EventKind::NodeRequest { request: asked.clone(), deadline, reason: None });
        let known = self.state.requests.get(&asked.request);
        let first_issued = known.map_or(now, |r| r.first_issued);
        let (issued, answer) = (now, Answer::None);
        let id = asked.request;
        let request = Request { asked, operation, first_issued, issued, deadline, answer };
        self.state.requests.insert(id, request);
    }

    fn deadline(&self, now: TimeMs, attempt: u32) -> TimeMs {
        let rules = &self.config.provisioning;
        let doublings = attempt.saturating_sub(1).min(DOUBLINGS_MAX);
        let wait = rules.request_deadline.ms().saturating_mul(1 << doublings);
        TimeMs(now.0.saturating_add(wait.min(rules.request_deadline_max.ms())))
    }

    /// Nodes that may still be asked for.
    pub fn room(&self) -> u32 {
        let open: usize = self.topology.operations().map(|o| self.unanswered(o.id).len()).sum();
        let used = u32::try_from(self.topology.node_count() + open).unwrap_or(u32::MAX);
        self.config.replicas.max_nodes.saturating_sub(used)
    }

    /// Requests of the operation for which no living node has joined.
    pub fn unanswered(&self, operation: OperationId) -> Vec<RequestId> {
        let Some(found) = self.topology.operation(operation) else { return Vec::new() };
        let living = |r: &RequestId| {
            let answers = |n: &NodeId| {
                let node = self.topology.node(*n);
                !self.down(*n) && node.is_some_and(|n| n.request == Some(*r))
            };
            found.nodes.iter().any(answers)
        };
        // Past the commit a node that has come and gone is replaced like any other.
        let past = |r: &RequestId| {
            let known = self.state.requests.get(r);
            !found.phase.can_cancel()
                && known.is_none_or(|r| matches!(r.answer, Answer::Joined { .. }))
        };
        found.requests.iter().copied().filter(|r| !living(r) && !past(r)).collect()
    }

    pub fn tend_requests(&mut self) {
        let words = self.seen.words.clone();
        for word in &words {
            self.hear(word);
        }
        let operations: Vec<Operation> = self.topology.operations().cloned().collect();
        for operation in &operations {
            for (nth, &request) in operation.requests.iter().enumerate() {
                self.remember(operation, nth, request);
            }
        }
        // What was decided a moment ago need not stand in the topology yet.
        let (next, now) = (self.topology.counters().operation, self.seen.now_ms);
        let topology = &self.topology;
        let waiting = |r: &RequestId, q: &Request| {
            q.operation >= next
                || topology
                    .operation(q.operation)
                    .is_some_and(|o| o.requests.contains(r) || q.issued == now)
        };
        self.state.requests.retain(|r, q| waiting(r, q));
        let in_flight = |id: &OperationId| *id >= next || topology.operation(*id).is_some();
        self.state.operations.retain(|id, _| in_flight(id));
        for operation in &operations {
            let open = self.unanswered(operation.id);
            for &request in &operation.requests {
                self.tend(operation, request, open.contains(&request));
            }
        }
    }

    /// Writes down a request that the topology knows and this state, an older one, does not.
    fn remember(&mut self, operation: &Operation, nth: usize, request: RequestId) {
        if self.state.requests.contains_key(&request) {
            return;
        }
        let Some(purpose) = self.purpose(operation, nth) else { return };
        let now = self.seen.now_ms;
        let min_level = operation.shard.map_or(Level::MIN, |s| self.node_level(s));
        let asked = NodeRequest { request, purpose, min_level, zone_hint: None, attempt: 1 };
        let (first_issued, issued, answer) = (now, now, Answer::None);
        let deadline = self.deadline(now, 1);
        let operation = operation.id;
        let known = Request { asked, operation, first_issued, issued, deadline, answer };
        self.state.requests.insert(request, known);
        self.state.next_request = self.state.next_request.max(request.next());
    }

    fn hear(&mut self, word: &OperatorWord) {
        match word {
            OperatorWord::Accepted { request, expected_ms } => {
                let wait = self.config.provisioning.request_deadline;
                if let Some(known) = self.state.requests.get_mut(request) {
                    known.answer = Answer::Accepted { expected: *expected_ms };
                    known.deadline = known.deadline.max(expected_ms.after(wait));
                }
            }
            OperatorWord::Rejected { request, reason, retry_ms } => {
                if let Some(known) = self.state.requests.get_mut(request) {
                    known.answer = Answer::Rejected { reason: reason.clone(), retry: *retry_ms };
                    known.deadline = *retry_ms;
                }
            }
            OperatorWord::Fenced { node } if self.down(*node) => {
                self.emit(super::NO_OPERATION, ActionKind::Fence { node: *node });
            }
            OperatorWord::SwitchTo { shard, node } => {
                let voice = self.topology.member(*shard, *node).is_some_and(|m| m.part.is_none());
                if voice && self.topology.busy(*shard).is_none() {
                    self.begin(OperationKind::SwitchTo { to: *node }, Some(*shard));
                }
            }
            _ => {}
        }
    }

    fn tend(&mut self, operation: &Operation, id: RequestId, open: bool) {
        let now = self.seen.now_ms;
        let Some(known) = self.state.requests.get(&id) else { return };
        let was_joined = matches!(known.answer, Answer::Joined { .. });
        let answers = |n: &&NodeId| self.topology.node(**n).is_some_and(|n| n.request == Some(id));
        let living = operation.nodes.iter().filter(answers).find(|n| !self.down(**n)).copied();
        match living {
            Some(node) if !was_joined => {
                self.events.push(EventKind::NodeJoined { node, request: Some(id) });
                if let Some(known) = self.state.requests.get_mut(&id) {
                    known.answer = Answer::Joined { node };
                }
            }
            // The node that came is lost again: the same request, once more (3.4).
            None if open && (was_joined || now >= known.deadline) => {
                let attempt = known.asked.attempt.saturating_add(1);
                let asked = NodeRequest { attempt, ..known.asked.clone() };
                self.repeat(operation.id, ActionKind::RequestNode(asked.clone()));
                self.note(operation.id, asked);
            }
            _ => {}
        }
    }

    /// Takes back one request; operators are told once.
    pub fn take_back(&mut self, operation: OperationId, request: RequestId) {
        if self.emit(operation, ActionKind::CancelRequest { request })
            && self.state.requests.remove(&request).is_some()
        {
            self.events.push(EventKind::NodeCancel { request });
        }
    }

    /// Takes back what the operation still waits for, and ends it if it never began to act.
    pub fn cancel_requests(&mut self, operation: &Operation) {
        for request in self.unanswered(operation.id) {
            self.take_back(operation.id, request);
        }
        let waits = self
            .topology
            .operation(operation.id)
            .is_some_and(|o| o.phase == Phase::Requested && o.requests.is_empty());
        if waits {
            self.cancel(operation);
        }
    }

    /// The operation is abandoned.
    pub fn cancel(&mut self, operation: &Operation) {
        if self.emit(operation.id, ActionKind::CancelOperation) {
            self.state.operations.remove(&operation.id);
        }
    }

    /// An operation that waits for just any node of at most this one's level.
    pub fn adopter(&self, node: NodeId) -> Option<Operation> {
        let level = self.topology.node(node)?.level;
        let fits =
            |r: &RequestId| self.state.requests.get(r).is_some_and(|r| r.asked.min_level <= level);
        let any = |o: &&Operation| {
            matches!(
                o.kind,
                OperationKind::Grow | OperationKind::Replace { .. } | OperationKind::AddLoadManager
            ) && self.waiting(o.id).iter().any(fits)
        };
        self.topology.operations().find(any).cloned()
    }

    /// Its unanswered requests that were observed to stand: what is asked for and taken back in one
    /// breath would be asked for again.
    fn waiting(&self, operation: OperationId) -> Vec<RequestId> {
        let seen = self.seen.topology.operation(operation);
        let stands = |r: &RequestId| seen.is_some_and(|o| o.requests.contains(r));
        self.unanswered(operation).into_iter().filter(stands).collect()
    }

    /// The node takes the place of one that was asked for.
    pub fn adopt(&mut self, operation: &Operation, node: NodeId) {
        let Some(shard) = self.shard_for(operation) else { return };
        let entered = self.set(operation.id, Some(shard), node, |roles| {
            roles.load_manager = LoadManagerState::On;
            roles.shadow = Some(shard);
        });
        let first = self.waiting(operation.id).first().copied();
        if let Some(request) = first.filter(|_| entered) {
            self.take_back(operation.id, request);
        }
    }
}
