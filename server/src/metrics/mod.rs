//! Numbers for Prometheus: what the process counts anyway, copied when somebody asks.
//!
//! [`table`] names every metric once; [`Sample`] is what one scrape has read from the node;
//! [`Metrics`] turns it into text. Names begin with `bowshock_`, times are in seconds and sizes in
//! bytes, counters end in `_total` and never fall, also when CONFIG RESETSTAT begins anew.

mod export;
mod node;
mod sample;
pub mod table;
#[cfg(test)]
mod tests;
mod text;

pub use export::Metrics;
pub use sample::Sample;
