//! The Redis wire protocol: requests in, replies out.
//!
//! A request is an array of byte strings or one line typed by a person; [`Decoder`] finds where the
//! arguments lie in the receive buffer and copies none of them. A reply is appended by [`Reply`] to
//! a byte buffer, in RESP2 or in RESP3 as the client chose with HELLO. What both need of Redis's
//! notion of a number is in [`numbers`] and [`long_double`].
//!
//! Nothing here knows a command or a socket. Texts, limits and number formats are those of
//! Redis 7.0.15.

mod ahead;
mod args;
mod decoder;
mod error;
mod float_format;
mod inline;
mod limits;
pub mod long_double;
pub mod numbers;
mod reply;

pub use ahead::{Ahead, Stopped};
pub use args::{Args, OwnedArgs};
pub use decoder::{Decoded, Decoder};
pub use error::ProtocolError;
pub use limits::Limits;
pub use reply::{Deferred, Protocol, Reply};
