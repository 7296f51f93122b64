//! What a configuration makes beside emitters.

use super::*;
use crate::event::{EventType, OwnedEvent};
use crate::level::Level;
use crate::lookback::Lookback;

#[test]
fn features_fields_and_statuses_are_made_as_they_are_said() {
    let made = make(
        &of("features = ['process', 'thread']\nstatus = '5s'\n[fields]\nshard = 7\n[statuses.hourly]\nevery = '1h'"),
        &[("CANONLOG_SERVICE", "shop")],
    );
    let names: Vec<&str> = made.features.iter().map(Feature::name).collect();
    assert_eq!(names, ["process", "thread", "service", "fields"]);
    let periods: Vec<Duration> = made.statuses.iter().map(|status| status.period).collect();
    assert_eq!(periods, [Duration::from_secs(5), Duration::from_secs(3_600)]);
    let none = make(&program(), &[]);
    assert!(none.features.is_empty() && none.statuses.is_empty());
}

#[test]
fn a_status_that_would_come_all_the_time_is_a_mistake() {
    let program = of("status = '100us'\n[statuses.'a.b']\nevery = '0s'");
    let errors = program.make(std::iter::empty(), None).expect_err("both are too short").to_string();
    assert_eq!(
        errors,
        "line 1: `status` is `100us`; expected a length of time of at least `1ms`\n\
         line 3: `statuses.a.b.every` is `0s`; expected a length of time of at least `1ms`"
    );
}

#[test]
fn a_debug_log_is_the_last_emitter_and_stays_as_it_is() {
    let path = std::env::temp_dir().join(format!("canonlog-made-{}.log", std::process::id()));
    let said = format!("{}", path.display());
    let variables = [("CANONLOG_DEBUG_LOG", said.as_str()), ("CANONLOG_OUTPUT", "stderr"), ("CANONLOG_LEVEL", "error")];
    let all = |program: &Program| -> Vec<(String, LevelFilter, bool)> {
        let made = make(program, &variables).emitters;
        let to_stderr = |emitter: &Emitter| format!("{emitter:?}").contains("output: \"stderr\"");
        made.iter().map(|all| (all.name().to_owned(), all.minimum(), to_stderr(all))).collect()
    };
    let log = ("debug_log".to_owned(), LevelFilter::Debug, false);
    let own = Program { emitters: vec![Emitter::new("own")], ..program() };
    assert_eq!(all(&own), [("own".to_owned(), LevelFilter::Error, true), log.clone()]);
    let shortcuts = Emitter::new("default").output(crate::output::Stderr::new()).level(LevelFilter::Error);
    let alone = Program { shortcuts: shortcuts.clone(), ..of("emitters = {}") };
    assert_eq!(all(&alone), [log]);
    let whole = Emitter::debug_log(&path).expect("it can be written").overridden_by(&shortcuts, true);
    assert!(!format!("{whole:?}").contains("stderr"), "{whole:?}");
    std::fs::remove_file(path).expect("it was opened");
}

#[test]
fn quiet_messages_are_kept_as_it_is_said_and_only_then() {
    let kept = |text| make(&of(text), &[]).settings.lookback;
    assert_eq!((kept(""), kept("[lookback]\nenabled = false\ncapacity = 5")), (None, None));
    assert_eq!(kept("lookback.enabled = true"), Some(Lookback::new()));
    assert_eq!(kept("[lookback]\ncapacity = 5"), Some(Lookback::new().capacity(5)), "who says how, says that");
    assert_eq!(make(&of("[lookback]"), &[("CANONLOG_LOOKBACK", "off")]).settings.lookback, None);
    let all = "[lookback]\nenabled = true\ncapacity = 5\nbytes = '1KiB'\nmax_age = '1m'\nflush_level = 'warning'\n\
               keep_below = 'info'\nslower_than = '2s'";
    let lookback = Lookback::new().capacity(5).bytes(1_024).max_age(Duration::from_secs(60));
    let lookback = lookback.flush_level(Level::Warning).keep_below(Level::Info).slower_than(Duration::from_secs(2));
    assert_eq!(kept(all), Some(lookback));
}

/// Lines of a message by the only emitter of a configuration.
fn line(format: &str) -> String {
    let made = make(&of(&format!("[emitters.one]\noutput = 'null'\nformat = {format}")), &[]);
    let mut event = OwnedEvent::new(EventType::Log, Level::Info, std::time::SystemTime::UNIX_EPOCH);
    for (name, value) in [("log_name", "shop"), ("log_msg", "paid"), ("log_loc", "a.rs:1"), ("app_cart", "7")] {
        event.set(name, value);
    }
    event.set("app_total", "a:b");
    String::from_utf8(made.emitters[0].line_of(&event.view())).expect("text")
}

#[test]
fn a_line_has_the_table_that_is_said() {
    assert_eq!(line("'shell'"), r#"INFO:shop:cart=7:total="a:b"|paid"#);
    assert_eq!(line("'line'"), r#"1970-01-01T00:00:00Z:INFO:shop:cart=7:total="a:b"|paid"#);
    let table =
        "fields = ['cart', { key = 'total', show = '<{key}>{value}' }, { key = 'x', required = true, show = 'value' }]";
    assert_eq!(line(&format!("{{ type = 'shell', {table} }}")), "cart=7:<total>a:b:-:level=INFO:name=shop|paid");
    let more = "rest = 'value', between = ' ', unquoted = true, aggregate = '[{items}]'";
    assert_eq!(line(&format!("{{ type = 'shell', fields = [], {more} }}")), "[7 INFO shop a:b]|paid");
    assert_eq!(
        line("{ type = 'line', rest = 'hidden', fields = { key = 'time', show = 'at {value}' } }"),
        "at 1970-01-01T00:00:00Z|paid"
    );
    assert_eq!(line("{ type = 'template', template = '{cart}', types = 'request' }"), "");
    assert_eq!(line("{ type = 'template', template = '{cart}', types = ['log'] }"), "7");
}

#[test]
fn what_cannot_stand_in_a_table_of_fields_is_told_with_what_can() {
    let wrong = |format: &str| told(&format!("[emitters.one]\nformat = {{ type = 'line', {format} }}")).join("\n");
    assert_eq!(
        wrong("fields = [3]"),
        "line 2: `emitters.one.format.fields[0]` is `3`; expected a text; or a table with `key`, `show`, `required`"
    );
    assert_eq!(
        wrong("fields = [{ kye = 'cart' }]"),
        "line 2: `emitters.one.format.fields[0].kye` is no key of the configuration; expected `key`, `show`, `required`; \
         the nearest is `key`\n\
         line 2: `emitters.one.format.fields[0].key` is missing; expected a text"
    );
    let shown = wrong("rest = 'hiden'");
    assert!(
        shown.starts_with("line 2: `emitters.one.format.rest`: `hiden` has no `{value}`; expected `pair`"),
        "{shown}"
    );
    assert_eq!(
        told("emitters.a.output = { type = 'stderr', direct = 'soon', queue = { overflow = 'drp' } }"),
        [
            "line 1: `emitters.a.output.direct` is `soon`; expected `true`, `false`; or a length of time, such as `30s` or `100ms`",
            "line 1: `emitters.a.output.queue.overflow` is `drp`; expected `drop`; or a length of time, such as `30s` or `100ms`; \
             the nearest is `drop`"
        ]
    );
}

#[test]
fn events_go_to_tracing_where_canonlog_has_that_feature() {
    let made = of("[emitters.one]\noutput = 'tracing'").make(std::iter::empty(), None);
    if cfg!(feature = "tracing") {
        let emitters = made.expect("it is right").emitters;
        assert!(format!("{emitters:?}").contains("output: \"tracing\""), "{emitters:?}");
    } else {
        let error = made.expect_err("there is no such feature").to_string();
        assert_eq!(error, "line 2: `emitters.one.output`: `tracing` needs canonlog's feature `tracing`");
    }
}
