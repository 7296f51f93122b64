//! Events of `tracing` as messages.

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Subscriber};
use tracing_subscriber::layer::Context as Around;
use tracing_subscriber::registry::LookupSpan;

use super::dispatched::is_ours;
use super::names::key;
use super::visit::{Fields, Kept};
use crate::context::{Context, TimeGuard};
use crate::inside::is_inside;
use crate::message::{Relay, heard};

/// A layer that makes each event of `tracing` a message of the request in which it happens.
///
/// `log_name` is the target, `log_msg` the message, and fields keep their types. A field that is an error becomes `exc_msg` and
/// `exc_trace`. What no emitter wants goes no further.
///
/// ```
/// use canonlog::{Kind, Value, begin, testing};
/// use tracing_subscriber::prelude::*;
///
/// let capture = testing::capture();
/// let subscriber = tracing_subscriber::registry().with(canonlog::tracing::layer());
/// tracing::subscriber::with_default(subscriber, || {
///     begin(Kind::Request).enter(|| tracing::info!(cart = 7, "checked out {} items", 3));
/// });
///
/// let events = capture.events();
/// let (message, request) = (events[0].view(), events[1].view());
/// assert_eq!(message.get("req_id"), request.get("req_id"));
/// assert_eq!(message.get("log_msg"), Some(Value::Str("checked out 3 items")));
/// assert_eq!(message.get("app_cart"), Some(Value::I64(7)));
/// ```
pub fn layer() -> Layer {
    Layer::default()
}

/// A layer that makes each event of `tracing` a message; made by [`layer`].
///
/// ```
/// let layer = canonlog::tracing::layer().span_fields(true).span_times(true);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Layer {
    span_fields: bool,
    span_times: bool,
}

impl Layer {
    /// Whether a message has the fields of the spans around it too; they come before its own. They are not, by default.
    #[must_use]
    pub fn span_fields(self, shown: bool) -> Self {
        Layer { span_fields: shown, ..self }
    }

    /// Whether a span that begins in a request is a section of it: from its beginning to its end, `app_<span>_time`. It is not, by
    /// default. A span's name that is no key is made one (`GET /cart`: `app_get__cart_time`), which counts as no mistake.
    #[must_use]
    pub fn span_times(self, timed: bool) -> Self {
        Layer { span_times: timed, ..self }
    }
}

/// The section that a span is.
struct Section {
    _until_dropped: TimeGuard,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Layer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, around: Around<'_, S>) {
        let Some(span) = around.span(id) else { return };
        if self.span_fields {
            let mut kept = Kept::default();
            attributes.record(&mut kept);
            span.extensions_mut().replace(kept);
        }
        let cx = Context::current();
        if self.span_times && cx.is_active() {
            let section = Section { _until_dropped: cx.time_in("app", key(attributes.metadata().name())) };
            span.extensions_mut().replace(section);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, around: Around<'_, S>) {
        let Some(span) = around.span(id).filter(|_| self.span_fields) else { return };
        // Their `Debug` may ask for the same span: it runs before the lock is taken.
        let mut fresh = Kept::default();
        values.record(&mut fresh);
        if let Some(kept) = span.extensions_mut().get_mut::<Kept>() {
            kept.merge(fresh);
        }
    }

    fn on_close(&self, id: Id, around: Around<'_, S>) {
        if let Some(span) = around.span(&id).filter(|_| self.span_times) {
            // The registry may keep the span's place for a while.
            drop(span.extensions_mut().remove::<Section>());
        }
    }

    fn on_event(&self, event: &Event<'_>, around: Around<'_, S>) {
        let metadata = event.metadata();
        let level = (*metadata.level()).into();
        // An output of canonlog's may say something to `tracing`: that is no message of the program. One that nobody wants may be
        // counted still.
        if !heard(level) || is_ours(metadata) || is_inside() {
            return;
        }
        let mut relay = Relay::new(level, metadata.target()).of_tracing();
        if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
            relay = relay.place(file, line);
        }
        relay.pass(format_args!(""), |into| {
            if self.span_fields
                && let Some(spans) = around.event_scope(event)
            {
                for span in spans.from_root() {
                    for (key, value) in span.extensions().get::<Kept>().iter().flat_map(|kept| &kept.0) {
                        into.field(key, value);
                    }
                }
            }
            event.record(&mut Fields(into));
        });
    }
}
