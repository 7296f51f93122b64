//! The internal log: canonlog's own troubles, on stderr. Never through an emitter, which may be what fails.
//!
//! A source of trouble is heard at once, then at most once a second, with how often it was not; all of them together, at most 20 times a
//! second. Nobody waits for stderr.

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::scratch;
use crate::sys::fd;

/// How often one source is heard, and all of them.
const ONE: Duration = Duration::from_secs(1);
const ALL: u64 = 20;
/// So many sources are told apart; those beyond count as one.
const SOURCES: usize = 64;

/// Says what is said once anyway.
pub(crate) fn say(text: &str) {
    fd::complain(text);
}

/// Says what may come again and again; `source` is whose trouble it is, and `text` what it is.
pub(crate) fn say_of(source: &str, text: &str) {
    static HEARD: Mutex<Heard> = Mutex::new(Heard::new());
    /// What was not heard as another thread was speaking.
    static MISSED: AtomicU64 = AtomicU64::new(0);
    let mut heard = match HEARD.try_lock() {
        Ok(heard) => heard,
        Err(TryLockError::Poisoned(heard)) => PoisonError::into_inner(heard),
        // In the child of a fork it may be held for ever.
        Err(TryLockError::WouldBlock) => {
            MISSED.fetch_add(1, Relaxed);
            return;
        }
    };
    let Some(unheard) = heard.hear(source, Instant::now()) else { return };
    drop(heard);
    let unheard = unheard + MISSED.swap(0, Relaxed);
    let more = if unheard > 0 { format!(" (and {unheard} more troubles unheard before)") } else { String::new() };
    fd::complain(&format!("{source}: {text}{more}"));
}

/// What a panic says, cut short.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.map_or_else(|| "it panicked".to_owned(), |text| format!("it panicked: {}", crate::nearest::cut(text)))
}

/// Calls what users wrote, whose panic is none of the request's; with an error, what it says.
#[inline(always)]
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    scratch::guarded(call).map_err(|payload| {
        let text = panic_text(&*payload);
        // A payload whose own drop panics must not end the thread.
        let _ = scratch::guarded(|| drop(payload));
        text
    })
}

struct Source {
    name: String,
    last: Instant,
    unheard: u64,
}

/// Who was heard when.
struct Heard {
    sources: Vec<Source>,
    /// The second that is counted, and how many were heard in it.
    second: Option<Instant>,
    in_second: u64,
}

impl Heard {
    const fn new() -> Heard {
        Heard { sources: Vec::new(), second: None, in_second: 0 }
    }

    /// Whether the source may speak now: if so, how often it could not before.
    fn hear(&mut self, name: &str, now: Instant) -> Option<u64> {
        let name =
            if self.sources.len() < SOURCES || self.sources.iter().any(|known| known.name == name) { name } else { "" };
        if self.second.is_none_or(|begin| now.saturating_duration_since(begin) >= ONE) {
            (self.second, self.in_second) = (Some(now), 0);
        }
        let known = self.sources.iter_mut().find(|known| known.name == name);
        let Some(source) = known else {
            let speaks = self.in_second < ALL;
            self.sources.push(Source { name: name.to_owned(), last: now, unheard: u64::from(!speaks) });
            self.in_second += u64::from(speaks);
            return speaks.then_some(0);
        };
        if self.in_second >= ALL || now.saturating_duration_since(source.last) < ONE {
            source.unheard += 1;
            return None;
        }
        self.in_second += 1;
        source.last = now;
        Some(std::mem::take(&mut source.unheard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_heard_at_once_then_once_a_second_with_how_often_it_was_not() {
        let (mut heard, begin) = (Heard::new(), Instant::now());
        let at = |millis| begin + Duration::from_millis(millis);
        assert_eq!(heard.hear("a", at(0)), Some(0));
        assert_eq!([heard.hear("a", at(1)), heard.hear("a", at(999))], [None, None]);
        assert_eq!(heard.hear("b", at(999)), Some(0), "each source on its own");
        assert_eq!(heard.hear("a", at(1000)), Some(2));
        assert_eq!(heard.hear("a", at(2500)), Some(0));
    }

    #[test]
    fn all_sources_together_are_heard_so_often_and_never_more_of_them_kept_than_the_limit() {
        let (mut heard, begin) = (Heard::new(), Instant::now());
        let heard_of = |heard: &mut Heard, now| (0..500).filter(|n| heard.hear(&n.to_string(), now).is_some()).count();
        assert_eq!(heard_of(&mut heard, begin), 20);
        assert_eq!(heard_of(&mut heard, begin + ONE), 20);
        assert!(heard.sources.len() <= SOURCES + 1);
    }

    #[test]
    fn what_a_panic_says_stands_in_one_line() {
        let text = |payload: Box<dyn Any + Send>| panic_text(&*payload);
        assert_eq!(text(Box::new("a\nb")), "it panicked: a?b");
        assert_eq!(text(Box::new("long ".repeat(1_000))).len(), "it panicked: ".len() + 64);
        assert_eq!(text(Box::new(7)), "it panicked");
    }
}
