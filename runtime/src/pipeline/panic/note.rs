//! What a panic said, kept without the allocator: the newest of each thread, and the newest few inside records.
//!
//! ```text
//! hook ─┬─▶ the thread's note        for the record that this thread unwinds out of
//!       └─▶ one of the process's     for a record whose panic was caught, or came from another thread
//! ```

use std::cell::RefCell;
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::clock;
use crate::record::{Handle, current, log};
use crate::trace::errors::Frames;

const MESSAGE: usize = 1_024;
const FILE: usize = 256;
/// How many the process keeps.
const KEPT: usize = 16;

/// What a panic said.
#[derive(Clone, Copy)]
pub(crate) struct Note {
    /// The record that the thread was inside, if any.
    handle: Option<Handle>,
    /// When it was taken, in ticks.
    at: u64,
    message: Text<MESSAGE>,
    file: Text<FILE>,
    line: u32,
    /// The annotated functions that the thread was in.
    pub(crate) frames: Option<Frames>,
}

/// The beginning of a text.
#[derive(Clone, Copy)]
struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    const EMPTY: Self = Text { bytes: [0; N], len: 0 };

    fn set(&mut self, text: &str) {
        let text = log::cut(text, N);
        self.bytes[..text.len()].copy_from_slice(text.as_bytes());
        self.len = text.len();
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

impl Note {
    const EMPTY: Note = Note { handle: None, at: 0, message: Text::EMPTY, file: Text::EMPTY, line: 0, frames: None };

    fn set(&mut self, info: &PanicHookInfo<'_>, frames: Option<Frames>) {
        self.handle = current::handle();
        self.at = clock::now();
        let payload = info.payload();
        let message = payload.downcast_ref::<&str>().copied();
        let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        self.message.set(message.unwrap_or("the panic's payload is no text"));
        let location = info.location();
        self.file.set(location.map_or("", |location| location.file()));
        self.line = location.map_or(0, |location| location.line());
        self.frames = frames;
    }

    pub(crate) fn message(&self) -> &str {
        self.message.as_str()
    }

    /// Where it arose: `file:line`.
    pub(crate) fn place(&self) -> Option<impl fmt::Display + '_> {
        struct Place<'a>(&'a str, u32);
        impl fmt::Display for Place<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}", self.0, self.1)
            }
        }
        (self.line != 0).then(|| Place(self.file.as_str(), self.line))
    }

    /// Whether it is that of the panic which unwinds through the record from one inside it. One from before the record began
    /// is not: `resume_unwind` unwinds without the hook.
    fn unwinds_through(&self, handle: Handle) -> bool {
        let began = handle.started();
        std::thread::panicking() && began.is_some_and(|began| self.at >= began)
    }
}

thread_local! {
    static NEWEST: RefCell<Note> = const { RefCell::new(Note::EMPTY) };
}

struct Kept {
    notes: [Note; KEPT],
    next: usize,
}

/// Held only while a note is copied.
static NEWEST_OF_ALL: Mutex<Kept> = Mutex::new(Kept { notes: [Note::EMPTY; KEPT], next: 0 });

/// The notes of the process; none where somebody holds them for long: nobody waits for them in a panic.
fn newest_of_all() -> Option<MutexGuard<'static, Kept>> {
    let tries = (0..100).map(|_| match NEWEST_OF_ALL.try_lock() {
        Ok(kept) => Some(kept),
        Err(TryLockError::Poisoned(kept)) => Some(kept.into_inner()),
        Err(TryLockError::WouldBlock) => {
            std::thread::yield_now();
            None
        }
    });
    tries.flatten().next()
}

/// Takes a note of a panic that begins on this thread.
pub(super) fn take(info: &PanicHookInfo<'_>, frames: Option<Frames>) {
    let _ = NEWEST.try_with(|note| {
        let Ok(mut note) = note.try_borrow_mut() else { return };
        note.set(info, frames);
        if note.handle.is_some()
            && let Some(mut kept) = newest_of_all()
        {
            let next = kept.next;
            kept.notes[next] = *note;
            kept.next = (next + 1) % KEPT;
        }
    });
}

/// The note of the newest panic on this thread, inside a record or not.
pub(crate) fn newest() -> Option<Note> {
    let note = NEWEST.try_with(|note| note.try_borrow().ok().map(|note| *note));
    note.ok().flatten().filter(|note| note.line != 0)
}

/// Gives the note of the panic that unwinds out of a record on this thread, if there is one.
pub(super) fn of(handle: Handle, tell: impl FnOnce(Option<&Note>)) {
    // `resume_unwind` goes on with the panic of another thread: that is newer than one which this thread has caught.
    let caught = caught(handle);
    let mut tell = Some(tell);
    let _ = NEWEST.try_with(|note| {
        let Ok(note) = note.try_borrow() else { return };
        let is_newest = caught.as_ref().is_none_or(|caught| caught.at <= note.at);
        if is_newest
            && (note.handle == Some(handle) || note.unwinds_through(handle))
            && let Some(tell) = tell.take()
        {
            tell(Some(&note));
        }
    });
    if let Some(tell) = tell {
        tell(caught.as_ref());
    }
}

/// The note of the newest panic inside a record, on any thread.
pub(crate) fn caught(handle: Handle) -> Option<Note> {
    let kept = newest_of_all()?;
    let mut newest = (1..=KEPT).map(|back| &kept.notes[(kept.next + KEPT - back) % KEPT]);
    newest.find(|note| note.handle == Some(handle)).copied()
}
