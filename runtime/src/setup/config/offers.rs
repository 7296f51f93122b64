//! Formats, outputs and filters of the program's own, under names that a configuration may use.
//!
//! ```text
//! program ──output("queue", make)──▶ offers ◀──[emitters.a] output = { type = "queue", topic = "events" }
//!                                      │
//!                                      └─▶ make(options) ─▶ the output of the emitter
//! ```
//!
//! Offer them before [`init`](crate::Setup::init): a configuration that names what nobody offers is a mistake. They hold for the process, and for
//! every configuration that is read later.
//!
//! ```
//! use std::collections::BTreeMap;
//! use canonlog::{Config, Writer, offers};
//!
//! let path = std::env::temp_dir().join("canonlog-doc-offers");
//! offers::output("own file", |options: BTreeMap<String, String>| {
//!     std::fs::File::create(&options["at"]).map(|file| Writer::new("own file", file))
//! });
//! offers::filter("paying", canonlog::filter::field("app_total").gt(0));
//! let text = format!("[emitters.sales]\nfilter = 'paying'\noutput = {{ type = 'own file', at = {:?} }}", path);
//! let _guard = canonlog::setup().config(Config::parse(&text)?).init()?;
//! # drop(_guard);
//! # std::fs::remove_file(path)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Only who has the feature `config` can offer anything.
#![cfg_attr(not(feature = "config"), allow(dead_code))]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::print;
use super::schema::{FORMATS, OUTPUTS};
use super::tree::Table;
use crate::emitter::{Emitter, Filter};
use crate::scratch::guarded;

/// Gives an emitter what was made by these options.
type Make = Arc<dyn Fn(&Table, Emitter) -> Result<Emitter, String> + Send + Sync>;

/// What is offered as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offer {
    Format,
    Output,
}

#[derive(Default)]
struct Offers {
    formats: Vec<(String, Make)>,
    outputs: Vec<(String, Make)>,
    filters: Vec<(String, Filter)>,
}

static OFFERS: Mutex<Offers> = Mutex::new(Offers { formats: Vec::new(), outputs: Vec::new(), filters: Vec::new() });

/// Nothing of the user's runs under this lock.
fn all() -> MutexGuard<'static, Offers> {
    OFFERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Offers {
    fn of(&mut self, what: Offer) -> &mut Vec<(String, Make)> {
        match what {
            Offer::Format => &mut self.formats,
            Offer::Output => &mut self.outputs,
        }
    }
}

/// Adds one, or replaces that of the same name, which comes back.
fn put<T>(list: &mut Vec<(String, T)>, name: String, offered: T) -> Option<T> {
    match list.iter_mut().find(|(known, _)| *known == name) {
        Some((_, before)) => Some(std::mem::replace(before, offered)),
        None => {
            list.push((name, offered));
            None
        }
    }
}

/// The names of what is offered.
pub(super) fn names(what: Offer) -> Vec<String> {
    all().of(what).iter().map(|(name, _)| name.clone()).collect()
}

pub(super) fn has(what: Offer, name: &str) -> bool {
    all().of(what).iter().any(|(known, _)| known == name)
}

/// The emitter with what is offered under this name, made by these options; nothing where nobody offers it.
pub(super) fn make(what: Offer, name: &str, options: &Table, emitter: &Emitter) -> Option<Result<Emitter, String>> {
    let make = all().of(what).iter().find(|(known, _)| known == name).map(|(_, make)| Arc::clone(make))?;
    let made = guarded(|| make(options, emitter.clone()));
    let made = made.unwrap_or_else(|_| Err(format!("what makes `{}` panicked", name.escape_debug())));
    Some(made.map_err(|error| print::without_secrets(error, options)))
}

/// The filter of this name.
pub(super) fn filter_of(name: &str) -> Option<Filter> {
    let name = name.trim();
    all().filters.iter().find(|(known, _)| known == name).map(|(_, filter)| filter.clone())
}

/// Whether canonlog has one of this name itself.
fn is_taken(what: Offer, name: &str) -> bool {
    let variants = match what {
        Offer::Format => FORMATS,
        Offer::Output => OUTPUTS,
    };
    name.is_empty() || variants.iter().any(|variant| variant.name.eq_ignore_ascii_case(name))
}

#[cfg(feature = "config")]
pub use public::{filter, format, output};

#[cfg(feature = "config")]
mod public {
    use std::fmt::Display;
    use std::sync::Arc;

    use serde::de::DeserializeOwned;

    use super::super::data::read;
    use super::{Make, Offer, all, is_taken, put};
    use crate::emitter::Filter;
    use crate::format::Format;
    use crate::output::Output;

    fn offer(what: Offer, name: String, make: Make) -> bool {
        if is_taken(what, &name) {
            return false;
        }
        let before = put(all().of(what), name, make);
        drop(before);
        true
    }

    /// Offers an output under a name; false where canonlog has one of this name itself.
    ///
    /// `make` gets the keys of the table, but for `queue` and `direct`, as whatever type it asks for, which may be `()` for none; what it says of them that is wrong
    /// is an error of the configuration. Each emitter that names the output has one of its own; [`Output::place`] says which of them
    /// write to the same place.
    ///
    /// ```
    /// use canonlog::{Memory, offers};
    ///
    /// assert!(offers::output("memory", |(): ()| Ok::<_, std::convert::Infallible>(Memory::new())));
    /// assert!(!offers::output("stdout", |(): ()| Ok::<_, std::convert::Infallible>(Memory::new())));
    /// ```
    pub fn output<O: Output, T: DeserializeOwned, E: Display>(
        name: impl Into<String>,
        make: impl Fn(T) -> Result<O, E> + Send + Sync + 'static,
    ) -> bool {
        let make: Make = Arc::new(move |options, emitter| {
            make(read(options)?).map(|output| emitter.output(output)).map_err(|error| error.to_string())
        });
        offer(Offer::Output, name.into(), make)
    }

    /// Offers a format under a name; false where canonlog has one of this name itself. As of [`output`].
    ///
    /// ```
    /// use canonlog::{TemplateError, Template, offers};
    ///
    /// offers::format("short", |(): ()| Template::new("{event_level:>8} {log_msg|}"));
    /// let config = canonlog::Config::parse("emitters.short.format = 'short'")?;
    /// # Ok::<(), canonlog::ConfigErrors>(())
    /// ```
    pub fn format<F: Format, T: DeserializeOwned, E: Display>(
        name: impl Into<String>,
        make: impl Fn(T) -> Result<F, E> + Send + Sync + 'static,
    ) -> bool {
        let make: Make = Arc::new(move |options, emitter| {
            make(read(options)?).map(|format| emitter.format(format)).map_err(|error| error.to_string())
        });
        offer(Offer::Format, name.into(), make)
    }

    /// Offers a filter under a name, which stands in the place of a condition.
    ///
    /// ```
    /// use canonlog::{Event, offers};
    ///
    /// offers::filter("odd", |event: &Event<'_>| event.fields().len() % 2 == 1);
    /// let config = canonlog::Config::parse("emitters.odd.filter = ['odd', 'resp_status >= 500']")?;
    /// # Ok::<(), canonlog::ConfigErrors>(())
    /// ```
    pub fn filter(name: impl Into<String>, filter: impl Into<Filter>) {
        let (name, filter) = (name.into(), filter.into());
        let before = put(&mut all().filters, name, filter);
        drop(before);
    }
}
