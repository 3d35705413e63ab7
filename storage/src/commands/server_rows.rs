//! Rows of the commands that run in the server: on a connection, or over the whole keyspace.
//!
//! Here stand the facts; the code is registered in the server by name. A command whose complexity
//! Redis does not document has an empty one.

mod admin;
mod client;
mod config;
mod connection;
mod insight;
mod keyspace;
mod pubsub;
mod transactions;

use super::Row;

/// All of them, by family.
pub const FAMILIES: &[&[Row]] = &[
    keyspace::ROWS,
    connection::ROWS,
    client::ROWS,
    pubsub::ROWS,
    transactions::ROWS,
    config::ROWS,
    admin::ROWS,
    insight::ROWS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{generic, object};
    use std::collections::HashMap;

    #[test]
    fn names_are_unique_and_every_subcommand_has_its_container() {
        let families = FAMILIES.iter().copied().chain([generic::ROWS, object::ROWS]);
        let mut arities = HashMap::new();
        for row in families.flatten() {
            assert_eq!(arities.insert(row.name, row.arity), None, "{} twice", row.name);
            assert!(!row.summary.is_empty() && row.arity != 0, "{}", row.name);
        }
        for name in arities.keys() {
            if let Some((container, _)) = name.split_once('|') {
                assert!(arities.contains_key(container), "{name}");
            }
        }
    }

    #[test]
    fn every_argument_that_must_be_there_is_in_the_syntax() {
        for row in FAMILIES.iter().copied().flatten() {
            let words = 1 + usize::from(row.name.contains('|'));
            if row.arity > 0 && row.arity.unsigned_abs() as usize == words {
                assert_eq!(row.syntax, "", "{}", row.name);
            }
            if row.keys.iter().any(|spec| spec.begin >= row.arity.unsigned_abs() as usize) {
                assert!(row.syntax.starts_with('['), "{}", row.name);
            }
        }
    }
}
