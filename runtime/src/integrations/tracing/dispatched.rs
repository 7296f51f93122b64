//! Events of canonlog's, handed to the subscriber of `tracing`.

use std::sync::{Arc, Once};

use tracing_core::callsite::{self, Callsite};
use tracing_core::field::{Value as Field, display};
use tracing_core::subscriber::Interest;
use tracing_core::{Event as Theirs, Kind, Metadata, dispatcher, metadata};

use crate::event::{Event, Origin};
use crate::format::Format;
use crate::level::Level;
use crate::output::{Batch, Output, WriteError};
use crate::value::Value;

/// An output that hands every event to the subscriber of `tracing`, for programs whose events go there.
///
/// They have the target `canonlog`, and these fields, as far as the event has them: `message` (the text of a message, else the type of
/// the event), `event_type`, `req_id`, `req_method`, `req_path`, `resp_status`, `resp_time` in seconds, `log_name`, `exc_type`, `exc_msg`; and
/// `line`, the whole event in the format of the emitter. What came from `tracing` by [`layer`](super::layer) is not handed back.
///
/// The emitter must be [`direct`](crate::Emitter::direct) if the subscriber is to see the span in which it happened; the event is
/// handed over on the thread that made it in any case.
///
/// A message that [`Lookback`](crate::Lookback) kept is handed over when it is brought out. If an event of `tracing` brings it out, a
/// subscriber that was set for this thread only (`with_default`) does not get it: `tracing` lets none be called within itself.
///
/// ```
/// use canonlog::{Emitter, Json};
///
/// let emitter = Emitter::new("tracing").format(Json::new()).output(canonlog::tracing::Dispatched::new());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispatched(());

impl Dispatched {
    /// The output.
    pub fn new() -> Self {
        Dispatched::default()
    }
}

impl Output for Dispatched {
    fn name(&self) -> &str {
        "tracing"
    }

    fn wire(&self, format: &Arc<dyn Format>) -> Option<Arc<dyn Format>> {
        Some(Arc::new(Dispatching(Arc::clone(format))))
    }

    /// What comes here has been handed over.
    fn write(&self, _: Batch<'_>) -> Result<(), WriteError> {
        Ok(())
    }
}

/// Hands the event over, and leaves a mark in place of a line, by which it is counted.
struct Dispatching(Arc<dyn Format>);

impl Format for Dispatching {
    fn format(&self, event: &Event<'_>, line: &mut Vec<u8>) {
        if event.origin() == Origin::Tracing {
            return;
        }
        let mut whole = Vec::new();
        self.0.format(event, &mut whole);
        if !whole.is_empty() {
            dispatch(event, &String::from_utf8_lossy(&whole));
            line.push(b'.');
        }
    }
}

fn dispatch(event: &Event<'_>, line: &str) {
    let metadata = of(event.level());
    dispatcher::get_default(|subscriber| {
        if !subscriber.enabled(metadata) {
            return;
        }
        let text = event.get("log_msg").map_or_else(|| event.kind().as_str().to_owned(), |text| text.to_string());
        let message = display(&text);
        let kind = event.kind().as_str();
        let texts = TEXTS.map(|name| match event.get(name) {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        });
        let status = match event.get("resp_status") {
            Some(Value::U64(status)) => Some(status),
            Some(Value::I64(status)) => u64::try_from(status).ok(),
            _ => None,
        };
        let time = match event.get("resp_time") {
            Some(Value::Duration(time)) => Some(time.as_secs_f64()),
            _ => None,
        };
        let [id, method, path, name, exc_type, exc_msg] = texts.each_ref().map(|text| text as &dyn Field);
        let values: [&dyn Field; 11] =
            [&message, &kind, id, method, path, name, exc_type, exc_msg, &status, &time, &line];
        let fields = metadata.fields();
        // As many names as values, in the order of the declaration.
        let mut names = fields.iter();
        let Some(pairs) = values.iter().map(|value| Some((names.next()?, Some(*value)))).collect::<Option<Vec<_>>>()
        else {
            return;
        };
        if let Ok(pairs) = <[_; 11]>::try_from(pairs) {
            let pairs = pairs.each_ref().map(|(name, value)| (name, *value));
            subscriber.event(&Theirs::new(metadata, &fields.value_set(&pairs)));
        }
    });
}

/// Fields that are handed over as texts.
const TEXTS: [&str; 6] = ["req_id", "req_method", "req_path", "log_name", "exc_type", "exc_msg"];

/// Where events of a level come from, for `tracing`.
struct Site(Level);

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        metadata_of(self.0)
    }
}

macro_rules! sites {
    ($($level:ident $site:ident $metadata:ident $theirs:ident;)*) => {
        $(
            static $site: Site = Site(Level::$level);
            static $metadata: Metadata<'static> = metadata! {
                name: "event of canonlog",
                target: "canonlog",
                level: tracing_core::Level::$theirs,
                fields: &[
                    "message", "event_type", "req_id", "req_method", "req_path", "log_name", "exc_type", "exc_msg", "resp_status",
                    "resp_time", "line",
                ],
                callsite: &$site,
                kind: Kind::EVENT,
            };
        )*

        fn metadata_of(level: Level) -> &'static Metadata<'static> {
            match level {
                $(Level::$level => &$metadata,)*
            }
        }

        fn register() {
            static ONCE: Once = Once::new();
            ONCE.call_once(|| {
                $(callsite::register(&$site);)*
            });
        }
    };
}

sites! {
    Debug DEBUG_SITE DEBUG DEBUG;
    Info INFO_SITE INFO INFO;
    Notice NOTICE_SITE NOTICE INFO;
    Warning WARNING_SITE WARNING WARN;
    Error ERROR_SITE ERROR ERROR;
    Critical CRITICAL_SITE CRITICAL ERROR;
}

/// What `tracing` knows of events of a level.
fn of(level: Level) -> &'static Metadata<'static> {
    register();
    metadata_of(level)
}

/// Whether an event of `tracing` is one of canonlog's.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    let is_it = |level: &Level| metadata_of(*level).callsite() == metadata.callsite();
    metadata.target() == "canonlog" && Level::ALL.iter().any(is_it)
}
