//! What a panic says, noted where it starts.
//!
//! The hook runs on the panicking thread before it unwinds: it may not allocate under a lock of the application's, nor format
//! anything of the user's. It copies message and place into a buffer of the thread's own, then calls the hook that was
//! there before. Whoever owns the record takes the note when the panic leaves it.

use std::cell::RefCell;
use std::fmt;
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock;
use crate::output::{Inside, is_inside};
use crate::record::keys::builtin;
use crate::record::log::By;
use crate::record::{Handle, current};
use crate::scratch::is_guarded;
use crate::trace::site;
use crate::value::Value;

pub(crate) use crate::scratch::guarded;

const MESSAGE: usize = 1_024;
const FILE: usize = 256;
/// Bytes of a place: of a file, a line and a function.
const PLACE: usize = 1_024;

struct Note {
    /// The record that the thread was inside, if any.
    handle: Option<Handle>,
    /// When it was taken, in ticks.
    at: u64,
    message: [u8; MESSAGE],
    message_len: usize,
    file: [u8; FILE],
    file_len: usize,
    line: u32,
}

thread_local! {
    static NOTE: RefCell<Note> = const {
        RefCell::new(Note {
            handle: None,
            at: 0,
            message: [0; MESSAGE],
            message_len: 0,
            file: [0; FILE],
            file_len: 0,
            line: 0,
        })
    };
}

/// This thread is in code of the user's that is called for an event: what that emits is dropped and counted.
pub(crate) fn calling() -> Option<Inside> {
    Inside::enter()
}

/// Copies the beginning of a text that fits.
fn copy(text: &str, into: &mut [u8]) -> usize {
    let text = crate::record::log::cut(text, into.len());
    into[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// Puts the hook before the one that is there; once.
#[inline]
pub(crate) fn install() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if !INSTALLED.load(Ordering::Acquire) {
        install_now();
        INSTALLED.store(true, Ordering::Release);
    }
}

#[cold]
fn install_now() {
    static ONCE: Once = Once::new();
    // `take_hook` panics on a thread that panics: there, the next record tries again.
    if std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // Formats, filters and outputs are guarded too. Where nothing unwinds, nothing is guarded: a `Display` that panics
            // ends the request and the process.
            let aborts = cfg!(panic = "abort");
            let guarded = (is_guarded() && !aborts) || is_inside();
            if !guarded {
                note(info);
            }
            before(info);
            if aborts {
                super::end::before_abort(guarded);
            }
        }));
    });
}

fn note(info: &std::panic::PanicHookInfo<'_>) {
    let _ = NOTE.try_with(|note| {
        let Ok(mut note) = note.try_borrow_mut() else { return };
        let note = &mut *note;
        note.handle = current::handle();
        note.at = clock::now();
        let payload = info.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        note.message_len = copy(message.unwrap_or("the panic's payload is no text"), &mut note.message);
        (note.file_len, note.line) = match info.location() {
            Some(location) => (copy(location.file(), &mut note.file), location.line()),
            None => (0, 0),
        };
    });
}

/// Whether the note is that of the panic which unwinds through the record from one inside it. One from before the record began
/// is not: `resume_unwind` unwinds without the hook.
fn is_of_this_panic(note: &Note, handle: Handle) -> bool {
    let began = handle.started();
    std::thread::panicking() && began.is_some_and(|began| note.at >= began)
}

/// A text made without the allocator, as far as there is room for it.
fn made<'a>(text: fmt::Arguments<'_>, room: &'a mut [u8]) -> &'a str {
    let mut rest = &mut *room;
    let _ = rest.write_fmt(text);
    let left = rest.len();
    let made = &room[..room.len() - left];
    match str::from_utf8(made) {
        Ok(text) => text,
        Err(error) => str::from_utf8(&made[..error.valid_up_to()]).unwrap_or_default(),
    }
}

/// Writes the thread's last panic into the record that it unwinds out of: type, message, place, `exc_panic`.
pub(crate) fn record(handle: Handle) {
    let _ = NOTE.try_with(|note| {
        let Ok(note) = note.try_borrow() else { return };
        let known = note.handle == Some(handle) || is_of_this_panic(&note, handle);
        let message = if known { str::from_utf8(&note.message[..note.message_len]).unwrap_or_default() } else { "" };
        let (mut handler, mut place) = ([0_u8; PLACE], [0_u8; PLACE]);
        let place = match note.line {
            0 => "",
            _ if !known => "",
            line => {
                let file = str::from_utf8(&note.file[..note.file_len]).unwrap_or_default();
                made(format_args!("{file}:{line}"), &mut place)
            }
        };
        // The outermost function is known, the one that panicked is not: the place has a file and a line.
        let site = handle.slot().and_then(|slot| site::of(slot.site()));
        let handler = site.map_or(place, |fun| made(format_args!("{}", fun.at(fun.line())), &mut handler));
        if handle.is_slotless() {
            handle.write_slotless(|unit| {
                unit.set(builtin::EXC_TYPE, Value::Str("panic"));
                unit.set(builtin::EXC_MSG, Value::Str(message));
                unit.set(builtin::EXC_CAUSE_LOC, Value::Str(place));
                unit.set(builtin::EXC_PANIC, Value::Bool(true));
            });
            return;
        }
        current::write(handle, |body, writer| {
            body.set(By::Id(builtin::EXC_TYPE), Value::Str("panic"), writer);
            body.set(By::Id(builtin::EXC_MSG), Value::Str(message), writer);
            for (id, place) in [(builtin::EXC_LOC, handler), (builtin::EXC_CAUSE_LOC, place)] {
                if !place.is_empty() {
                    body.set(By::Id(id), Value::Str(place), writer);
                }
            }
            body.set(By::Id(builtin::EXC_PANIC), Value::Bool(true), writer);
        });
    });
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use crate::event::OwnedEvent;
    use crate::value::Value;
    use crate::{Context, Kind, begin, testing};

    const SOON: std::time::Duration = std::time::Duration::from_secs(20);

    fn text(event: &OwnedEvent, name: &str) -> String {
        event.view().get(name).map(|value| value.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_panic_of_a_job_that_leaves_its_request_is_told_by_both() {
        let capture = testing::capture();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            begin(Kind::Request).enter(|| begin(Kind::Job).enter(|| panic!("of the job")))
        }));
        for event in capture.wait_for(2, SOON) {
            assert_eq!(text(&event, "exc_msg"), "of the job", "{}", event.view().kind());
            assert!(text(&event, "exc_loc").contains("panic.rs:"), "{}", event.view().kind());
        }
    }

    #[test]
    fn a_panic_from_before_the_record_is_not_taken_for_one_that_the_hook_did_not_see() {
        let capture = testing::capture();
        let _ = catch_unwind(|| panic!("long ago"));
        let _ = catch_unwind(AssertUnwindSafe(|| begin(Kind::Request).enter(|| resume_unwind(Box::new("now")))));
        let event = capture.wait_for(1, SOON).remove(0);
        assert_eq!((text(&event, "exc_msg").as_str(), text(&event, "exc_loc").as_str()), ("", ""));
    }

    #[test]
    fn a_display_that_panics_is_no_panic_of_the_request() {
        struct Broken;
        impl fmt::Display for Broken {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("of the display")
            }
        }
        let capture = testing::capture();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            begin(Kind::Request).enter(|| {
                let _ = catch_unwind(|| panic!("of the request"));
                Context::set("broken", crate::display(Broken));
                resume_unwind(Box::new("of the request"))
            })
        }));
        let event = capture.wait_for(1, SOON).remove(0);
        assert_eq!(event.view().get("exc_msg"), Some(Value::Str("of the request")));
    }
}
