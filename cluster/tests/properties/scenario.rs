//! Random clusters, loads, manners and mishaps.

use cluster::autoscaler::Config;
use cluster::autoscaler::config::Mach2Failover;
use cluster::topology::NodeId;
use proptest::prelude::*;

use super::checks::Checks;
use super::load::Load;
use super::world::{Manners, World};

/// What happens at a tick.
#[derive(Clone, Copy, Debug)]
pub enum Mishap {
    /// A node fails; it comes back after so many ticks, 0: never.
    Fail { node: u64, back: u32 },
    /// The deciding process dies after so many actions; its successor has the old state, or the new.
    Crash { after: usize, old: bool },
}

/// What differs from the default configuration.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub retire_old_leader: bool,
    pub min_mach: u32,
    pub accept_loss: bool,
    pub max_nodes: u32,
}

impl Rules {
    pub fn config(self) -> Config {
        let mut config = Config::predictive();
        config.levels.retire_old_leader = self.retire_old_leader;
        config.replicas.min_mach = self.min_mach;
        config.replicas.max_nodes = self.max_nodes;
        if self.accept_loss {
            config.safety.mach2_failover = Mach2Failover::AcceptLoss;
        }
        config
    }
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub topology: String,
    pub manners: Manners,
    pub rules: Rules,
    /// For so many ticks, this load.
    pub phases: Vec<(u32, Load)>,
    pub mishaps: Vec<(u32, Mishap)>,
}

/// A group of `replicas` Replicas with a Writer and a Load Manager, as text; nodes from `first` on.
fn group(shard: u32, first: u64, replicas: u64, level: u8, shadow: bool) -> (Vec<String>, u64) {
    let mut nodes = Vec::new();
    let level = if level > 1 { format!(" L{level}") } else { String::new() };
    let reads = if replicas == 0 { "R" } else { "" };
    let gateway = if !shadow { " LM" } else { "" };
    nodes.push(format!("N{first}{level}{gateway} W{reads} s{shard}"));
    // The usual number of voters; the rules mend what is not.
    for at in 1..=replicas {
        let last_of_even = at == replicas && replicas % 2 == 1 && replicas > 1;
        let vote = if at > 4 || last_of_even { ":learner" } else { "" };
        nodes.push(format!("N{}{level} R s{shard}{vote}", first + at));
    }
    let mut next = first + replicas + 1;
    if shadow {
        let vote = if replicas == 1 { ":voter" } else { "" };
        nodes.push(format!("N{next}{level} LM s{shard}~{vote}"));
        next += 1;
    }
    (nodes, next)
}

fn topology() -> impl Strategy<Value = String> {
    let one = (0u64..=6, 1u8..=5, any::<bool>()).prop_map(|(replicas, level, shadow)| {
        let shadow = shadow || replicas > 0;
        group(1, 1, replicas, level, shadow).0.join(" | ")
    });
    let several = (2u32..=3, prop::collection::vec((2u64..=5, 1u8..=5), 3)).prop_map(|(n, of)| {
        let (mut all, mut next) = (Vec::new(), 1);
        for shard in 1..=n {
            let (replicas, level) = of[shard as usize - 1];
            let (nodes, after) = group(shard, next, replicas, level, true);
            all.extend(nodes);
            next = after;
        }
        let each = 1000 / n;
        for shard in 1..=n {
            let last = if shard == n { 1000 } else { shard * each };
            let parent = if shard == 1 { String::new() } else { format!(" of s{}", shard - 1) };
            all.push(format!("s{shard} {}-{last} e2{parent}", (shard - 1) * each + 1));
        }
        all.join(" | ")
    });
    prop_oneof![3 => one, 2 => several]
}

fn load() -> impl Strategy<Value = Load> {
    (0u32..40_000, 0u32..6_000).prop_map(|(reads, writes)| Load { reads, writes })
}

pub fn manners() -> impl Strategy<Value = Manners> {
    let few = || prop_oneof![2 => Just(0u32), 1 => 2u32..4];
    (0u32..6, 0u32..8, few(), few(), 0u32..4, any::<bool>()).prop_map(
        |(join, sync, twice, deaf, drain, elects)| Manners {
            join,
            sync,
            twice,
            deaf,
            drain,
            elects,
        },
    )
}

fn rules() -> impl Strategy<Value = Rules> {
    let bounds = prop_oneof![Just(9u32), Just(30), Just(100)];
    (any::<bool>(), 1u32..=4, any::<bool>(), bounds).prop_map(
        |(retire_old_leader, min_mach, accept_loss, max_nodes)| Rules {
            retire_old_leader,
            min_mach,
            accept_loss,
            max_nodes,
        },
    )
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        (0u64..30, prop_oneof![Just(0u32), 1u32..12])
            .prop_map(|(node, back)| Mishap::Fail { node, back }),
        (0usize..12, any::<bool>()).prop_map(|(after, old)| Mishap::Crash { after, old }),
    ]
}

pub fn scenario() -> impl Strategy<Value = Scenario> {
    let phases = prop::collection::vec((20u32..120, load()), 1..4);
    let mishaps = prop::collection::vec((1u32..300, mishap()), 0..5);
    (topology(), manners(), rules(), phases, mishaps).prop_map(
        |(topology, manners, rules, phases, mishaps)| Scenario {
            topology,
            manners,
            rules,
            phases,
            mishaps,
        },
    )
}

impl Scenario {
    /// Lives through it and settles; the checks look on.
    pub fn play(&self, checks: Checks) -> World {
        let mut world = World::new(&self.topology, self.rules.config(), self.manners, checks);
        let mut returns: Vec<(u32, NodeId)> = Vec::new();
        let mut tick = 0;
        for &(ticks, load) in &self.phases {
            world.load = load;
            for _ in 0..ticks {
                tick += 1;
                for (_, node) in returns.extract_if(.., |(at, _)| *at == tick) {
                    world.heal(node);
                }
                for (_, mishap) in self.mishaps.iter().filter(|(at, _)| *at == tick) {
                    match *mishap {
                        Mishap::Crash { after, old } => world.crash = Some((after, old)),
                        Mishap::Fail { node, back } => {
                            let nodes: Vec<NodeId> = world.topology.nodes().map(|n| n.id).collect();
                            let node = nodes[(node as usize) % nodes.len()];
                            world.fail(node);
                            if back > 0 {
                                returns.push((tick + back, node));
                            }
                        }
                    }
                }
                world.tick();
            }
        }
        // Where nothing can be decided without them, the lost come back from their disks.
        let stuck = world.topology.shards().any(|s| !world.has_quorum(s.id));
        for node in world.down.keys().copied().collect::<Vec<_>>() {
            if stuck {
                world.heal(node);
            }
        }
        world
    }
}
