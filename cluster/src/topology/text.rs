//! The compact text of a topology, for tests, logs and people, and its parser.
//!
//! ```text
//! N1 W s1 | N2 R s1 | N3 LM s1~:voter
//! ```
//!
//! is Mach III: N1 is Writer of shard s1, N2 its Replica, N3 Load Manager with its shadow, which
//! votes. A text is a list of items, divided by `|` or line ends; `#` begins a comment. What is
//! usual is left out, what is unusual is written, so nothing is lost: parsing what was printed gives
//! an equal topology.
//!
//! | item | its words, in this order | left out if |
//! |---|---|---|
//! | node | `N1` | |
//! | | `L3` its level | 1 |
//! | | `@eu-1a` its zone | unknown |
//! | | `j5` its place in the order of joining | its own number |
//! | | `r7` the request it answers | none |
//! | | `fenced` | not |
//! | | `LM` or `LM-draining` | off |
//! | | its part in each shard, see below | |
//! | shard | `s2 501-1000 e2 g3 of s1`: buckets, epoch, group, parent | the only one: all buckets; 1; its own number; none |
//! | operation | `o4 split s3 at 501 for reads on s1 syncing e2 N7 N8 r9`: what, on which shard, phase, epoch, nodes, requests | no shard; requested; the shard's, or the control epoch |
//! | cluster | `cluster B16 v12 e3 next N9 j9 s4 g4 o5`: buckets, version, control epoch, ids never used | 1000; 1; 1; above all that stand here |
//!
//! | part in a shard | | votes unless it says otherwise |
//! |---|---|---|
//! | `W s1` | Writer | yes |
//! | `WR s1` | Writer that serves reads too | yes |
//! | `R s1` | serves reads | yes |
//! | `F s1` | follows and serves nothing | no |
//! | `s1~` | shadow | no |
//! | `R s1~` | shadow that serves reads in a burst | no |
//!
//! After the shard comes `[501-1000]` if only that part is kept, then `:voter`, `:learner`,
//! `:incoming` or `:outgoing` if the vote is not the usual one, or `:none` for a shadow that is
//! assigned while its node is no member yet.
//!
//! What operations do: `grow`, `shrink`, `add-lm`, `remove-lm`, `level L3`, `split s3 at 501 for
//! reads` (the child and its first bucket), `merge s2`, `replace N4`, `revote`, `switch N2`.

mod parse;
mod words;
mod write;

#[cfg(test)]
mod tests;

pub use words::ParseError;
