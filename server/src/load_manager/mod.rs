//! The module clients talk to. On one node it admits and measures; routing is a function call.

pub mod measure;
