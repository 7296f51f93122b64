//! Each variable of the environment: what it sets, and what is said of a value that it cannot have.

use super::*;

/// A variable, a value, the key that shows it, and how; then a value that it cannot have, and the end of what is said of it.
fn cases(log: &str) -> [[&str; 6]; 17] {
    [
        ["CANONLOG_LEVEL", "WARN", "emitters.default.level", "warning", "loud", "`disabled`"],
        ["CANONLOG_FORMAT", "Json", "emitters.default.format", "json", "jsno", "; the nearest is `json`"],
        ["CANONLOG_OUTPUT", "StdErr", "emitters.default.output", "stderr", "stdrr", "; the nearest is `stderr`"],
        ["CANONLOG_TIMEOUT", "1.5s", "timeout", "1500ms", "1 week", ", or `false`"],
        ["CANONLOG_POLL_LIMIT", "off", "poll_limit", "false", "soon", ", or `false`"],
        ["CANONLOG_CPU_TIME", "no", "cpu_time", "false", "perhaps", "expected `true`, `false`"],
        ["CANONLOG_STACKS", "10", "stacks", "10", "-1", "from 0 to 1000000"],
        ["CANONLOG_DRAIN", "500ms", "drain", "500ms", "x", "such as `30s` or `100ms`"],
        ["CANONLOG_DEBUG_LOG", log, "debug_log", log, "/no/such/folder/log", ")"],
        ["CANONLOG_MESSAGE_FIELDS", "req_method, req_path", "message_fields", "a list", "", ""],
        ["CANONLOG_SERVICE", "shop", "service", "shop", "", ""],
        ["CANONLOG_FEATURES", "process,thread", "features", "a list", "process,tread", "; the nearest is `thread`"],
        ["CANONLOG_STATUS", "1m", "status", "1min", "0.1ms", "at least `1ms`"],
        ["CANONLOG_LOOKBACK", "on", "lookback.enabled", "true", "maybe", "expected `true`, `false`"],
        ["CANONLOG_REDACT", "iban", "redact.keys", "a list", "*", "for any characters of a word"],
        ["CANONLOG_QUERY_STRINGS", "yes", "redact.query_strings", "true", "2", "expected `true`, `false`"],
        ["CANONLOG_SQL_LITERALS", "1", "redact.sql_literals", "true", "2", "expected `true`, `false`"],
    ]
}

#[test]
fn every_variable_sets_its_key_and_says_what_it_cannot_be() {
    let log = std::env::temp_dir().join(format!("canonlog-variables-{}.log", std::process::id()));
    let cases = cases(log.to_str().expect("a text"));
    let tried: Vec<&str> = cases.iter().map(|case| case[0]).collect();
    assert_eq!(tried, schema::VARIABLES.map(|(name, _)| name));
    // Without that feature there is none to take stacks.
    let cases = cases.into_iter().filter(|case| cfg!(feature = "stacks") || case[0] != "CANONLOG_STACKS");
    for [name, good, path, shown, wrong, said] in cases {
        let made = make(&program(), &[(name, good)]);
        let node = |variables: &[(&str, &str)]| make(&program(), variables).config.said.at(path).cloned();
        assert_eq!(value(&made, path), shown, "{name}: `{path}`");
        assert_ne!(node(&[(name, good)]), node(&[]), "{name} changes `{path}`");
        assert_eq!(node(&[(name, "")]), node(&[]), "{name}, empty");
        if !wrong.is_empty() {
            let variables = [(OsString::from(name), OsString::from(wrong))];
            let errors = program().make(variables.into_iter(), None).expect_err(name);
            let [error] = errors.all() else { panic!("{errors}") };
            assert_eq!(error.path(), name);
            assert!(
                error.to_string().starts_with(&format!("`{name}`")) && error.to_string().ends_with(said),
                "{error}"
            );
        }
    }
    std::fs::remove_file(&log).expect("it was opened");
}
