//! Which file may know which, and how the sources are laid out. `CONTRIBUTING.md` tells it in words.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The parts of the runtime. Each imports only from those before it.
const ORDER: &[&str] = &[
    "nearest",
    "value",
    "level",
    "interval",
    "scratch",
    "inside",
    "redact",
    "event",
    "sys",
    "internal",
    "clock",
    "id",
    "counters",
    "inc",
    "record",
    "trace",
    "registry",
    "fields",
    "context",
    "db",
    "unit",
    "features",
    "lookback",
    "instrumenter",
    "monitor",
    "format",
    "output",
    "emitter",
    "pipeline",
    "message",
    "stats",
    "setup",
    "integrations",
    "testing",
    "__private",
    "macros",
];

/// Imports against the order: in which files, of what, and why it has to be.
const AGAINST_THE_ORDER: [(&str, &str, &str); 3] = [
    ("sys/slab.rs", "record", "says of two types, which hold nothing but atomics, that zeroes are valid"),
    ("monitor/", "pipeline", "closes records, and hands them to the thread that reports them"),
    ("setup/config/outputs.rs", "integrations", "a configuration can name the output to `tracing`"),
];

/// Lines of a source. Tests may be longer: they are lists.
const LONGEST: usize = 450;

/// What expansions name of the runtime beside `__private`, and why.
const BESIDE_PRIVATE: [(&str, &str); 4] = [
    ("Fields", "the trait that `#[derive(Fields)]` implements"),
    ("Value", "in the signature of that trait's method"),
    ("ToValue", "in the bounds of its impls, where errors show it"),
    ("instrument_request", "the attribute itself, put back below a `#[cfg_attr]`"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder of the workspace: their paths from there, and their texts.
fn files(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, from: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder of the sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, from, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(from).expect("below it").to_string_lossy().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    let folder = root().join(folder);
    let mut found = Vec::new();
    walk(&folder, &folder, &mut found);
    assert!(!found.is_empty(), "no Rust files in {}", folder.display());
    found.sort();
    found
}

/// The text without comments, and without what is compiled for unit tests only.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" || line.starts_with("#[cfg(all(test,") {
            let item = lines.next().unwrap_or_default();
            // rustfmt puts the end of a block below its beginning.
            if item.ends_with('{') {
                lines.by_ref().take_while(|line| *line != "}").for_each(drop);
            }
            continue;
        }
        let line = line.split_once(" // ").map_or(line, |(code, _)| code);
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The word at the beginning, or the first words of each path in the braces there.
fn names(text: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![word(text)] };
    let (mut names, mut depth, mut rest) = (vec![word(group.trim_start())], 1, group);
    while let (1.., Some(at)) = (depth, rest.find(['{', '}', ','])) {
        let (what, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        match what {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ if depth == 1 => names.push(word(after.trim_start())),
            _ => {}
        }
        rest = after;
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What a file names at the top of its crate, by `crate::` or by `super::` often enough.
fn imports(file: &str, code: &str) -> BTreeSet<String> {
    let depth = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let to_top = "super::".repeat(depth);
    let mut found = BTreeSet::new();
    for prefix in ["crate::", &to_top] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| is_word(c) || c == '$' || c == ':') {
                found.extend(names(&code[at + prefix.len()..]));
            }
        }
    }
    found
}

/// The part that something at the top of the runtime comes from: itself, or what `lib.rs` re-exports it from.
fn part(name: &str, lib: &str) -> String {
    if ORDER.contains(&name) {
        return name.to_owned();
    }
    let exports = lib.split("pub use ").skip(1).filter_map(|export| export.split(';').next());
    let found = exports.filter(|export| export.split(|c| !is_word(c)).any(|word| word == name));
    let from = found.map(|export| names(export).remove(0)).next();
    from.unwrap_or_else(|| panic!("`{name}` is neither in the order nor re-exported by `lib.rs`"))
}

fn rank(part: &str) -> usize {
    let rank = ORDER.iter().position(|known| *known == part);
    rank.unwrap_or_else(|| panic!("`{part}` has no place in the order"))
}

/// Each import against the order: the file, and the part.
fn against_the_order() -> BTreeSet<(String, String)> {
    let files = files("runtime/src");
    let lib = files.iter().find(|(file, _)| file == "lib.rs").map(|(_, text)| code(text)).expect("`lib.rs`");
    let mut found = BTreeSet::new();
    for (file, text) in files.iter().filter(|(file, _)| file != "lib.rs" && !file.ends_with("tests.rs")) {
        let own = rank(file.split(['/', '.']).next().unwrap_or_default());
        let parts = imports(file, &code(text)).into_iter().map(|name| part(&name, &lib));
        found.extend(parts.filter(|part| rank(part) > own).map(|part| (file.clone(), part)));
    }
    found
}

#[test]
fn a_file_imports_only_from_parts_before_its_own() {
    let known =
        |file: &str, part: &str| AGAINST_THE_ORDER.iter().any(|(at, of, _)| file.starts_with(at) && *of == part);
    let new: Vec<_> = against_the_order().into_iter().filter(|(file, part)| !known(file, part)).collect();
    assert!(new.is_empty(), "imports against the order (`ORDER` in this file): {new:#?}");
}

#[test]
fn every_exception_is_still_needed() {
    let found = against_the_order();
    for (at, of, _) in AGAINST_THE_ORDER {
        let needed = found.iter().any(|(file, part)| file.starts_with(at) && part == of);
        assert!(needed, "nothing in {at} imports `{of}` any more: take the exception away");
    }
}

#[test]
fn unsafe_code_is_in_sys_alone() {
    for folder in ["runtime/src", "macros/src", "examples/src"] {
        for (file, text) in files(folder) {
            let words = code(&text);
            let allowed = folder == "runtime/src" && file.starts_with("sys/");
            // The macros handle the keyword in others' functions.
            let unsafe_code = words.contains("(unsafe_code") || (folder != "macros/src" && words.contains("unsafe "));
            assert!(allowed || !unsafe_code, "{folder}/{file} has unsafe code");
        }
    }
}

#[test]
fn no_file_is_long() {
    let folders = ["runtime/src", "macros/src", "examples/src"];
    let all = folders
        .iter()
        .flat_map(|folder| files(folder).into_iter().map(move |(file, text)| (format!("{folder}/{file}"), text)));
    let long = all.filter(|(_, text)| text.lines().count() > LONGEST).map(|(file, _)| file);
    let long: Vec<String> = long.collect();
    assert!(long.is_empty(), "past {LONGEST} lines, so make each a folder: {long:#?}");
}

#[test]
fn expansions_name_the_runtime_through_private_alone() {
    for (file, text) in files("macros/src").iter().filter(|(file, _)| !file.ends_with("tests.rs")) {
        let code = code(text);
        for prefix in ["::canonlog::", "#krate::", "#crate_path::", "#path::"] {
            for (at, _) in code.match_indices(prefix) {
                let name = names(&code[at + prefix.len()..]).remove(0);
                let known = name == "__private" || BESIDE_PRIVATE.iter().any(|(known, _)| *known == name);
                assert!(known, "macros/src/{file} writes `{prefix}{name}`: re-export it in `__private`");
            }
        }
    }
}

#[test]
fn nothing_but_expansions_calls_private() {
    for (file, text) in files("runtime/src") {
        if !file.starts_with("__private/") && file != "lib.rs" {
            assert!(!imports(&file, &code(&text)).contains("__private"), "{file} calls `__private`");
        }
    }
    for (file, text) in files("examples/src") {
        assert!(!text.contains("canonlog::__private"), "examples/src/{file} calls `__private`");
    }
}

#[test]
fn the_shop_is_built_without_what_only_tests_need() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .current_dir(root())
        .output()
        .expect("cargo");
    let crates = String::from_utf8_lossy(&tree.stdout);
    assert!(crates.contains("canonlog-examples") && crates.contains("sqlx-sqlite"), "{tree:?}");
    for other in ["canonlog-tests", "sqlx-mysql", "sqlx-postgres", "minijinja", "proptest"] {
        let found = crates.lines().any(|line| line.split(' ').next() == Some(other));
        assert!(!found, "`cargo run --bin shop` builds `{other}`: `default-members` says whose features it has");
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "
        //! crate::comment
        use crate::value::Value; // crate::trailing
        use crate::{level::Level, event::{Event, EventType}, id};
        pub(in crate::record) fn f() { crate::sys::fork::pid(); $crate::macros::m!(); other_crate::x(); }
        use super::super::clock;
        use super::queue;
    ";
    let found = imports("output/file.rs", &code(text));
    let expected = ["clock", "event", "id", "level", "record", "sys", "value"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
    let found = imports("output/mod.rs", "use super::clock;");
    assert_eq!(found, BTreeSet::from(["clock".to_owned()]), "one step up is the top here");
    let text = "use crate::id;\n#[cfg(test)]\nmod tests {\n    use crate::testing;\n}\nuse crate::db;\n#[cfg(test)]\nmod t;\nuse crate::level;\n";
    assert_eq!(imports("x.rs", &code(text)), BTreeSet::from(["db", "id", "level"].map(str::to_owned)));
}
