//! One action as a step: when it may be taken, when it is done, how long it may take, what undoes
//! it, and how people read it.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use crate::autoscaler::action::{NodeRequest, Purpose};
use crate::autoscaler::config::Config;
use crate::autoscaler::{Action, ActionKind, ApplyError, Seconds};
use crate::topology::{LoadManagerState, NodeId, Roles, Topology};

/// A view of an action.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a>(pub &'a Action);

impl Step<'_> {
    /// Whether it may be taken now, and if not, what it would break.
    pub fn precondition(&self, topology: &Topology) -> Result<(), ApplyError> {
        topology.clone().apply(self.0).map(drop)
    }

    /// Whether the topology is as if it had been taken.
    pub fn is_done(&self, topology: &Topology) -> bool {
        topology.is_done(self.0)
    }

    /// After this it is taken anew. None for what is done by being decided.
    pub fn timeout(&self, config: &Config) -> Option<Seconds> {
        match self.0.kind {
            ActionKind::AttachLearner { .. } => Some(config.sync.sync_timeout),
            ActionKind::RequestNode(_) => Some(config.provisioning.request_deadline),
            ActionKind::BeginOperation { .. }
            | ActionKind::AdvanceOperation { .. }
            | ActionKind::FinishOperation
            | ActionKind::CancelOperation
            | ActionKind::CancelRequest { .. } => None,
            _ => Some(config.sync.step_timeout),
        }
    }

    /// What takes it back, as long as its operation may be abandoned; the rules for the shard's
    /// shape see to the rest.
    pub fn abort(&self, topology: &Topology) -> Option<ActionKind> {
        let operation = topology.operation(self.0.operation)?;
        operation.phase.can_cancel().then_some(())?;
        match &self.0.kind {
            ActionKind::RequestNode(asked) => {
                Some(ActionKind::CancelRequest { request: asked.request })
            }
            ActionKind::AttachLearner { node, shard, .. } => {
                let range = topology.shard(*shard)?.range;
                Some(ActionKind::DropRange { node: *node, shard: *shard, range })
            }
            ActionKind::BeginOperation { .. } => Some(ActionKind::CancelOperation),
            _ => None,
        }
    }
}

impl Display for Step<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.operation != super::NO_OPERATION {
            write!(f, "{} ", self.0.operation)?;
        }
        match &self.0.kind {
            ActionKind::RequestNode(asked) => write_request(f, asked),
            ActionKind::CancelRequest { request } => write!(f, "cancel {request}"),
            ActionKind::ReleaseNode { node } => write!(f, "release {node}"),
            ActionKind::Fence { node } => write!(f, "fence {node}"),
            ActionKind::AttachLearner { node, shard, part: None, source } => {
                write!(f, "copy {shard} to {node} from {source}")
            }
            ActionKind::AttachLearner { node, shard, part: Some(part), source } => {
                write!(f, "copy {shard}[{part}] to {node} from {source}")
            }
            ActionKind::ChangeVoters { shard, voters } => {
                write!(f, "voters of {shard}:")?;
                write_nodes(f, voters)
            }
            ActionKind::SetRoles { node, roles, .. } => write_roles(f, *node, roles),
            ActionKind::TransferLeader { shard, to } => write!(f, "{to} leads {shard}"),
            ActionKind::TakeOver { shard, to } => write!(f, "{to} takes {shard} over"),
            ActionKind::SplitShard { shard, at, child, voters, learners, .. } => {
                write!(f, "split {shard} at {}: {child} with", at.0)?;
                write_nodes(f, voters)?;
                if !learners.is_empty() {
                    write!(f, ", followed by")?;
                    write_nodes(f, learners)?;
                }
                Ok(())
            }
            ActionKind::MergeShards { left, right } => write!(f, "merge {right} into {left}"),
            ActionKind::DropRange { node, shard, range } => {
                write!(f, "{node} drops {range} of {shard}")
            }
            ActionKind::SetLimits { target, in_flight } => {
                write!(f, "at most {in_flight} in flight to {target}")
            }
            ActionKind::BeginOperation { what, shard: Some(shard) } => {
                write!(f, "begin {what} on {shard}")
            }
            ActionKind::BeginOperation { what, shard: None } => write!(f, "begin {what}"),
            ActionKind::AdvanceOperation { phase } => write!(f, "is {phase}"),
            ActionKind::FinishOperation => f.write_str("finish"),
            ActionKind::CancelOperation => f.write_str("cancel"),
        }
    }
}

fn write_nodes(f: &mut Formatter<'_>, nodes: &BTreeSet<NodeId>) -> fmt::Result {
    nodes.iter().try_for_each(|node| write!(f, " {node}"))
}

fn write_request(f: &mut Formatter<'_>, asked: &NodeRequest) -> fmt::Result {
    write!(f, "request {} {} for ", asked.request, asked.min_level)?;
    match asked.purpose {
        Purpose::Rotate { shard } => write!(f, "rotation of {shard}"),
        Purpose::ExtraLoadManager { shard } => write!(f, "a Load Manager with {shard}~"),
        Purpose::BiggerLeader { shard } => write!(f, "Writer of {shard}"),
        Purpose::ChildLeader { shard } => write!(f, "Writer of a child of {shard}"),
        Purpose::Replace { lost, shard: Some(shard) } => write!(f, "{lost} of {shard}"),
        Purpose::Replace { lost, shard: None } => write!(f, "{lost}"),
    }?;
    match asked.attempt {
        1 => Ok(()),
        attempt => write!(f, ", attempt {attempt}"),
    }
}

fn write_roles(f: &mut Formatter<'_>, node: NodeId, roles: &Roles) -> fmt::Result {
    write!(f, "{node}:")?;
    match roles.load_manager {
        LoadManagerState::Off => {}
        LoadManagerState::On => write!(f, " LM")?,
        LoadManagerState::Draining => write!(f, " LM-draining")?,
    }
    if let Some(shadow) = roles.shadow {
        write!(f, " {shadow}~")?;
    }
    if !roles.reads.is_empty() {
        f.write_str(" reads")?;
        roles.reads.iter().try_for_each(|shard| write!(f, " {shard}"))?;
    }
    if *roles == Roles::default() {
        f.write_str(" no role")?;
    }
    Ok(())
}
