//! The same bodies as they were written: what they do with an attribute is what they do without.
#![cfg_attr(not(linted), allow(warnings, clippy::all))]

mod functions {
    include!(concat!(env!("OUT_DIR"), "/functions.rs"));
}
