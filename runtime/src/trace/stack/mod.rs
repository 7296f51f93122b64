//! The physical stack of a thread that is stuck inside a request: where it is, also in code without annotations.
//!
//! ```text
//! sys::stack ──▶ Copy ──▶ unwind ──▶ addresses ──▶ symbols ──▶ places ──▶ outermost and innermost of the application
//!                            ▲                        ▲
//!                 modules (what is mapped)     the program's own file
//! ```
//!
//! The monitor's thread copies; another one does the rest.

mod modules;
mod names;
mod prologue;
#[cfg(test)]
mod stress;
mod symbols;
mod unwind;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use self::names::Whose;
use self::symbols::{Place, Symbols};
use self::unwind::{Calls, Unwinder};
use super::stuck::{CALLED_BY, Located};
use super::thread::{Doing, doing};
use crate::counters::Visit;
use crate::sys::stack::{self, Copy};

/// A thread that falls asleep or wakes up meanwhile is tried again.
const TRIES: usize = 3;
/// Calls that are printed.
const PRINTED: usize = 24;

/// The stack of a thread, as it was inside a request.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    copy: Copy,
    /// What runs inside the request lies below.
    frame: usize,
}

thread_local! {
    /// Kept by the thread that puts stacks into words.
    static KNOWN: RefCell<Option<(Unwinder, Symbols)>> = const { RefCell::new(None) };
}

fn with_known<R>(with: impl FnOnce(&mut Unwinder, &mut Symbols) -> R) -> Option<R> {
    let with = |known: &RefCell<Option<(Unwinder, Symbols)>>| {
        let mut known = known.try_borrow_mut().ok()?;
        let (unwinder, symbols) = known.get_or_insert_with(|| (Unwinder::new(), Symbols::default()));
        unwinder.refresh();
        Some(with(unwinder, symbols))
    };
    // Debug information is what a compiler wrote: if reading it fails in a way that its reader did not expect, the event is written
    // all the same.
    let found = catch_unwind(AssertUnwindSafe(|| KNOWN.try_with(with).ok().flatten()));
    found.unwrap_or_else(|_| {
        KNOWN.take();
        None
    })
}

/// Copies a thread's stack; what it is doing was just found out. It is there for as long as it is inside its record.
fn copy(visit: &Visit, mut now: Option<Doing>, until: Instant, is_inside: impl Fn() -> bool) -> Option<Copy> {
    let (tid, bounds) = (visit.tid, visit.stack);
    for _ in 0..TRIES {
        let copy = match now.filter(|_| is_inside() && Instant::now() < until)? {
            Doing::Running => {
                let copy = stack::copy_running(tid, bounds, until, || doing(tid) == Some(Doing::Running));
                now = doing(tid);
                // One that runs and does not answer is not asked again.
                if now == Some(Doing::Running) {
                    return copy;
                }
                copy
            }
            Doing::Asleep(Some((sp, ip))) => {
                let copy = stack::copy_asleep(sp, ip);
                let before = std::mem::replace(&mut now, doing(tid));
                copy.filter(|_| now == before)
            }
            Doing::Asleep(None) => return None,
        };
        if copy.is_some() {
            return copy;
        }
    }
    None
}

/// The stack of a thread that is inside a request, all the while.
pub(crate) fn capture(visit: &Visit, doing: Doing, until: Instant, is_inside: impl Fn() -> bool) -> Option<Captured> {
    let copy = copy(visit, Some(doing), until, &is_inside)?;
    is_inside().then_some(Captured { copy, frame: visit.frame })
}

impl Captured {
    /// Where the thread was; `None` if the program's file tells nothing.
    pub(crate) fn locate(&self) -> Option<Located> {
        with_known(|unwinder, symbols| {
            let calls = unwinder.unwind(&self.copy);
            let places = inside(&calls, self.frame as u64, |address| symbols.places(address, unwinder).to_vec());
            choose(&places)
        })?
    }
}

/// The places inside the request, innermost first. Its owner's frame is the first that ends above `frame`; of what the compiler has
/// merged into it, all up to canonlog's own code is inside.
fn inside(calls: &Calls, frame: u64, mut places: impl FnMut(u64) -> Vec<Place>) -> Vec<Place> {
    let mut found = Vec::new();
    for call in &calls.calls {
        let here = places(call.address);
        if frame == 0 || call.end <= frame {
            found.extend(here);
            continue;
        }
        let ours = here.iter().position(|place| place.whose == Whose::Canonlog).unwrap_or(0);
        found.extend(here.into_iter().take(ours));
        break;
    }
    found
}

fn choose(places: &[Place]) -> Option<Located> {
    let is_ours = |place: &&Place| place.whose == Whose::Application;
    let mut places: Vec<&Place> = places.iter().filter(|place| place.whose != Whose::Canonlog).collect();
    // An annotated function stands on the stack twice, around canonlog: its body, and what the attribute has made of it.
    places.dedup_by(|outer, inner| outer.function == inner.function && is_ours(outer));
    let outermost = places.iter().rposition(is_ours);
    places.truncate(outermost.map_or(places.len(), |outermost| outermost + 1));
    let loc = places.last()?.text.clone();
    let cause_loc = places.iter().copied().find(is_ours).unwrap_or(places[0]).text.clone();
    let stack: Vec<&str> = places.iter().take(PRINTED).map(|place| place.text.as_str()).collect();
    Some(Located { loc, cause_loc, is_application: outermost.is_some(), stack: stack.join(CALLED_BY) })
}

#[cfg(test)]
mod tests {
    use self::unwind::Call;
    use super::*;

    fn place(text: &str, whose: Whose) -> Place {
        Place { text: text.to_owned(), function: text.to_owned(), whose }
    }

    #[test]
    fn what_is_below_the_owner_of_the_request_is_inside() {
        use Whose::{Application, Canonlog, Library};
        let calls = [(1, 100), (2, 200), (3, 300), (4, 400)].map(|(address, end)| Call { address, end }).to_vec();
        let calls = Calls { calls, complete: true };
        let places = |address| match address {
            1 => vec![place("sleep", Library)],
            2 => vec![place("wait", Application), place("merged", Application)],
            3 => vec![place("handler", Application), place("poll", Canonlog), place("middleware", Application)],
            _ => vec![place("main", Application)],
        };
        let texts = |frame| inside(&calls, frame, places).into_iter().map(|place| place.text).collect::<Vec<_>>();
        assert_eq!(texts(250), ["sleep", "wait", "merged", "handler"]);
        assert_eq!(texts(100), ["sleep"], "nothing of ours in the owner: all of it is outside");
        assert_eq!(texts(0).last().map(String::as_str), Some("main"), "not known");
    }

    #[test]
    fn the_applications_places_come_before_those_of_libraries() {
        use Whose::{Application, Canonlog, Library};
        let places = [
            place("nanosleep", Library),
            place("inner", Application),
            place("map", Library),
            place("outer", Application),
            place("enter", Canonlog),
            place("outer", Application),
            place("axum", Library),
        ];
        let found = choose(&places).expect("places");
        assert_eq!((found.loc.as_str(), found.cause_loc.as_str()), ("outer", "inner"));
        assert_eq!(found.stack, "nanosleep < inner < map < outer");
        assert!(found.is_application);
        let found = choose(&[place("nanosleep", Library), place("sleep", Library)]).expect("places");
        assert_eq!((found.loc.as_str(), found.cause_loc.as_str()), ("sleep", "nanosleep"));
        assert!(!found.is_application);
        assert_eq!(choose(&[]), None);
    }
}
