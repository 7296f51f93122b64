//! A thread on which canonlog itself is at work: it is in no record.
//!
//! An allocator of the program's may record what is allocated. Where canonlog allocates under a lock, or between two halves of a
//! write, that must not come back to it.

use super::{HERE, How, Inside, NO_ERRORS, OUTSIDE, inside};
use crate::record::Handle;
use crate::record::errors::Errors;
use crate::record::slot::{Body, Head};

/// Canonlog is at work on this thread, with a lock or half of a log in its hands, until this is dropped. An allocator of the
/// program's that records finds no record meanwhile: what it writes counts as outside. So the usual write need not ask.
#[must_use = "it ends when it is dropped"]
pub(crate) struct Busy {
    before: Inside,
    log: Option<(&'static Head, &'static Body)>,
    open: u64,
    busy: bool,
    errors: &'static Errors,
}

pub(crate) fn busy() -> Busy {
    let before = inside();
    HERE.with(|here| {
        let (log, open, busy) = (here.log.take(), here.open.take(), here.busy.replace(true));
        let busy = Busy { before, log, open, busy, errors: here.errors.replace(&NO_ERRORS) };
        here.handle.set(Handle::NONE);
        here.how.set(How::Outside);
        here.top.set(OUTSIDE.top);
        busy
    })
}

impl Drop for Busy {
    fn drop(&mut self) {
        HERE.with(|here| {
            here.log.set(self.log);
            here.open.set(self.open);
            here.handle.set(self.before.handle);
            here.how.set(self.before.how);
            here.cpu.set(self.before.cpu);
            here.began.set(self.before.began);
            here.top.set(self.before.top);
            here.busy.set(self.busy);
            here.errors.set(self.errors);
        });
    }
}

/// Whether canonlog is at work on this thread, and an allocator of the program's has called it.
pub(crate) fn is_busy() -> bool {
    HERE.with(|here| here.busy.get())
}
