use super::*;
use crate::event::OwnedEvent;
use crate::level::Level;
use crate::{Context, Kind, Value, begin, testing};

/// The names and values of an event's fields after these features.
fn with(features: &[Feature], fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut content = Content::new();
    content.reset(EventType::Log, Level::Info, 0);
    for (name, value) in fields {
        content.set_text(name, crate::event::order(name), false, Value::Str(value));
    }
    for feature in features {
        assert!(feature.apply(&mut content, Context::current()));
    }
    content.sort();
    content.view().fields().map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn an_events_own_field_stays_and_the_features_of_the_same_name_is_left_out() {
    let region = Feature::global("deployment").field("region", "eu").field("shard", 7);
    assert_eq!(with(&[region], &[("app_region", "mars")]), pairs(&[("app_region", "mars"), ("app_shard", "7")]));
}

#[test]
fn by_talisker_s_rule_the_less_important_gets_a_mark() {
    // Its own example: `n_=9 own=o ctx=c1 n=5`.
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set("ctx", "c1");
        let context = Feature::request("context", ["app_ctx"]).collision(Collision::Talisker);
        let global = Feature::global("global").field("n", 5).collision(Collision::Talisker);
        let want = pairs(&[("app_n_", "9"), ("app_own", "o"), ("app_ctx", "c1"), ("app_n", "5")]);
        assert_eq!(with(&[context, global], &[("app_n", "9"), ("app_own", "o")]), want);
    });
}

#[test]
fn of_three_of_one_name_the_most_important_has_it_and_none_is_lost() {
    let scope = begin(Kind::Request);
    scope.enter(|| {
        Context::set("n", "request");
        let context = Feature::request("context", ["app_n"]).collision(Collision::Talisker);
        let global = Feature::global("global").field("n", "process").collision(Collision::Talisker);
        let want = pairs(&[("app_n_", "message"), ("app_n__", "request"), ("app_n", "process")]);
        assert_eq!(with(&[context, global], &[("app_n", "message")]), want);
    });
}

#[test]
fn no_feature_takes_a_name_of_the_frameworks() {
    let own = Feature::new("own", |fields| {
        fields.set_in("req", "id", "forged");
        fields.set_in("shop", "id", 3);
    });
    assert_eq!(with(&[own], &[("req_id", "a")]), pairs(&[("req_id", "a"), ("app_req_id", "forged"), ("shop_id", "3")]));
}

#[test]
fn process_and_thread_say_where_the_event_was_made() {
    let fields = with(&[Feature::process(), Feature::thread()], &[]);
    let of = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    assert_eq!(of("process_pid"), Some(std::process::id().to_string()));
    assert_eq!(of("thread_name").as_deref(), std::thread::current().name());
    assert_eq!(of("process_host"), Some(crate::sys::host::host_name()));
    #[cfg(target_os = "linux")]
    assert_eq!(of("thread_id"), Some(crate::sys::thread::tid().to_string()));
}

#[test]
fn a_revision_comes_from_the_build_first() {
    assert_eq!(with(&[Feature::revision("0c3b7e1")], &[]), pairs(&[("build_revision", "0c3b7e1")]));
}

/// An event with this name of a field of its own, through everything.
fn emitted(capture: &testing::Capture) -> OwnedEvent {
    capture.clear();
    begin(Kind::Job).finish();
    capture.one()
}

#[test]
fn features_come_and_go_by_name_while_the_program_runs() {
    let capture = testing::capture();
    let has =
        |capture: &testing::Capture| emitted(capture).view().get("app_feature_by_name").map(|value| value.to_string());
    assert_eq!(has(&capture), None);
    add(Feature::global("by name").field("feature_by_name", 1).on([EventType::Job]));
    assert_eq!(has(&capture).as_deref(), Some("1"));
    add(Feature::global("by name").field("feature_by_name", 2).on([EventType::Job]));
    assert_eq!(has(&capture).as_deref(), Some("2"), "one of the same name takes its place");
    assert!(disable("by name"));
    assert_eq!(has(&capture), None);
    assert!(list().contains(&("by name".to_owned(), false)));
    assert!(enable("by name"));
    assert_eq!(has(&capture).as_deref(), Some("2"));
    add(Feature::global("by name").field("feature_by_name", 3).on([EventType::Request]));
    assert_eq!(has(&capture), None, "for another type of event");
    assert!(remove("by name") && !remove("by name") && !disable("by name") && !enable("by name"));
}

#[test]
fn a_configuration_leaves_what_the_program_has_added_or_switched_off() {
    let capture = testing::capture();
    let of = |name: &str, from: &str| Feature::global(name).field(&format!("{name}_from"), from).on([EventType::Job]);
    let shown = |capture: &testing::Capture| {
        let event = emitted(capture);
        let text = |name| event.view().get(name).map(|value| value.to_string());
        [text("app_mine_from"), text("app_theirs_from")].map(Option::unwrap_or_default)
    };
    add(of("mine", "program"));
    configure(vec![of("mine", "file"), of("theirs", "file")]);
    assert_eq!(shown(&capture), ["program", "file"]);
    configure(vec![of("mine", "file"), of("theirs", "file again")]);
    assert_eq!(shown(&capture), ["program", "file again"]);
    assert!(disable("theirs"));
    configure(vec![of("theirs", "file")]);
    assert_eq!(shown(&capture), ["program", ""], "what the program has switched off stays so");
    configure(Vec::new());
    assert!(!enable("theirs"), "what no configuration has any more is gone");
    assert_eq!(shown(&capture), ["program", ""]);
    // Once the program takes it over, it is the program's.
    configure(vec![of("theirs", "file")]);
    add(of("theirs", "program"));
    configure(Vec::new());
    assert_eq!(shown(&capture), ["program", "program"]);
    assert!(remove("mine") && remove("theirs"));
}

#[test]
fn a_feature_that_panics_costs_its_own_fields_alone() {
    let capture = testing::capture();
    let before = counters::total(Count::FeatureErrors);
    add(Feature::new("panics", |_| panic!("a feature's")).on([EventType::Job]));
    let event = emitted(&capture);
    assert!(remove("panics"));
    assert!(event.view().get("job_id").is_some());
    assert!(counters::total(Count::FeatureErrors) > before);
}

#[test]
fn what_a_feature_records_itself_has_no_features_and_ends() {
    let capture = testing::capture();
    add(Feature::new("recursive", |fields| {
        begin(Kind::Job).finish();
        fields.set("recursed", true);
    })
    .on([EventType::Job]));
    capture.clear();
    begin(Kind::Job).finish();
    let events = capture.events();
    assert!(remove("recursive"));
    let marked: Vec<bool> = events.iter().map(|event| event.view().get("app_recursed").is_some()).collect();
    assert_eq!(marked, [false, true]);
}
