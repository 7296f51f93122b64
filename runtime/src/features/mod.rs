//! Fields for events of every kind, added and taken away by name while the program runs.
//!
//! ```text
//! add("process") ─▶ list ──(as each thread last saw it)──▶ event ▸ request fields ▸ process, thread, global ... ──▶ emitters
//! ```
//!
//! Without any feature that is on, an event costs one look at a number that nobody writes. What never changes is computed once.

mod feature;
mod kinds;
mod list;

use crate::context::Context;
use crate::counters::{self, Count};
use crate::event::{Content, EventType};

pub use self::feature::{Collision, Feature, FeatureFields};
pub(crate) use self::list::{Held, hold};

use self::list::{change, current, is_on, with_list};

/// Adds a feature; one of the same name gives way to it, in its place.
///
/// ```
/// use canonlog::{EventType, Feature, features};
///
/// features::add(Feature::process()); // process_pid="4711" process_host="web-3"
/// features::add(Feature::global("deployment").field("region", "eu-west").on([EventType::Log])); // app_region="eu-west"
/// features::disable("process");
/// assert_eq!(features::list(), [("process".to_owned(), false), ("deployment".to_owned(), true)]);
/// ```
pub fn add(feature: Feature) {
    kinds::ready();
    change(|list| {
        match list.iter_mut().find(|known| known.0.name() == feature.name()) {
            Some(known) => *known = (feature, true),
            None => list.push((feature, true)),
        }
        true
    });
}

/// Takes a feature away; false if there is none of that name.
///
/// ```
/// use canonlog::{Feature, features};
///
/// features::add(Feature::thread());
/// assert!(features::remove("thread"));
/// assert!(!features::remove("thread"));
/// ```
pub fn remove(name: &str) -> bool {
    change(|list| {
        let before = list.len();
        list.retain(|known| known.0.name() != name);
        list.len() < before
    })
}

/// Switches a feature off, until [`enable`]; false if there is none of that name.
///
/// ```
/// use canonlog::{Feature, features};
///
/// features::add(Feature::thread());
/// assert!(features::disable("thread") && features::enable("thread"));
/// ```
pub fn disable(name: &str) -> bool {
    switch(name, false)
}

/// Switches a feature on again; false if there is none of that name.
pub fn enable(name: &str) -> bool {
    switch(name, true)
}

fn switch(name: &str, on: bool) -> bool {
    change(|list| {
        let found = list.iter_mut().find(|known| known.0.name() == name);
        found.map(|known| known.1 = on).is_some()
    })
}

/// The features by name, in the order in which they were added, and whether each is on.
pub fn list() -> Vec<(String, bool)> {
    with_list(|list| list.iter().map(|(feature, on)| (feature.name().to_owned(), *on)).collect())
}

/// Adds the fields of all features that are on for this type of event. `cx` is the unit that the event arose in.
#[inline]
pub(crate) fn apply(content: &mut Content, cx: Context) {
    if is_on(content.kind) {
        apply_all(content, cx);
    }
}

#[cold]
fn apply_all(content: &mut Content, cx: Context) {
    let mut failed = 0;
    current(|features| {
        // The more special first: what a request says stands before what the whole process says.
        for of_requests in [true, false] {
            for feature in features.iter().filter(|feature| feature.is_of_requests() == of_requests) {
                if feature.is_for(content.kind) && !feature.apply(content, cx) {
                    failed += 1;
                }
            }
        }
    });
    if failed > 0 {
        counters::add(Count::FeatureErrors, failed);
    }
}

/// Whether the peer of a request is asked for.
#[cfg(feature = "tower")]
pub(crate) fn wants_peer() -> bool {
    let mut wants = false;
    if list::is_any_on() {
        current(|features| wants = features.iter().any(Feature::is_peer));
    }
    wants
}

/// The bit of a type of event.
fn bit(kind: EventType) -> u32 {
    1 << kind as u32
}

#[cfg(test)]
mod tests;
