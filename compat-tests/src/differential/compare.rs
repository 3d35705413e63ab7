//! Whether two replies say the same.

use super::Kinds;
use crate::generator::Kind;
use crate::reply::Reply;

/// The commands that one connection has queued since MULTI, as the replies tell.
#[derive(Debug, Default)]
pub(crate) struct Queued(Kinds);

impl Queued {
    /// Follows the connection's state; returns the kinds of EXEC's replies when this is an EXEC
    /// that was answered with an array.
    pub(crate) fn next(&mut self, args: &[Vec<u8>], kind: Kind, redis: &Reply) -> Option<Kinds> {
        let is =
            |name: &str| args.first().is_some_and(|arg| arg.eq_ignore_ascii_case(name.as_bytes()));
        if *redis == Reply::Simple(b"QUEUED".to_vec()) {
            self.0.push(kind);
            return None;
        }
        // An EXEC with arguments has ended a transaction too, with an error.
        if is("MULTI") && *redis == Reply::Simple(b"OK".to_vec()) {
            self.0.clear();
        }
        let ended = args.len() == 1 && (is("EXEC") || is("DISCARD"));
        let kinds = ended.then(|| std::mem::take(&mut self.0))?;
        matches!(redis, Reply::Array(_)).then_some(kinds)
    }
}

/// Compares the replies of one command.
pub(crate) fn agree(kind: Kind, redis: &Reply, sut: &Reply) -> bool {
    if redis == sut {
        return true;
    }
    match (kind, redis, sut) {
        (Kind::Sorted(group), Reply::Array(_), Reply::Array(_)) => {
            let (mut redis, mut sut) = (redis.clone(), sut.clone());
            redis.sort(group);
            sut.sort(group);
            redis == sut
        }
        (Kind::Close(tolerance), Reply::Integer(redis), Reply::Integer(sut)) => {
            // Negative replies are codes, not times.
            *redis >= 0 && *sut >= 0 && redis.abs_diff(*sut) <= tolerance.unsigned_abs()
        }
        (Kind::Shape, Reply::Integer(redis), Reply::Integer(sut)) => *redis > 0 && *sut > 0,
        _ => false,
    }
}

/// Compares the replies of EXEC, each as its command wants.
pub(crate) fn agree_exec(kinds: &[Kind], redis: &Reply, sut: &Reply) -> bool {
    match (redis.elements(), sut.elements()) {
        (Some(redis), Some(sut)) => {
            redis.len() == sut.len()
                && kinds.len() == redis.len()
                && kinds
                    .iter()
                    .zip(redis)
                    .zip(sut)
                    .all(|((kind, redis), sut)| agree(*kind, redis, sut))
        }
        _ => redis == sut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_not_close_to_times() {
        let check = |a, b| agree(Kind::Close(2), &Reply::Integer(a), &Reply::Integer(b));
        assert!(check(5, 7));
        assert!(!check(5, 8));
        assert!(!check(-1, 0));
        assert!(!check(-1, -2));
    }

    #[test]
    fn pairs_are_sorted_as_pairs() {
        let array = |words: &[&str]| {
            Reply::Array(words.iter().map(|word| Reply::Bulk(word.as_bytes().to_vec())).collect())
        };
        let (one, other) = (array(&["a", "1", "b", "2"]), array(&["b", "2", "a", "1"]));
        assert!(agree(Kind::Sorted(2), &one, &other));
        assert!(!agree(Kind::Sorted(2), &one, &array(&["a", "2", "b", "1"])));
        assert!(!agree(Kind::Exact, &one, &other));
    }
}
