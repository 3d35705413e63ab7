//! Nodes, roles, members, voters, Writers, sagas: what each change does and what it refuses.

use super::*;

const S1: ShardId = ShardId(1);

fn roles(load_manager: LoadManagerState, reads: &[u32], shadow: Option<u32>) -> Roles {
    let reads = reads.iter().map(|&s| ShardId(s)).collect();
    Roles { load_manager, reads, shadow: shadow.map(ShardId) }
}

#[test]
fn a_node_joins_without_a_role_under_a_number_never_used() {
    let mut t = topology("N1 LM WR s1 | o1 grow on s1 r5 | cluster next N4 j9");
    let joined = t.join(level(2), Zone::new("a").ok(), Some(RequestId(5)));
    assert_eq!(joined, NodeId(4));
    assert_eq!(t.node(joined).unwrap().joined, JoinOrder(9));
    assert_eq!(t.operation(OperationId(1)).unwrap().nodes, nodes(&[4]));
    assert_eq!(t.check(), Ok(()));
    t.leave(joined).unwrap();
    assert_eq!(t.join(level(1), None, None), NodeId(5), "ids do not come back");
}

#[test]
fn a_node_leaves_when_it_has_no_duty() {
    let leave = |text, node| after(text, |t| t.leave(NodeId(node)));
    let mach3 = "N1 W s1 | N2 R s1 | N3 LM s1~:voter";
    assert_eq!(leave(mach3, 1), "N1 still writes, votes or serves reads in s1");
    assert_eq!(leave(mach3, 3), "N3 still writes, votes or serves reads in s1");
    assert_eq!(leave("N1 WR s1 | N2 LM s1~", 2), "no node is Load Manager");
    let rest = "N1 WR s1 | N2 LM | cluster next N4 j4";
    assert_eq!(leave("N1 WR s1 | N2 LM | N3 LM s1~", 3), rest);
    assert_eq!(leave(mach3, 9), "N9 is not in the topology");
}

#[test]
fn roles_are_set_as_a_whole_and_move_the_epoch_with_the_readers() {
    let set = |text, node, roles: Roles| after(text, |t| t.set_roles(NodeId(node), &roles));
    let (on, off) = (LoadManagerState::On, LoadManagerState::Off);
    let mach2 = "N1 WR s1 | N2 LM s1~ | N3";
    // The first step of a rotation: clients go to N3, its shadow is assigned. Routing is as before.
    assert_eq!(set(mach2, 3, roles(on, &[], Some(1))), "N1 WR s1 | N2 LM s1~ | N3 LM s1~:none");
    // The second: N2's shadow serves. Now routing is another one.
    assert_eq!(
        set("N1 WR s1 | N2 LM s1~ | N3 LM s1~", 2, roles(LoadManagerState::Draining, &[1], None)),
        "N1 WR s1 | N2 LM-draining R s1:learner | N3 LM s1~ | s1 e2"
    );
    assert_eq!(set(mach2, 2, roles(off, &[], None)), "no node is Load Manager");
    assert_eq!(set(mach2, 3, roles(off, &[1], None)), "N3 is no member of s1");
    assert_eq!(set(mach2, 3, roles(off, &[7], None)), "s7 is not in the topology");
    assert_eq!(set(mach2, 1, roles(on, &[], None)), "nobody serves the reads of s1");
    assert_eq!(
        set(mach2, 1, roles(on, &[1], Some(1))),
        "N1 is Writer of s1 and cannot hold its shadow"
    );
    assert_eq!(
        set(mach2, 3, roles(off, &[], Some(1))),
        "N3 holds the shadow of s1 but its Load Manager is off"
    );
    let fenced = "N1 WR s1 | N2 LM s1~ | N3 fenced";
    assert_eq!(set(fenced, 3, roles(on, &[], None)), "N3 is fenced and cannot take a role");
}

#[test]
fn copies_begin_as_learners_and_end_idle() {
    let mach2 = "N1 WR s1 | N2 LM s1~:none";
    let attach = |node, part| after(mach2, move |t| t.attach(S1, NodeId(node), part));
    let part = BucketRange::new(501, 1000).ok();
    assert_eq!(attach(2, None), "N1 WR s1 | N2 LM s1~");
    assert_eq!(attach(2, part), "N1 WR s1 | N2 LM s1~[501-1000]");
    assert_eq!(attach(3, None), "N3 is not in the topology");
    assert_eq!(
        attach(1, part),
        "N1 keeps only 501-1000 of s1: it can neither vote nor serve reads"
    );
    let detach = |text, node| after(text, move |t| t.detach(S1, NodeId(node)));
    assert_eq!(detach("N1 WR s1 | N2 LM F s1", 2), "N1 WR s1 | N2 LM");
    assert_eq!(detach("N1 WR s1 | N2 LM F s1", 1), "N1 still writes, votes or serves reads in s1");
    assert_eq!(detach("N1 WR s1 | N2 LM", 2), "N2 is no member of s1");
}

#[test]
fn voters_change_in_one_joint_step() {
    let mach3 = "N1 W s1 | N2 R s1:learner | N3 LM s1~";
    let begin = |text, ids: &'static [u64]| after(text, move |t| t.begin_voters(S1, &nodes(ids)));
    let joint = "N1 W s1 | N2 R s1:incoming | N3 LM s1~:incoming";
    assert_eq!(begin(mach3, &[1, 2, 3]), joint);
    assert_eq!(after(joint, |t| t.finish_voters(S1)), "N1 W s1 | N2 R s1 | N3 LM s1~:voter");
    assert_eq!(begin(joint, &[1]), "s1 has a change of voters in flight");
    assert_eq!(begin(mach3, &[1, 2]), "s1 has 2 voters: their number is odd");
    assert_eq!(begin(mach3, &[2]), "N1 is Writer of s1 and does not vote in it");
    assert_eq!(begin(mach3, &[1, 2, 4]), "N4 is not in the topology");
    assert_eq!(begin("N1 LM WR s1 | N2 | N3", &[1, 2, 3]), "N2 is no member of s1");
    let fenced = "N1 W s1 | N2 R s1:learner | N3 fenced F s1 | N4 LM";
    assert_eq!(begin(fenced, &[1, 2, 3]), "N3 is fenced and cannot take a role");
}

#[test]
fn a_voter_becomes_writer_and_leaves_its_shadow() {
    let mach3 = "N1 W s1 | N2 R s1 | N3 LM s1~:voter";
    let write = |text, node| after(text, move |t| t.set_writer(S1, NodeId(node)));
    assert_eq!(write(mach3, 2), "N1 F s1:voter | N2 WR s1 | N3 LM s1~:voter | s1 e2");
    assert_eq!(write(mach3, 3), "N1 F s1:voter | N2 R s1 | N3 LM W s1 | s1 e2");
    assert_eq!(write("N1 WR s1 | N2 LM s1~", 2), "N2 is Writer of s1 and does not vote in it");
    assert_eq!(write("N1 WR s1 | N2 LM s1~:none", 2), "N2 is no member of s1");
}

#[test]
fn taking_over_needs_every_voter_fenced() {
    let take = |text| after(text, |t| t.take_over(S1, NodeId(2)));
    assert_eq!(take("N1 WR s1 | N2 LM s1~"), "N1 votes in s1 and is not fenced");
    assert_eq!(take("N1 fenced WR s1 | N2 LM s1~"), "N1 fenced F s1 | N2 LM WR s1 | s1 e2");
    assert_eq!(take("N1 fenced WR s1 | N2 LM s1~:none"), "N2 is no member of s1");
    // One of three that may live is one too many.
    let mach3 = "N1 fenced W s1 | N2 R s1 | N3 LM s1~:voter";
    assert_eq!(take(mach3), "N2 votes in s1 and is not fenced");
}

#[test]
fn sagas_advance_and_are_cancelled_only_before_they_are_committed() {
    let id = OperationId(1);
    let grow = "N1 LM WR s1 | o1 grow on s1 syncing";
    let advance = |phase| after(grow, move |t| t.advance(id, phase));
    assert_eq!(advance(Phase::Committed), "N1 LM WR s1 | o1 grow on s1 committed");
    assert_eq!(advance(Phase::Joined), "o1 would go back to an earlier phase");
    let cancel = |text| after(text, move |t| t.cancel(id).map(drop));
    assert_eq!(cancel(grow), "N1 LM WR s1 | cluster next o2");
    assert_eq!(
        cancel("N1 LM WR s1 | o1 grow on s1 committed"),
        "o1 is past the point where it can be cancelled"
    );
    let begin = |number, kind: OperationKind| {
        let operation = Operation::begin(OperationId(number), kind, Some(S1), Epoch(1));
        after("N1 LM WR s1 | o1 grow on s1", |t| t.begin(operation))
    };
    assert_eq!(begin(2, OperationKind::Shrink), "s1 is busy: o1 is in flight on it");
    assert_eq!(begin(1, OperationKind::Revote), "o1 was used before");
    assert_eq!(begin(2, OperationKind::Revote), "N1 LM WR s1 | o1 grow on s1 | o2 revote on s1");
}

#[test]
fn the_control_epoch_only_grows() {
    let raise = |epoch| after("N1 LM WR s1 | cluster e3", move |t| t.raise_epoch(Epoch(epoch)));
    assert_eq!(raise(4), "N1 LM WR s1 | cluster e4");
    assert_eq!(raise(3), "control epoch e3 is not above e3");
}
