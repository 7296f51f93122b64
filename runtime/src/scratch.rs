//! Text made from a user's `Display`, with a limit, and without trust.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// How deep this thread is in code of the user's that canonlog guards: a panic there is no panic of the request.
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Runs code of the user's (a `Display`, an instrumenter, a filter) so that its panic stays here.
pub(crate) fn guarded<R>(run: impl FnOnce() -> R) -> std::thread::Result<R> {
    struct Deeper;
    impl Drop for Deeper {
        fn drop(&mut self) {
            GUARDED.set(GUARDED.get() - 1);
        }
    }
    GUARDED.set(GUARDED.get() + 1);
    let _deeper = Deeper;
    catch_unwind(AssertUnwindSafe(run))
}

/// Whether this thread is in guarded code.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get() > 0
}

/// Takes text up to a limit, then refuses.
pub(crate) struct Capped {
    pub(crate) text: String,
    pub(crate) limit: usize,
}

impl Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.limit - self.text.len();
        if text.len() <= room {
            self.text.push_str(text);
            return Ok(());
        }
        let cut = (0..=room).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        self.text.push_str(&text[..cut]);
        // The error ends a `Display` that would go on for ever.
        Err(fmt::Error)
    }
}

/// The longest text a single `Display` may make, in bytes.
pub(crate) const DISPLAY_LIMIT: usize = 64 * 1024;

/// The text of a value; empty where its `Display` panics before it writes.
pub(crate) fn display(value: &dyn fmt::Display) -> String {
    display_checked(value).0
}

/// The text of a value, and whether its `Display` came to its end.
pub(crate) fn display_checked(value: &dyn fmt::Display) -> (String, bool) {
    let mut capped = Capped { text: String::new(), limit: DISPLAY_LIMIT };
    // Nothing of the user's runs on a thread that unwinds: a second panic there could end the process.
    if std::thread::panicking() {
        return (capped.text, false);
    }
    let ended = guarded(|| write!(capped, "{value}"));
    (capped.text, matches!(ended, Ok(Ok(()))))
}
