//! Doctests of the book.

pub mod faulty;
pub mod logfmt;
