//! The words survive being written and read, and look as 3.8 says.

mod apply;
mod article;
mod guards;
mod predictive;

use std::collections::BTreeSet;

use super::action::{Action, ActionKind, NodeRequest, Purpose};
use super::event::{Event, EventKind, Reason};
use super::state::{LevelCost, ShardState, State};
use super::*;
use crate::topology::{
    Epoch, Level, LoadManagerState, NodeId, OperationId, RequestId, Roles, ShardId, Topology,
};

fn request() -> NodeRequest {
    NodeRequest {
        request: RequestId(7),
        purpose: Purpose::Rotate { shard: ShardId(1) },
        min_level: Level::MIN,
        zone_hint: None,
        attempt: 1,
    }
}

#[test]
fn an_event_is_the_json_of_the_operator_interface() {
    let reason = Reason {
        metric: Metric::ReadAverage,
        value: Figure::Micros(5_200),
        threshold: Figure::Micros(5_000),
        window: Some(Seconds(300)),
    };
    let kind = EventKind::NodeRequest {
        request: request(),
        deadline: TimeMs(9_000),
        reason: Some(reason),
    };
    let event = Event::new("bowshock", 3, Epoch(2), TimeMs(1_000), kind);
    let text = serde_json::to_string(&event).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"id":"bowshock-3","seq":3,"epoch":2,"time":1000,"cluster":"bowshock","#,
            r#""severity":"info","type":"node.request","data":{"req_id":7,"#,
            r#""purpose":{"for":"rotate","shard":1},"min_level":1,"zone_hint":null,"attempt":1,"#,
            r#""deadline":9000,"reason":{"metric":"read_average","value":{"micros":5200},"#,
            r#""threshold":{"micros":5000},"window":300}}}"#
        )
    );
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
}

#[test]
fn actions_read_back() {
    let roles = Roles {
        load_manager: LoadManagerState::On,
        reads: BTreeSet::from([ShardId(1)]),
        shadow: None,
    };
    let kinds = [
        ActionKind::RequestNode(request()),
        ActionKind::SetRoles { node: NodeId(2), shard: Some(ShardId(1)), roles },
        ActionKind::ChangeVoters { shard: ShardId(1), voters: BTreeSet::from([NodeId(1)]) },
        ActionKind::CancelOperation,
    ];
    for kind in kinds {
        let action = Action { operation: OperationId(4), epoch: Epoch(2), kind };
        let text = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action, "{text}");
    }
}

#[test]
fn state_and_observation_read_back_and_refuse_other_versions() {
    let mut state = State::default();
    state.shards.insert(ShardId(1), ShardState::default());
    state.capacity.levels.insert(Level::MAX, LevelCost::default());
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    let other = text.replacen(r#""format":1"#, r#""format":9"#, 1);
    assert!(serde_json::from_str::<State>(&other).is_err());

    let topology = Topology::found(1000, Level::MIN, None).unwrap();
    let mut seen = Observation::of(TimeMs(5), topology);
    seen.shards.insert(ShardId(1), observation::ShardObservation::default());
    let text = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<Observation>(&text).unwrap(), seen);
}

#[test]
fn averages_of_sums_are_exact_and_count_what_failed() {
    let one = Aggregate { n: 2, sum_us: 3_000, ..Aggregate::default() };
    let other = Aggregate { n: 1, sum_us: 2_000, timeouts: 1, shed: 1, busy_us: 0 };
    let sum: Aggregate = [one, other].into_iter().sum();
    assert_eq!((sum.offered(), sum.failed()), (5, 2));
    assert_eq!(sum.average_us(1_000_000), Some((5_000 + 2_000_000) / 5));
    assert_eq!(Aggregate::default().average_us(1_000_000), None);
}
