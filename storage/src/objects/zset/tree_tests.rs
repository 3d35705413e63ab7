//! The tree against a sorted vector.

use super::*;
use proptest::prelude::*;

/// Lengths, counts, first entries and the chain of leaves are what they should be.
fn check(tree: &Tree) {
    fn walk(tree: &Tree, node: u32, height: u32, leaves: &mut Vec<u32>) -> usize {
        if height == 0 {
            leaves.push(node);
            return tree.leaves[node as usize].len;
        }
        let inner = &tree.inners[node as usize];
        assert!(inner.len > 0);
        let mut sum = 0;
        for slot in 0..inner.len {
            let child = inner.children[slot];
            assert_eq!(tree.summary(child, height - 1).0, (inner.scores[slot], inner.ids[slot]));
            let count = walk(tree, child, height - 1, leaves);
            assert!(count > 0);
            assert_eq!(count, inner.counts[slot] as usize);
            sum += count;
        }
        sum
    }
    let mut leaves = Vec::new();
    assert_eq!(walk(tree, tree.root, tree.height, &mut leaves), tree.len());
    for (index, &leaf) in leaves.iter().enumerate() {
        let prev = index.checked_sub(1).map_or(NONE, |index| leaves[index]);
        let next = leaves.get(index + 1).copied().unwrap_or(NONE);
        let leaf = &tree.leaves[leaf as usize];
        assert_eq!((leaf.prev, leaf.next), (prev, next));
    }
    assert_eq!(leaves.len() + tree.free_leaves.len(), tree.leaves.len());
}

fn insert(tree: &mut Tree, (score, id): Entry) {
    tree.insert((score, id), |s, i| (s, i) < (score, id));
}

#[derive(Clone, Debug)]
enum Step {
    Insert { score: u16, count: u16, stride: i8 },
    Remove { at: u16, count: u16 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (any::<u16>(), 0u16..600, -2i8..3)
            .prop_map(|(score, count, stride)| Step::Insert { score, count, stride }),
        2 => (any::<u16>(), 0u16..900).prop_map(|(at, count)| Step::Remove { at, count }),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn behaves_like_a_sorted_vector(steps in steps(), probes in prop::collection::vec(any::<u16>(), 8)) {
        let mut tree = Tree::default();
        let mut model: Vec<Entry> = Vec::new();
        let mut id = 0;
        for step in steps {
            match step {
                Step::Insert { score, count, stride } => for n in 0..i64::from(count) {
                    let entry = ((i64::from(score) + n * i64::from(stride)) as f64, id);
                    id += 1;
                    insert(&mut tree, entry);
                    let at = model.partition_point(|known| *known < entry);
                    model.insert(at, entry);
                },
                Step::Remove { at, count } => for _ in 0..count.min(model.len() as u16) {
                    let at = usize::from(at) % model.len();
                    prop_assert_eq!(tree.remove_at(at), Some(model.remove(at)));
                },
            }
            check(&tree);
        }
        prop_assert_eq!(tree.range(0..usize::MAX).collect::<Vec<_>>(), model.clone());
        for probe in probes {
            let score = f64::from(probe);
            let rank = tree.rank(|s, _| s < score);
            prop_assert_eq!(rank, model.partition_point(|known| known.0 < score));
            let end = (rank + 300).min(model.len());
            let back: Vec<Entry> = tree.range(rank..rank + 300).rev().collect();
            prop_assert_eq!(back, model[rank..end].iter().rev().copied().collect::<Vec<_>>());
            let mut both = tree.range(rank..end);
            let mut expected = model[rank..end].iter().copied();
            while let Some(entry) = both.next() {
                prop_assert_eq!(Some(entry), expected.next());
                prop_assert_eq!(both.next_back(), expected.next_back());
            }
        }
    }
}

#[test]
fn sorted_input_fills_the_leaves_from_either_side_and_pops_empty_them() {
    for descending in [false, true] {
        let mut tree = Tree::default();
        for n in 0..100_000u32 {
            let n = if descending { 100_000 - n } else { n };
            insert(&mut tree, (f64::from(n), n));
        }
        check(&tree);
        assert!(tree.leaves.len() <= 100_000 / LEAF + 2, "{} leaves", tree.leaves.len());
        while tree.len() > 0 {
            let rank = if descending { tree.len() - 1 } else { 0 };
            let expected = tree.range(rank..rank + 1).next();
            assert_eq!(tree.remove_at(rank), expected);
        }
        check(&tree);
        assert_eq!((tree.height, tree.remove_at(0)), (0, None));
        assert_eq!(tree.free_leaves.len() + 1, tree.leaves.len());
    }
}
