//! Placeholder while the type is written.
