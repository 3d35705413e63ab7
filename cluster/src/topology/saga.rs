//! Operations in flight: begun, advanced, ended.

use super::{
    NodeId, Operation, OperationId, OperationKind, Phase, RequestId, ShardId, Topology, Violation,
};

impl Topology {
    /// A saga begins. A split's child has its number from then on, so that splits of several shards
    /// may end in another order than they began.
    pub fn begin(&mut self, operation: Operation) -> Result<(), Violation> {
        if operation.id < self.counters.operation {
            return Err(Violation::OperationReused(operation.id));
        }
        let child = match operation.kind {
            OperationKind::Split { child, .. } => Some(child),
            _ => None,
        };
        // Before the check of who is busy: a number set aside twice is the more exact complaint.
        let taken = |c: ShardId| self.work_on(c).next().is_some();
        if let Some(child) = child.filter(|&c| c < self.counters.shard || taken(c)) {
            return Err(Violation::ShardReused(child));
        }
        self.check_operation(&operation)?;
        self.counters.shard = child.map_or(self.counters.shard, ShardId::next);
        self.counters.operation = operation.id.next();
        self.put_operation(operation);
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

    /// A saga no longer waits for a request.
    pub fn withdraw(&mut self, id: OperationId, request: RequestId) -> Result<(), Violation> {
        let found = self.operations.get_mut(&id).ok_or(Violation::UnknownOperation(id))?;
        found.requests.remove(&request);
        self.touch();
        Ok(())
    }

    /// A saga has reached its end.
    pub fn finish(&mut self, id: OperationId) -> Result<Operation, Violation> {
        let found = self.take_operation(id).ok_or(Violation::UnknownOperation(id))?;
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
}
