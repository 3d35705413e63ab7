//! Compares Bowshock with a real redis-server, and breaks Bowshock on purpose.
//!
//! The intuition: Redis itself is the specification. Whatever a client can see of redis-server
//! 7.0.15 is asked of both servers and compared as bytes; nobody writes expectations by hand.
//!
//! Nothing here knows how Bowshock works inside: it is one more program that listens on a port.
//! Everything is blocking `std`; the crate has no dependencies, so it builds in seconds.

pub mod client;
pub mod differential;
pub mod generator;
pub mod random;
pub mod reply;
pub mod script;
pub mod server;
pub mod text;

/// The error of everything here: a text for a person. Tests print it, binaries exit with it.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;
