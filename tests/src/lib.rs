//! What the tests share; and doctests of the book.

pub mod client;
pub mod faulty;
pub mod logfmt;
pub mod server;
