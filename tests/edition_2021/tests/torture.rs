//! Bodies that are hard to rewrite, in edition 2021.
#![cfg_attr(not(linted), deny(warnings), allow(clippy::all))]

#[path = "../../tests/torture/functions.rs"]
mod functions;
