//! What the tests share; and the pages of the book, as doctests.

pub mod book;
pub mod client;
pub mod faulty;
#[cfg(unix)]
pub mod fork;
pub mod logfmt;
pub mod marked;
pub mod numbered;
pub mod program;
pub mod rfc5424;
pub mod server;
pub mod unit;
