//! What a fork would leave in disorder: locks that threads hold which the child does not have.
//!
//! The thread that forks takes all locks of the process before, always in this order, and gives them back on both sides. So
//! the child finds everything whole. What outputs and the reporter have, a child makes anew ([`PerProcess`]).
//!
//! [`PerProcess`]: crate::output::PerProcess

use std::cell::RefCell;

use super::{panic, reporter, timed_out};
use crate::sys::fork::{self, Around};
use crate::trace::{names, site};
use crate::{clock, counters, db, features, monitor, record, registry};

/// All locks of the process, in the order in which they are taken. Who holds one of them takes only later ones.
struct Held {
    _starting: monitor::timeout::Held,
    _status: monitor::status::Held,
    #[cfg(feature = "tower")]
    waiting: monitor::enforce::Held,
    _watched: monitor::saturation::Held,
    _pipelines: super::Held,
    _features: features::Held,
    _record: record::Held,
    _known: site::Held,
    _names: names::Held,
    counters: counters::Held,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Has every fork leave the child in order.
pub(super) fn keep_forks_in_order() {
    fork::around(Around { before, in_parent, in_child });
}

fn before() {
    // A fork by an allocator that canonlog has called: its locks may be this thread's own.
    if record::current::is_busy() {
        return;
    }
    // What is made once is made now, or waited for: the child could wait for ever.
    clock::now();
    db::ready();
    reporter::ready();
    timed_out::ready();
    panic::install();
    let _ = HELD.try_with(|held| {
        let Ok(mut held) = held.try_borrow_mut() else { return };
        *held = Some(Held {
            _starting: monitor::timeout::hold(),
            _status: monitor::status::hold(),
            #[cfg(feature = "tower")]
            waiting: monitor::enforce::hold(),
            _watched: monitor::saturation::hold(),
            _pipelines: super::hold(),
            _features: features::hold(),
            _record: record::hold(),
            _known: site::hold(),
            _names: names::hold(),
            counters: counters::hold(),
        });
    });
}

fn take() -> Option<Held> {
    HELD.try_with(|held| held.try_borrow_mut().ok()?.take()).ok().flatten()
}

fn in_parent() {
    drop(take());
}

fn in_child() {
    let Some(held) = take() else { return };
    #[cfg(feature = "tower")]
    let held = {
        let mut held = held;
        held.waiting.forget_all();
        held
    };
    held.counters.keep_this_thread();
    record::alone();
    registry::begin_anew(clock::now());
}
