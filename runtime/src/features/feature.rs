//! One feature: its name, what it adds, to which events.

use std::fmt;
use std::sync::Arc;

use super::bit;
use super::kinds::{self, Fixed};
use crate::context::{Context, OwnedValue};
use crate::event::{Content, EventType, is_reserved, order};
use crate::record::Name;
use crate::record::keys::Suffix;
use crate::scratch::guarded;
use crate::value::{ToValue, Value};

/// Fields for events of every kind; [`features::add`](crate::features::add) adds it to the running program, by its name.
///
/// | feature | fields |
/// |---|---|
/// | [`process`](Feature::process) | `process_pid`, `process_host` |
/// | [`thread`](Feature::thread) | `thread_name`, `thread_id` |
/// | [`peer`](Feature::peer) | `peer_ip`, `peer_port` |
/// | [`revision`](Feature::revision) | `build_revision` |
/// | [`global`](Feature::global) | `app_<key>`, the same in the whole process |
/// | [`request`](Feature::request) | fields of the request, on what arises in it |
/// | [`new`](Feature::new) | your own, computed for each event |
///
/// ```
/// use canonlog::{EventType, Feature, features};
///
/// features::add(Feature::process());
/// features::add(Feature::thread().on([EventType::Log]));
/// features::add(Feature::global("deployment").field("region", "eu-west").field("shard", 7));
/// ```
#[derive(Clone)]
pub struct Feature {
    name: Arc<str>,
    types: u32,
    collision: Collision,
    what: What,
}

/// What becomes of an event's own field `app_<key>` that has the name of a feature's.
///
/// ```
/// use canonlog::{Collision, Feature};
///
/// let region = Feature::global("deployment").field("region", "eu-west").collision(Collision::Talisker);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Collision {
    /// The event's own field stays as it is, and the feature's is left out: what is said of one event means more than what is said of
    /// all. The default.
    #[default]
    Keep,
    /// As talisker does it: the feature's field has the name, and the event's own gets a `_` at its end. So a field of the whole process
    /// is never renamed; that of a request only by one of the process; that of a message by either.
    Talisker,
}

#[derive(Clone)]
enum What {
    /// The same for every event.
    Fixed(Fixed),
    Process,
    Thread,
    Peer,
    /// Fields of the unit: namespace, key.
    Request(Arc<[(String, String)]>),
    Own(Arc<dyn Fn(&mut FeatureFields<'_>) + Send + Sync>),
}

/// Events that do not show the fields of their unit anyway.
const WITHIN_UNITS: [EventType; 2] = [EventType::Log, EventType::PartialFailure];

impl Feature {
    fn make(name: impl Into<String>, types: u32, what: What) -> Feature {
        Feature { name: name.into().into(), types, collision: Collision::Keep, what }
    }

    /// `process`: the number of the process, and the name of the machine.
    pub fn process() -> Feature {
        Feature::make("process", u32::MAX, What::Process)
    }

    /// `thread`: name and number of the thread that made the event. Those of canonlog's own threads are left out.
    pub fn thread() -> Feature {
        Feature::make("thread", u32::MAX, What::Thread)
    }

    /// `peer`: address and port of the other end of the request's connection, where they are known: by `axum::extract::ConnectInfo`,
    /// or by `canonlog::tower::PeerAddr` in the request's extensions. For requests that begin later.
    pub fn peer() -> Feature {
        Feature::make("peer", u32::MAX, What::Peer)
    }

    /// `revision`: which version of the program this is, from the build or else from a file.
    ///
    /// The file is `version-info` or `version-info.txt`, in the working directory or beside the program; its first line counts. Without
    /// either there is no field.
    ///
    /// ```
    /// use canonlog::{Feature, features};
    ///
    /// features::add(Feature::revision(option_env!("GIT_REVISION"))); // build_revision="0c3b7e1"
    /// ```
    pub fn revision<'a>(from_build: impl Into<Option<&'a str>>) -> Feature {
        let found = from_build.into().map(str::to_owned).or_else(kinds::revision_of_file);
        let fields = found.map(|text| ("build_revision".to_owned(), true, OwnedValue::Text(text)));
        Feature::make("revision", u32::MAX, What::Fixed(fields.into_iter().collect()))
    }

    /// Fields of the whole process, each given by [`field`](Feature::field).
    ///
    /// ```
    /// let feature = canonlog::Feature::global("deployment").field("region", "eu-west");
    /// assert_eq!(feature.name(), "deployment");
    /// ```
    pub fn global(name: impl Into<String>) -> Feature {
        Feature::make(name, u32::MAX, What::Fixed(Vec::new()))
    }

    /// `app_<key>`, with the same value on every event. Only for [`global`](Feature::global) ones; for others it changes nothing.
    #[must_use]
    pub fn field(mut self, key: &str, value: impl ToValue) -> Feature {
        if let What::Fixed(fields) = &mut self.what {
            let name = Name::new("app", key, Suffix::None);
            fields.push((name.as_str().to_owned(), false, OwnedValue::from(value.to_value())));
        }
        self
    }

    /// Fields of the unit, as they are at the time, for messages and partial failures that arise in it; by their full names.
    ///
    /// ```
    /// use canonlog::{Feature, features};
    ///
    /// features::add(Feature::request("context", ["req_path", "app_user"]));
    /// ```
    pub fn request<N: Into<String>>(name: impl Into<String>, fields: impl IntoIterator<Item = N>) -> Feature {
        let split = |name: N| {
            let name: String = name.into();
            match name.split_once('_') {
                Some((namespace, key)) => (namespace.to_owned(), key.to_owned()),
                None => ("app".to_owned(), name),
            }
        };
        let fields = fields.into_iter().map(split).collect();
        Feature::make(name, WITHIN_UNITS.into_iter().fold(0, |types, kind| types | bit(kind)), What::Request(fields))
    }

    /// Fields of your own, computed for each event by the thread that makes it. A panic costs these fields, and is counted
    /// (`feature_errors`).
    ///
    /// ```
    /// use canonlog::{Feature, features};
    ///
    /// features::add(Feature::new("load", |fields| {
    ///     fields.set("queue_length", 17);
    /// }));
    /// ```
    pub fn new(name: impl Into<String>, add: impl Fn(&mut FeatureFields<'_>) + Send + Sync + 'static) -> Feature {
        Feature::make(name, u32::MAX, What::Own(Arc::new(add)))
    }

    /// Only for events of these types. Twice: only of those named both times.
    #[must_use]
    pub fn on(mut self, types: impl IntoIterator<Item = EventType>) -> Feature {
        self.types &= types.into_iter().fold(0, |types, kind| types | bit(kind));
        self
    }

    /// What becomes of an event's own field of the same name.
    #[must_use]
    pub fn collision(mut self, rule: Collision) -> Feature {
        self.collision = rule;
        self
    }

    /// Another name to be known by.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Feature {
        self.name = name.into().into();
        self
    }

    /// The name by which it is switched off, and taken away.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn types(&self) -> u32 {
        self.types
    }

    pub(super) fn is_for(&self, kind: EventType) -> bool {
        self.types & bit(kind) != 0
    }

    pub(super) fn is_of_requests(&self) -> bool {
        matches!(self.what, What::Request(_) | What::Peer)
    }

    #[cfg(feature = "tower")]
    pub(super) fn is_peer(&self) -> bool {
        matches!(self.what, What::Peer)
    }

    /// Adds its fields; false if the code of the user's did not come to its end.
    pub(super) fn apply(&self, content: &mut Content, cx: Context) -> bool {
        let kind = content.kind;
        let mut fields = FeatureFields { content, collision: self.collision };
        match &self.what {
            What::Fixed(all) => {
                all.iter().for_each(|(name, framework, value)| fields.put(name, *framework, value.to_value()));
            }
            What::Process => {
                fields.put("process_pid", true, Value::U64(kinds::pid()));
                fields.put("process_host", true, Value::Str(kinds::host()));
            }
            What::Thread => kinds::add_thread(&mut fields),
            What::Peer if WITHIN_UNITS.contains(&kind) => fields.copy(cx, [("peer", "ip"), ("peer", "port")]),
            What::Peer => {}
            What::Request(keys) => {
                fields.copy(cx, keys.iter().map(|(namespace, key)| (namespace.as_str(), key.as_str())));
            }
            What::Own(add) => return guarded(|| add(&mut fields)).is_ok(),
        }
        true
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feature").field("name", &self.name).field("collision", &self.collision).finish_non_exhaustive()
    }
}

/// Where a feature of your own ([`Feature::new`]) puts its fields.
///
/// ```
/// use canonlog::FeatureFields;
///
/// fn add(fields: &mut FeatureFields<'_>) {
///     fields.set("queue_length", 17); // app_queue_length="17"
///     fields.set_in("shop", "stock", 3); // shop_stock="3"
/// }
/// let feature = canonlog::Feature::new("stock", add);
/// ```
#[derive(Debug)]
pub struct FeatureFields<'a> {
    content: &'a mut Content,
    collision: Collision,
}

impl FeatureFields<'_> {
    /// The type of the event.
    pub fn event_type(&self) -> EventType {
        self.content.kind
    }

    /// Sets `app_<key>`.
    pub fn set(&mut self, key: &str, value: impl ToValue) {
        self.set_in("app", key, value);
    }

    /// Sets `<namespace>_<key>`. The framework's own namespaces are none of a feature's: there it becomes `app_<namespace>_<key>`.
    pub fn set_in(&mut self, namespace: &str, key: &str, value: impl ToValue) {
        let name = match is_reserved(namespace) {
            true => Name::new("app", &format!("{namespace}_{key}"), Suffix::None),
            false => Name::new(namespace, key, Suffix::None),
        };
        self.put(name.as_str(), false, value.to_value());
    }

    fn copy<'a>(&mut self, cx: Context, keys: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (namespace, key) in keys {
            if let Some(value) = cx.get_in(namespace, key) {
                let name = Name::new(namespace, key, Suffix::None);
                self.put(name.as_str(), is_reserved(namespace), value.to_value());
            }
        }
    }

    pub(super) fn put(&mut self, name: &str, framework: bool, value: Value<'_>) {
        if let Some(at) = self.content.place_of(name) {
            if self.collision == Collision::Keep || !name.starts_with("app_") {
                return;
            }
            let mut special = format!("{name}_");
            while self.content.place_of(&special).is_some() {
                special.push('_');
            }
            self.content.rename_at(at, &special);
        }
        self.content.push_text(name, order(name), framework, value);
    }
}
