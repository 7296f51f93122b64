//! Bodies that are hard to rewrite, in edition 2024.
#![deny(warnings)]
#![allow(clippy::all)] // they are as odd as can be; what clippy says of them is compared in edition 2021

#[path = "torture/functions.rs"]
mod functions;
