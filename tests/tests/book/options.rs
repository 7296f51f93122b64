//! What can be chosen: arguments, options, limits, variables, features; and what is counted.

use std::collections::BTreeSet;
use std::fs;

use canonlog::{EventType, LossReason};

use super::*;

/// The arguments of a macro, as its model names them.
fn arguments(folder: &str) -> BTreeSet<String> {
    let model = code(&format!("macros/src/{folder}/model.rs"));
    let known = model.split("Known { name: \"").skip(1);
    known.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}

#[test]
fn the_reference_has_every_argument_of_every_macro_and_no_other() {
    let reference = page("reference/macros.md");
    let macros = read("macros/src/lib.rs");
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(root().join("macros/src")).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.join("model.rs").is_file() {
            folders.insert(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
    assert_eq!(folders.len(), 6, "{folders:?}");
    for folder in folders {
        let documented = first_column(&reference, &format!("## {folder}"));
        let names = documented.iter().map(|argument| argument.split([' ', '(']).next().unwrap_or_default().to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), arguments(&folder), "{folder}");
        assert!(macros.contains(&format!("pub fn {folder}(")), "`{folder}` is no macro");
    }
}

/// The public methods of a source by which something is configured, from the `impl` block given to its end.
fn methods(source: &str, of: &str) -> BTreeSet<String> {
    let code = code(&format!("runtime/src/{source}"));
    let (_, block) =
        code.split_once(&format!("\nimpl {of} {{\n")).unwrap_or_else(|| panic!("no `impl {of}` in {source}"));
    let block = block.split("\n}\n").next().unwrap_or_default();
    let block = format!("\n{block}");
    let public = block.split("\n    pub ").skip(1).filter_map(|rest| rest.split_once("fn ")?.1.split_once(['(', '<']));
    public.map(|(name, _)| name.to_owned()).collect()
}

fn names_of_calls(column: BTreeSet<String>) -> BTreeSet<String> {
    column.into_iter().filter_map(|call| Some(call.split_once('(')?.0.rsplit("::").next()?.to_owned())).collect()
}

#[test]
fn the_reference_has_every_option_and_no_other() {
    let reference = page("reference/setup.md");
    let but = |mut names: BTreeSet<String>, without: &[&str]| {
        names.retain(|name| !without.contains(&name.as_str()));
        names
    };
    for (heading, source, of, without) in [
        ("## Setup", "setup/mod.rs", "Setup", &[][..]),
        ("## Guard", "setup/guard.rs", "Guard", &[]),
        ("## Emitter", "emitter/mod.rs", "Emitter", &["new", "name", "minimum"]),
        ("## Emitters while the program runs", "pipeline/live.rs", "LiveEmitters", &[]),
        ("## Background", "output/background/options.rs", "Background", &["new"]),
        ("## RequestLayer", "integrations/tower/mod.rs", "RequestLayer", &["new"]),
    ] {
        let documented = names_of_calls(first_column(&reference, heading));
        assert_eq!(documented, but(methods(source, of), without), "{heading}");
    }
    let mut options = BTreeSet::new();
    for (source, of) in [
        ("logfmt.rs", "Logfmt"),
        ("talisker.rs", "Talisker"),
        ("text/mod.rs", "TextLine"),
        ("template/mod.rs", "Template"),
        ("gelf.rs", "Gelf"),
        ("otlp.rs", "Otlp"),
        ("pretty.rs", "Pretty"),
    ] {
        let names = but(methods(&format!("format/{source}"), of), &["new"]);
        options.extend(names.iter().map(|name| format!("{of}::{name}")));
    }
    let documented = first_column(&reference, "## Formats");
    let documented = documented.iter().map(|call| call.split('(').next().unwrap_or_default().to_owned());
    assert_eq!(documented.collect::<BTreeSet<_>>(), options);
}

#[test]
fn the_reference_has_every_limit_that_can_be_set() {
    let reference = page("reference/limits.md");
    let column: BTreeSet<String> = rows(&reference, "# Limits").iter().flat_map(|row| quoted(&row[2])).collect();
    for name in methods("setup/limits.rs", "Limits") {
        assert!(column.contains(&format!("Limits::{name}")), "{name}");
    }
}

#[test]
fn the_reference_has_every_variable_of_the_environment_and_no_other() {
    let in_code: BTreeSet<String> = sources()
        .values()
        .flat_map(|code| literals(code))
        .map(|(_, text)| text)
        // A prefix alone is no variable.
        .filter(|text| text != "CANONLOG_")
        .filter(|text| {
            text.starts_with("CANONLOG_") || matches!(text.as_str(), "NO_COLOR" | "CLICOLOR_FORCE" | "TERM" | "DEVEL")
        })
        .collect();
    assert_eq!(first_column(&page("reference/setup.md"), "## Environment"), in_code);
}

#[test]
fn the_reference_has_every_type_of_event_that_is_written() {
    let documented = first_column(&page("reference/events.md"), "# Events");
    let code: String = sources().into_values().collect();
    for kind in [
        EventType::Request,
        EventType::Job,
        EventType::Timeout,
        EventType::PartialFailure,
        EventType::LateResponse,
        EventType::Lost,
        EventType::Dropped,
        EventType::Log,
        EventType::Status,
    ] {
        // Beside its declaration and its name, a type that is written stands somewhere as a value.
        let constructed = format!("EventType::{kind:?}");
        let uses = code.matches(&constructed).count();
        let is_written = !matches!(kind, EventType::Lost);
        assert_eq!(documented.contains(kind.as_str()), is_written, "{kind}");
        assert!(!is_written || uses > 1, "{kind} stands {uses} times in the code");
    }
}

#[test]
fn the_reference_has_every_reason_of_a_loss_and_every_count_and_no_other() {
    let reference = page("reference/counters.md");
    let reasons: BTreeSet<String> = LossReason::ALL.iter().map(|reason| reason.as_str().to_owned()).collect();
    assert_eq!(first_column(&reference, "## Why an event is lost"), reasons);
    let counts: BTreeSet<String> = canonlog::stats().counts().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(first_column(&reference, "## Other counts"), counts);
}

#[test]
fn the_features_that_the_guide_names_are_those_of_the_crate() {
    let manifest = read("runtime/Cargo.toml");
    let (_, features) = manifest.split_once("[features]\n").expect("features");
    let features = features.split("\n[").next().unwrap_or_default();
    let known: BTreeSet<&str> = features
        .lines()
        .filter_map(|line| Some(line.split_once(" = [")?.0))
        .filter(|name| *name != "default")
        .collect();
    let rows = rows(&page("guide/start.md"), "## Add the crate");
    let named: BTreeSet<String> = rows.iter().flat_map(|row| quoted(&row[0])).collect();
    for name in &named {
        assert!(known.contains(name.as_str()), "there is no feature `{name}`");
    }
    let mentioned: String = rows.concat().concat();
    for name in known {
        assert!(mentioned.contains(&format!("`{name}`")), "the guide does not name the feature `{name}`");
    }
}
