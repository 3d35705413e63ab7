//! How much a client may ask of the decoder before it is refused.
//!
//! A length announced on the wire is a promise, not a fact: it is compared with these limits, and
//! memory is taken only for bytes that have come.

/// Most arguments before authentication.
pub(crate) const UNAUTHENTICATED_ARGS_MAX: usize = 10;
/// Longest argument before authentication, in bytes.
pub(crate) const UNAUTHENTICATED_BULK_LEN_MAX: usize = 16_384;

/// The limits of one connection. They may differ from call to call, as after AUTH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest argument in bytes (`proto-max-bulk-len`).
    pub bulk_len_max: usize,
    /// Longest inline request, and longest length line, in bytes without the line's end.
    pub inline_len_max: usize,
    /// Most arguments of one command.
    pub args_max: usize,
    /// The client has yet to authenticate: at most 10 arguments of at most 16,384 bytes.
    pub unauthenticated: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bulk_len_max: 512 << 20,
            inline_len_max: 64 << 10,
            args_max: 2_147_483_647,
            unauthenticated: false,
        }
    }
}
