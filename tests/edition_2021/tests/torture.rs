//! Bodies that are hard to rewrite, in edition 2021.
#![deny(warnings)]

#[path = "../../tests/torture/functions.rs"]
mod functions;
