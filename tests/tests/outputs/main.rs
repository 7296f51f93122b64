//! Where lines go: files that rotate, servers that come and go, and what readers of each protocol make of it.

#![allow(clippy::print_stderr)] // what is skipped is said

mod files;
mod journal;
mod messages;
mod peers;
mod rsyslog;
mod sockets;
