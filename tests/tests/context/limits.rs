//! What has no room, and what is written anew to have some.

use canonlog::{Context, OwnedValue, Value};

use super::*;

#[test]
fn a_value_over_its_limit_is_cut_at_a_character_and_counted() {
    let event = recorded(|| Context::set("long", "é".repeat(10_000)));
    let Some(OwnedValue::Text(text)) = app(&event, "long") else { panic!("a text was recorded") };
    assert!(text.len() <= 8 * 1024 && text.len() > 8 * 1024 - 8, "{}", text.len());
    assert!(text.ends_with("é…"));
    assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(1)));
}

#[test]
fn a_record_holds_its_limits_and_the_event_says_what_was_left_out() {
    let event = recorded(|| {
        for at in 0..500 {
            Context::set_dynamic(&format!("key_{at}"), "x".repeat(2_000));
        }
    });
    assert!(names(&event).len() <= 128);
    let size: usize = event.view().fields().map(|(name, value)| name.len() + value.to_string().len()).sum();
    assert!(size <= 64 * 1024, "{size}");
    assert!(matches!(event.view().get("canonlog_truncated"), Some(Value::U64(n)) if n >= 372));
    assert!(event.view().get("req_id").is_some());
}

#[test]
fn overwriting_for_ever_does_not_fill_a_record() {
    let event = recorded(|| {
        Context::set("first", 1);
        let _section = Context::time("whole");
        for at in 0..5_000 {
            Context::set("text", format!("a text that is not like the one before {at}"));
            Context::set_dynamic("made at run time", format!("another {at}"));
        }
        Context::set("last", 2);
    });
    assert_eq!(names(&event), ["app_first", "app_whole_time", "app_text", "app_made_at_run_time", "app_last"]);
    assert_eq!(app(&event, "text"), text("a text that is not like the one before 4999"));
    assert_eq!(app(&event, "made_at_run_time"), text("another 4999"));
    assert_eq!(event.view().get("canonlog_truncated"), None);
}

#[test]
fn a_log_that_is_written_anew_forgets_no_order() {
    let event = recorded(|| {
        let cx = Context::current();
        for at in 0..40 {
            Context::set("early", format!("{at:0>40}"));
        }
        beside(|| cx.enter(|| Context::set("k", "old, from beside")));
        Context::set("k", "new");
        beside(|| cx.enter(|| Context::set("newer", "of no matter")));
        Context::set("newest", "of no matter");
        beside(|| cx.enter(|| Context::set("newest", "from beside")));
        for at in 0..5_000 {
            Context::set("text", format!("{at:0>40}"));
        }
        assert_eq!(Context::get("k"), text("new"));
        assert_eq!(Context::get("newest"), text("from beside"));
    });
    assert_eq!(app(&event, "k"), text("new"));
    assert_eq!(app(&event, "newest"), text("from beside"));
    assert_eq!(app(&event, "text"), text(&format!("{:0>40}", 4_999)));
    assert_eq!(event.view().get("canonlog_truncated"), None);
}

#[test]
fn a_value_that_is_too_long_for_itself_and_for_the_record_is_cut_and_counted_once() {
    for len in [8, 20] {
        let event = recorded(|| {
            for key in ["a", "b", "c", "d", "e", "f", "g"] {
                Context::set(key, "x".repeat(8 * 1024));
            }
            Context::set("last", "y".repeat(len * 1024));
        });
        let Some(OwnedValue::Text(text)) = app(&event, "last") else { panic!("its beginning was recorded") };
        assert!(text.len() > 1_024 && text.ends_with("y…"), "{}", text.len());
        assert_eq!(event.view().get("canonlog_truncated"), Some(Value::U64(1)));
    }
}
