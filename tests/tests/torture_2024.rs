//! Bodies that are hard to rewrite, in edition 2024.
#![deny(warnings)]

#[path = "torture/functions.rs"]
mod functions;
