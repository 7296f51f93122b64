//! What a configuration makes beside emitters.

use super::*;
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
    assert_eq!((kept(""), kept("[lookback]\ncapacity = 5")), (None, None));
    assert_eq!(kept("lookback.enabled = true"), Some(Lookback::new()));
    let all = "[lookback]\nenabled = true\ncapacity = 5\nbytes = '1KiB'\nmax_age = '1m'\nflush_level = 'warning'\n\
               keep_below = 'info'\nslower_than = '2s'";
    let lookback = Lookback::new().capacity(5).bytes(1_024).max_age(Duration::from_secs(60));
    let lookback = lookback.flush_level(Level::Warning).keep_below(Level::Info).slower_than(Duration::from_secs(2));
    assert_eq!(kept(all), Some(lookback));
}
