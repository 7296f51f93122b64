//! The testbed as another program sees it: over sockets and its output, nothing else.

mod child;
mod echo;
mod process;
mod routes;
mod soak;
mod stopped;
