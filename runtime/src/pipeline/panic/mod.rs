//! What a panic says, noted where it starts.
//!
//! The hook runs on the panicking thread before it unwinds: it may not allocate under a lock of the application's, nor format
//! anything of the user's. It copies message and place into a buffer of the thread's own, then calls the hook that was
//! there before. Whoever owns the record takes the note when the panic leaves it.

mod note;

use std::fmt;
use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use self::note::newest;
pub(super) use self::note::{Note, caught};
use crate::inside::is_inside;
use crate::record::keys::builtin;
use crate::record::log::By;
use crate::record::{Handle, current};
use crate::scratch::is_guarded;
use crate::trace::{errors, site};
use crate::value::Value;

/// Bytes of a place: of a file, a line and a function.
const PLACE: usize = 1_024;

static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Puts the hook before the one that is there; once.
#[inline]
pub(crate) fn install() {
    if !INSTALLED.load(Ordering::Acquire) {
        install_now();
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
    INSTALLED.store(true, Ordering::Release);
}

fn note(info: &PanicHookInfo<'_>) {
    let frame = errors::panicked();
    note::take(info, frame);
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

/// Writes the panic into the record that it unwinds out of: type, message, places, `exc_panic`.
pub(crate) fn record(handle: Handle) {
    note::of(handle, |note| write(handle, note));
}

fn write(handle: Handle, note: Option<&Note>) {
    let (mut outermost, mut innermost, mut room) = ([0_u8; PLACE], [0_u8; PLACE], [0_u8; PLACE]);
    let message = note.map_or("", Note::message);
    let place = note.and_then(Note::place).map_or("", |place| made(format_args!("{place}"), &mut room));
    // Without frames, the function that gave the record its name, and the place of the panic.
    let handler = handle.slot().and_then(|slot| site::of(slot.site())).map(|fun| fun.at(fun.line()));
    let frames = note.and_then(|note| note.frames);
    let outer = frames.and_then(|frames| frames.outermost.at()).or(handler);
    let outer = outer.map_or(place, |at| made(format_args!("{at}"), &mut outermost));
    let inner = frames.and_then(|frames| frames.innermost.at());
    let inner = inner.map_or(place, |at| made(format_args!("{at}"), &mut innermost));
    let fields = [
        (builtin::EXC_TYPE, Value::Str("panic")),
        (builtin::EXC_MSG, Value::Str(message)),
        (builtin::EXC_LOC, Value::Str(outer)),
        (builtin::EXC_CAUSE_LOC, Value::Str(inner)),
        (builtin::EXC_PANIC, Value::Bool(true)),
        (builtin::EXC_PANIC_LOC, Value::Str(place)),
    ];
    let known = fields.iter().filter(|(id, value)| *id == builtin::EXC_MSG || *value != Value::Str(""));
    if handle.is_slotless() {
        handle.write_slotless(|unit| known.clone().for_each(|(id, value)| unit.set(*id, *value)));
    } else {
        current::write(handle, |body, writer| {
            known.clone().for_each(|(id, value)| {
                body.set(By::Id(*id), *value, writer);
            });
        });
    }
}

#[cfg(test)]
mod tests;
