//! Doctests of the book.

pub mod logfmt;
