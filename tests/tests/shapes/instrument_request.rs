//! Each call from outside has its event; those within one are counted there.

#[path = "all.rs"]
mod all;

use canonlog::instrument_request as attribute;
use canonlog::{EventType, Value, testing};

/// How many calls are told of.
fn counted(f: impl FnOnce()) -> u64 {
    let capture = testing::capture();
    f();
    let told = capture.events().into_iter().map(|event| {
        let view = event.view();
        assert_eq!(view.kind(), EventType::Request);
        let name = view.get("resp_view").map(|name| name.to_string()).unwrap_or_default();
        assert!(name.contains(concat!(module_path!(), "::all::")), "{name}");
        // One that never returns left by a panic.
        assert!(view.get("exc_type").is_none_or(|kind| kind == Value::Str("panic")), "{event:?}");
        let within = view.fields().filter(|(name, _)| name.ends_with("_count"));
        let within = within.map(|(name, count)| if let Value::U64(count) = count { count } else { panic!("{name}") });
        1 + within.sum::<u64>()
    });
    told.sum()
}
