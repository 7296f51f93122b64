//! What the tests share; and the pages of the book, as doctests.

pub mod book;
pub mod client;
pub mod faulty;
pub mod logfmt;
pub mod server;
