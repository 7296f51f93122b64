//! Each call is counted and timed.

#[path = "all.rs"]
mod all;

use canonlog::operation as attribute;
use canonlog::{Kind, Value, begin, testing};

/// How many calls a record counted.
fn counted(f: impl FnOnce()) -> u64 {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().enter(f);
    scope.finish();
    let event = capture.one();
    let counts = event.view().fields().filter(|(name, _)| name.starts_with("app_") && name.ends_with("_count"));
    let counts = counts.map(|(name, value)| {
        let time = format!("{}_time", name.strip_suffix("_count").expect("it ends in it"));
        assert!(matches!(event.view().get(&time), Some(Value::Duration(_))), "{time}: {event:?}");
        if let Value::U64(count) = value { count } else { panic!("{name} is no count: {event:?}") }
    });
    counts.sum()
}
