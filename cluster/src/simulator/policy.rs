//! The policies that can be compared.

use super::counted::{Counted, Counting, Hpa, Measure, Oracle, Planned, Static};
use super::run::{Broken, Cluster, World};
use super::stepped::Stepped;
use crate::autoscaler::Config;

/// A policy.
#[derive(Clone, PartialEq, Debug)]
pub enum Policy {
    /// The article's rules and figures to the letter.
    Article,
    /// What is shipped.
    Predictive,
    /// As many Replicas as bring utilisation to 70 % (Kubernetes' HPA).
    Hpa70,
    /// As many as bring the response time to half of its target (the same).
    HpaLatency,
    /// What the busiest minute needs, always.
    StaticPeak,
    /// The cheapest that meets the target, for who knows the future.
    Oracle,
    /// From outside: the number of nodes from a time on, in seconds and rising.
    Plan {
        /// Where it is from.
        name: String,
        /// Times and numbers.
        steps: Vec<(f64, u32)>,
    },
}

impl Policy {
    /// Those that have names, with what they are.
    pub const NAMED: &[(&str, &str)] = &[
        ("predictive", "what is shipped: utilisation predicted from measured capacity"),
        ("article", "the article's rules and figures to the letter"),
        ("hpa-70", "Kubernetes' autoscaler: replicas for 70 % utilisation"),
        ("hpa-latency", "the same: replicas for half of the target response time"),
        ("static-peak", "always what the busiest minute needs"),
        ("oracle", "knows the future: the cheapest number of nodes that meets the target"),
    ];

    /// The policy of that name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "article" => Some(Self::Article),
            "predictive" => Some(Self::Predictive),
            "hpa-70" => Some(Self::Hpa70),
            "hpa-latency" => Some(Self::HpaLatency),
            "static-peak" => Some(Self::StaticPeak),
            "oracle" => Some(Self::Oracle),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Article => "article",
            Self::Predictive => "predictive",
            Self::Hpa70 => "hpa-70",
            Self::HpaLatency => "hpa-latency",
            Self::StaticPeak => "static-peak",
            Self::Oracle => "oracle",
            Self::Plan { name, .. } => name,
        }
    }

    /// A cluster that it rules in this world.
    pub(super) fn cluster<'w>(
        &self,
        world: &'w World,
        clock: &'w mut dyn FnMut() -> u64,
    ) -> Result<Box<dyn Cluster + 'w>, Broken> {
        let counting: Box<dyn Counting + 'w> = match self {
            Self::Article => return Ok(Box::new(Stepped::new(world, Config::article(), clock)?)),
            Self::Predictive => {
                return Ok(Box::new(Stepped::new(world, Config::predictive(), clock)?));
            }
            Self::Hpa70 => Box::new(Hpa::new(Measure::Utilisation)),
            Self::HpaLatency => Box::new(Hpa::new(Measure::ResponseTime)),
            Self::StaticPeak => Box::new(Static::new(world)),
            Self::Oracle => return Ok(Box::new(Oracle::new(world))),
            Self::Plan { steps, .. } => Box::new(Planned::new(steps.clone())),
        };
        Ok(Box::new(Counted::new(world, counting)))
    }
}
