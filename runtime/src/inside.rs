//! Whether this thread is inside canonlog already: in a format, a filter or an output.
//!
//! An event made there would come back to where it is made. It is dropped and counted as `reentrant`.

use std::cell::Cell;

thread_local! {
    /// Without a destructor, so that it can be read until the thread's end.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// This thread is inside canonlog until this is dropped.
#[derive(Debug)]
pub(crate) struct Inside(());

impl Inside {
    /// Enters; none if the thread is inside already.
    #[inline]
    pub(crate) fn enter() -> Option<Inside> {
        // Not `then_some`: a second `Inside` that is made only to be dropped would end the first.
        (!INSIDE.replace(true)).then(|| Inside(()))
    }
}

impl Drop for Inside {
    #[inline]
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}

/// Whether this thread is inside.
pub(crate) fn is_inside() -> bool {
    INSIDE.get()
}
