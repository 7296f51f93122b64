//! What is recorded: values of every kind, read, overwritten and added up.

use std::time::Duration;

use canonlog::{Context, Kind, Level, OwnedValue, Value, begin, debug, display, testing};

use super::*;

#[test]
fn every_kind_of_value_is_recorded_as_what_it_is() {
    let event = recorded(|| {
        Context::set("int", -7);
        Context::set("uint", u64::MAX);
        Context::set("float", 19.99);
        Context::set("bool", true);
        Context::set("text", "sixteen bytes or more of text");
        Context::set("none", None::<u8>);
        Context::set("duration", Duration::from_micros(1_500));
        Context::set("display", display(std::net::Ipv4Addr::LOCALHOST));
        Context::set("debug", debug([1, 2]));
        Context::set("empty", "");
    });
    let expected = [
        ("int", Value::I64(-7)),
        ("uint", Value::U64(u64::MAX)),
        ("float", Value::F64(19.99)),
        ("bool", Value::Bool(true)),
        ("text", Value::Str("sixteen bytes or more of text")),
        ("none", Value::Null),
        ("duration", Value::Duration(Duration::from_micros(1_500))),
        ("display", Value::Str("127.0.0.1")),
        ("debug", Value::Str("[1, 2]")),
        ("empty", Value::Str("")),
    ];
    for (key, value) in expected {
        assert_eq!(event.view().get(&format!("app_{key}")), Some(value), "{key}");
    }
    assert_eq!(names(&event).len(), expected.len());
}

#[test]
fn overwriting_keeps_the_first_position_and_the_last_value() {
    let event = recorded(|| {
        Context::set("a", 1);
        Context::set("b", "x");
        Context::set("a", 2);
        Context::set("b", "a longer text than before");
        Context::set("c", 3);
        Context::set("a", "now a text");
        Context::set("b", 4);
        Context::set("b", 5);
    });
    assert_eq!(names(&event), ["app_a", "app_b", "app_c"]);
    assert_eq!(app(&event, "a"), text("now a text"));
    assert_eq!(app(&event, "b"), Some(OwnedValue::I64(5)));
}

#[test]
fn get_reads_what_was_set_last() {
    recorded(|| {
        assert_eq!(Context::get("a"), None);
        Context::set("a", 1);
        assert_eq!(Context::get("a"), Some(OwnedValue::I64(1)));
        Context::set("a", "text");
        assert_eq!(Context::get("a"), text("text"));
        Context::set_dynamic("b", 2_u8);
        assert_eq!(Context::get("b"), Some(OwnedValue::U64(2)));
    });
}

#[test]
fn numbers_add_up_and_text_is_no_number() {
    let event = recorded(|| {
        Context::add("n", 1);
        Context::add("n", 2);
        Context::add("f", 0.5);
        Context::add("f", 0.25);
        Context::add("d", Duration::from_millis(2));
        Context::add("d", Duration::from_millis(3));
        Context::set("t", "text");
        Context::add("t", 1);
        Context::add("u", 3_u8);
        Context::add("u", -5);
    });
    assert_eq!(app(&event, "n"), Some(OwnedValue::I64(3)));
    assert_eq!(app(&event, "f"), Some(OwnedValue::F64(0.75)));
    assert_eq!(app(&event, "d"), Some(OwnedValue::Duration(Duration::from_millis(5))));
    assert_eq!(app(&event, "t"), text("text"));
    assert_eq!(app(&event, "u"), Some(OwnedValue::I64(-2)));
    assert_eq!(event.view().get("canonlog_value_errors"), Some(Value::U64(1)));
}

#[test]
fn a_display_that_panics_costs_its_value_only() {
    struct Bad;
    impl std::fmt::Display for Bad {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            panic!("expected by this test");
        }
    }
    let event = recorded(|| {
        Context::set("bad", display(Bad));
        Context::set("good", 1);
    });
    assert_eq!(app(&event, "good"), Some(OwnedValue::I64(1)));
    assert_eq!(app(&event, "bad"), text("half"));
    assert_eq!(event.view().get("canonlog_value_errors"), Some(Value::U64(1)));
    assert_eq!(event.view().level(), Level::Info);
}

#[test]
fn a_display_that_records_does_not_disturb_the_record() {
    struct Recording;
    impl std::fmt::Display for Recording {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            Context::set("inner", 1);
            begin(Kind::Job).finish();
            f.write_str("outer")
        }
    }
    let capture = testing::capture();
    begin(Kind::Request).enter(|| Context::set("outer", display(Recording)));
    let events = capture.events();
    assert_eq!(names(&events[1]), ["app_inner", "app_outer"]);
}

#[test]
fn keys_are_cleaned_and_the_frameworks_namespaces_are_refused() {
    let event = recorded(|| {
        Context::set("Cart Total", 1);
        Context::current().namespace("shop").set("tenant", 17);
        Context::current().namespace("req").set("method", "forged");
    });
    assert_eq!(app(&event, "cart_total"), Some(OwnedValue::I64(1)));
    assert_eq!(event.view().get("shop_tenant"), Some(Value::I64(17)));
    assert_eq!(event.view().get("req_method"), None);
    assert_eq!(app(&event, "method"), text("forged"));
    assert_eq!(event.view().get("canonlog_renamed_keys"), Some(Value::U64(2)));
}

#[test]
fn adding_and_setting_from_two_threads_go_by_their_order() {
    let event = recorded(|| {
        let cx = Context::current();
        let set = |key, n: u64| beside(|| cx.enter(|| Context::set(key, n)));
        let add = |key, n: u64| beside(|| cx.enter(|| Context::add(key, n)));
        set("set_then_added", 100);
        Context::add("set_then_added", 1_u64);
        add("added_then_set", 5);
        Context::set("added_then_set", 100_u64);
        add("added_again", 5);
        Context::set("added_again", 100_u64);
        add("added_again", 1);
        Context::add("both", 5_u64);
        set("both", 100);
        Context::add("both", 1_u64);
        add("both", 1);
        Context::add("sum", 1_u64);
        add("sum", 10);
        Context::add("sum", 100_u64);
        add("sum", 1_000);
    });
    for (key, want) in
        [("set_then_added", 101), ("added_then_set", 100), ("added_again", 101), ("both", 102), ("sum", 1_111)]
    {
        assert_eq!(app(&event, key), Some(OwnedValue::U64(want)), "{key}");
    }
}
