//! Tests of what the macros expand to in a crate of edition 2021.
