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
pub(crate) use self::list::{Held, hold, is_on};

use self::list::{Known, change, current, with_list};

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
        let known = list.iter_mut().find(|known| known.feature.name() == feature.name());
        let added = Known { feature, is_on: true, is_configured: false };
        match known {
            Some(known) => *known = added,
            None => list.push(added),
        }
        true
    });
}

/// Puts these in the place of what an earlier configuration had. What the program has added stays, also where a name is the same; and
/// what it has switched off stays so.
pub(crate) fn configure(features: Vec<Feature>) {
    if !features.is_empty() {
        kinds::ready();
    }
    change(|list| {
        let before = list.len();
        let is_named = |name: &str| features.iter().any(|feature| feature.name() == name);
        list.retain(|known| !known.is_configured || is_named(known.feature.name()));
        let mut changed = list.len() < before;
        for feature in features {
            match list.iter_mut().find(|known| known.feature.name() == feature.name()) {
                Some(known) if !known.is_configured => continue,
                Some(known) => known.feature = feature,
                None => list.push(Known { feature, is_on: true, is_configured: true }),
            }
            changed = true;
        }
        changed
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
        list.retain(|known| known.feature.name() != name);
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
///
/// ```
/// assert!(!canonlog::features::enable("there is none"));
/// ```
pub fn enable(name: &str) -> bool {
    switch(name, true)
}

fn switch(name: &str, on: bool) -> bool {
    change(|list| {
        let found = list.iter_mut().find(|known| known.feature.name() == name);
        found.map(|known| known.is_on = on).is_some()
    })
}

/// The features by name, in the order in which they were added, and whether each is on.
///
/// ```
/// use canonlog::{Feature, features};
///
/// features::add(Feature::process());
/// features::add(Feature::thread());
/// features::disable("thread");
/// assert_eq!(features::list(), [("process".to_owned(), true), ("thread".to_owned(), false)]);
/// ```
pub fn list() -> Vec<(String, bool)> {
    with_list(|list| list.iter().map(|known| (known.feature.name().to_owned(), known.is_on)).collect())
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
