//! The peers: each records the same request, in the way that its own documentation recommends.

mod by_hand;
pub mod canonlog;
pub mod errors;
mod fastrace;
pub mod futures;
mod limit;
pub mod messages;
mod metrique;
mod serde_struct;
mod slog;
mod tracing_event;
mod tracing_record;
pub mod wide_log;

pub use tracing_event::install as install_tracing;

use crate::workload::Input;

/// One way of recording a request.
pub trait Peer {
    /// Records one request, and hands its line to [`crate::workload::sink`].
    fn request(&mut self, input: &Input);
    /// Waits until what other threads do for this peer is done; timed apart.
    fn settle(&mut self) {}
}

/// What there is to know about a peer before it runs.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    /// What it is, and what the user does by hand with it.
    pub about: &'static str,
    pub make: fn() -> Box<dyn Peer>,
    /// Writes to a file in the background; only for two threads against one, in a process of its own.
    pub to_file: bool,
}

const fn peer(name: &'static str, about: &'static str, make: fn() -> Box<dyn Peer>) -> Entry {
    Entry { name, about, make, to_file: false }
}

impl Entry {
    pub fn named(name: &str) -> Option<Entry> {
        ALL.iter().copied().find(|entry| entry.name == name)
    }
}

/// In the order of the table.
pub const ALL: &[Entry] = &[
    peer("limit-noclock", "by hand, the clock stands still: formatting alone", limit::no_clock),
    peer("limit-tsc", "by hand, logfmt, rdtsc: the limit", limit::tsc),
    peer("limit-instant", "by hand, logfmt, Instant", limit::instant),
    peer("canonlog", "ambient, logfmt", canonlog::make),
    peer("canonlog-format", "its logfmt on a finished event: formatting alone", canonlog::format::make),
    peer("serde-json", "struct by hand, JSON", serde_struct::make),
    peer("slog", "one record, JSON; fields and sums by hand", slog::make),
    peer("metrique", "struct passed by hand, JSON", metrique::make),
    peer("tracing-event", "one event, JSON; fields and sums by hand", tracing_event::make),
    peer("wide-log", "ambient, JSON; sums by hand", wide_log::make),
    peer("fastrace", "8 spans, JSON; collected on another thread", fastrace::make),
    peer("tracing-record", "a span recorded into, JSON; sums by hand", tracing_record::make),
    Entry { name: "canonlog-file", about: "to a file, in the background", make: canonlog::to_file, to_file: true },
];
