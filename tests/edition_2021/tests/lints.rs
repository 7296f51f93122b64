//! Clippy says of a function with an attribute what it says of it without.

use std::collections::BTreeSet;
use std::env;
use std::process::{Command, Stdio};

/// Lints that do not look at what a macro has touched.
const NOT_IN_EXPANSIONS: [&str; 10] = [
    "clippy::cast_lossless",
    "clippy::cast_sign_loss",
    "clippy::manual_async_fn",
    "clippy::match_bool",
    "clippy::missing_const_for_fn",
    "clippy::needless_question_mark",
    "clippy::needless_return",
    "clippy::nonminimal_bool",
    "clippy::trivially_copy_pass_by_ref",
    "clippy::use_self",
];

/// Each warning: the lint and the line.
type Warnings = BTreeSet<(String, u64)>;

/// What clippy says of the functions with their attributes, and without.
fn warnings() -> (Warnings, Warnings) {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["clippy", "--quiet", "--tests", "--message-format=json", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(["--", "-Wclippy::all", "-Wclippy::pedantic", "-Wclippy::nursery"])
        .env("CANONLOG_TESTS_LINTED", "true")
        .stderr(Stdio::inherit())
        .output()
        .expect("clippy is a component of the toolchain");
    assert!(output.status.success(), "what was said is above");
    let (mut traced, mut plain) = (Warnings::new(), Warnings::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("a message a line");
        let target = match message["target"]["name"].as_str() {
            Some("torture") => &mut traced,
            Some("plain") => &mut plain,
            _ => continue,
        };
        let message = &message["message"];
        let primary = message["spans"].as_array().into_iter().flatten().find(|span| span["is_primary"] == true);
        if let (Some(lint), Some(line)) = (message["code"]["code"].as_str(), primary.map(|span| &span["line_start"])) {
            target.insert((lint.to_owned(), line.as_u64().expect("a line")));
        }
    }
    (traced, plain)
}

#[test]
fn an_attribute_adds_no_warning_and_hides_only_those_that_leave_macros_alone() {
    let (traced, plain) = warnings();
    assert!(plain.len() > 10 && traced.len() > 10, "clippy has something to say: {plain:?} {traced:?}");
    let added: Vec<_> = traced.difference(&plain).collect();
    assert!(added.is_empty(), "{added:?}");
    let hidden: Vec<_> =
        plain.difference(&traced).filter(|(lint, _)| !NOT_IN_EXPANSIONS.contains(&lint.as_str())).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}
