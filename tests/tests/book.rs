//! The book says what the code does, and nothing else.
//!
//! Names are read out of the sources by their shape; `the_events_of_every_kind_of_unit_are_in_the_reference` looks at events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use canonlog::tower::RequestLayer;
use canonlog::{
    Context, EventType, Format, Instrumenter, InstrumenterError, Json, Kind, LossReason, OwnedEvent, Unit, begin,
    instrument_request, on_error, operation, register_instrumenter, testing,
};
use canonlog_tests::{book, logfmt};
use tower::ServiceExt as _;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page(name: &str) -> String {
    read(Path::new("book/src").join(name))
}

/// Every page, by its path in `book/src`.
fn pages() -> impl Iterator<Item = &'static str> {
    book::PAGES.iter().chain(book::PARTS_OF_PROGRAMS).copied()
}

/// The files below a folder that end in `ending`, relative to it.
fn files(folder: &Path, ending: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.insert(path.strip_prefix(folder).expect("below it").to_string_lossy().into_owned());
            }
        }
    }
    found
}

/// The links of a page that lead to other pages or places: where they lead.
fn links(text: &str) -> Vec<String> {
    let prose = outside_code(text);
    prose.match_indices("](").filter_map(|(at, _)| Some(prose[at + 2..].split_once(')')?.0.to_owned())).collect()
}

/// A page without its blocks of code.
fn outside_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The blocks of a page that are written in a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let inside = text.split("\n```").skip(1).step_by(2);
    inside.filter_map(|block| block.strip_prefix(language)?.split_once('\n')).map(|(_, block)| block).collect()
}

/// Where a heading can be linked to, as mdBook names it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

fn anchors(text: &str) -> Vec<String> {
    let prose = outside_code(text);
    let headings = prose.lines().filter_map(|line| line.strip_prefix('#'));
    headings.map(|heading| anchor(heading.trim_start_matches('#'))).collect()
}

/// The words in backticks of the first column of a page's tables, below the heading given.
fn first_column(text: &str, heading: &str) -> BTreeSet<String> {
    rows(text, heading).into_iter().flat_map(|row| quoted(&row[0])).collect()
}

/// The rows of the tables below a heading, without the heads.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let lines = text.lines().skip_while(|line| line.trim_end() != heading);
    let below = lines.skip(1).take_while(|line| {
        let depth = line.chars().take_while(|c| *c == '#').count();
        depth == 0 || depth > level
    });
    let mut rows: Vec<Vec<String>> = Vec::new();
    for line in below {
        let Some(row) = line.strip_prefix('|') else { continue };
        let cells: Vec<String> =
            row.trim_end().trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if cells[0].starts_with("---") {
            rows.pop();
        } else {
            rows.push(cells);
        }
    }
    rows
}

/// What stands in backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A source without comments and unit tests.
fn code(path: &str) -> String {
    let text = read(path);
    let text = ["tests", "models"].iter().fold(text.as_str(), |text, tests| {
        text.split(&format!("#[cfg(test)]\nmod {tests} {{")).next().unwrap_or_default()
    });
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The sources of the library, by their path in `runtime/src`, with what they hold.
fn sources() -> BTreeMap<String, String> {
    let folder = root().join("runtime/src");
    let paths =
        files(&folder, ".rs").into_iter().filter(|path| !path.ends_with("tests.rs") && !path.ends_with("models.rs"));
    paths.map(|path| (path.clone(), code(&format!("runtime/src/{path}")))).collect()
}

/// The texts of a source, in order, each with what stands between it and the one before.
fn literals(code: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut rest, mut between) = (code, String::new());
    while let Some(at) = rest.find('"') {
        between.push_str(&rest[..at]);
        // A quote as a character is no text.
        if rest[..at].ends_with('\'') || rest[..at].ends_with("'\\") {
            rest = &rest[at + 1..];
            continue;
        }
        let text = &rest[at + 1..];
        let mut end = 0;
        while !text[end..].starts_with('"') {
            end += if text[end..].starts_with('\\') { 2 } else { text[end..].chars().next().map_or(1, char::len_utf8) };
            if end >= text.len() {
                return found;
            }
        }
        found.push((std::mem::take(&mut between), text[..end].to_owned()));
        rest = &text[end + 1..];
    }
    found
}

/// The namespaces of the framework's fields.
const NAMESPACES: [&str; 19] = [
    "event", "req", "job", "log", "exc", "resp", "cancel", "timeout", "db", "http", "rt", "poll", "dropped",
    "canonlog", "status", "process", "thread", "peer", "build",
];

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && !text.ends_with('_')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Names that the code holds but never writes into an event, and why.
const NEVER_WRITTEN: [(&str, &str); 2] =
    [("db_query", "the key of a record's queries"), ("canonlog_unknown_key", "stands for a number that no key has")];

/// The fields that the library can write: names in one text, and namespace and key in two.
fn written_fields() -> BTreeSet<String> {
    let mut fields: BTreeSet<String> = ["event_type", "event_time", "event_level"].map(str::to_owned).into();
    // Keys of the configuration are no fields.
    for (path, code) in sources().into_iter().filter(|(path, _)| !path.starts_with("setup/")) {
        // The order of fields names some that are for later.
        let code = match code.split_once("pub(crate) fn order(") {
            Some((before, after)) if path == "event/order.rs" => {
                [before, after.split_once("\n}\n").map_or("", |(_, after)| after)].concat()
            }
            _ => code,
        };
        let literals = literals(&code);
        for (at, (between, text)) in literals.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| literals[before].1.as_str());
            match before.filter(|namespace| between.trim() == "," && NAMESPACES.contains(namespace)) {
                Some(namespace) if is_word(text) => {
                    fields.insert(format!("{namespace}_{text}"));
                }
                // The times of a unit go into the namespace of its kind.
                _ if between.ends_with("set_in(namespace, ") => {
                    fields.extend(["job", "resp"].map(|namespace| format!("{namespace}_{text}")));
                }
                _ => {
                    let namespace = text.split_once('_').map(|(namespace, _)| namespace);
                    if is_word(text) && namespace.is_some_and(|namespace| NAMESPACES.contains(&namespace)) {
                        fields.insert(text.clone());
                    }
                }
            }
        }
    }
    for (name, _) in NEVER_WRITTEN {
        assert!(fields.remove(name), "`{name}` is not in the code any more");
    }
    fields
}

/// The framework's fields of the reference, with their types.
fn documented_fields() -> BTreeMap<String, String> {
    let reference = page("reference/fields.md");
    let mut fields = BTreeMap::new();
    for row in rows(&reference, "# Fields") {
        for name in quoted(&row[0]).into_iter().filter(|name| !name.starts_with("app_")) {
            assert!(fields.insert(name.clone(), row[1].clone()).is_none(), "`{name}` has two rows");
        }
    }
    fields
}

#[test]
fn every_page_is_in_the_summary_and_every_link_of_the_summary_leads_to_a_page() {
    let mut pages = files(&root().join("book/src"), ".md");
    pages.remove("SUMMARY.md");
    let linked: BTreeSet<String> = links(&page("SUMMARY.md")).into_iter().collect();
    assert_eq!(linked, pages);
}

#[test]
fn the_code_of_every_page_is_tested() {
    let mut pages = files(&root().join("book/src"), ".md");
    pages.remove("SUMMARY.md");
    assert_eq!(self::pages().map(str::to_owned).collect::<BTreeSet<_>>(), pages);
    for name in self::pages() {
        let text = page(name);
        for block in text.split("\n```rust").skip(1) {
            let (how, code) = block.split_once('\n').expect("a block");
            // Parts of programs stand on pages of their own; servers that would serve for ever are compiled only.
            let is_alike = book::PARTS_OF_PROGRAMS.contains(&name) == code.starts_with("{{#include ");
            let serves = how == ",no_run" && ["guide/start.md", "guide/serving.md"].contains(&name);
            assert!(is_alike && (how.is_empty() || serves), "{name}: {how}");
        }
    }
}

#[test]
fn every_part_of_a_program_that_a_page_shows_is_there() {
    let mut parts = 0;
    for name in pages() {
        let folder = Path::new("book/src").join(name).parent().expect("a folder").to_owned();
        for include in page(name).split("{{#include ").skip(1) {
            let (path, part) =
                include.split_once("}}").and_then(|(include, _)| include.split_once(':')).expect("a part");
            let program = read(folder.join(path));
            for end in ["ANCHOR", "ANCHOR_END"] {
                assert!(program.contains(&format!("// {end}: {part}\n")), "{name}: {path} has no {end} of `{part}`");
            }
            parts += 1;
        }
    }
    assert!(parts > 0);
}

#[test]
fn every_link_between_pages_leads_to_a_heading_that_is_there() {
    for name in pages() {
        let folder = Path::new(name).parent().expect("a folder");
        let own = page(name);
        for link in links(&own) {
            let (path, place) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { own.clone() } else { page(&folder.join(path).to_string_lossy()) };
            assert!(place.is_empty() || anchors(&target).iter().any(|anchor| anchor == place), "{name}: {link}");
        }
    }
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    for name in pages() {
        let mut cells = None;
        for line in outside_code(&page(name)).lines() {
            let bars = line.replace("\\|", "").matches('|').count();
            cells = line.starts_with('|').then(|| {
                assert_eq!(cells.unwrap_or(bars), bars, "{name}: {line}");
                bars
            });
        }
    }
}

#[test]
fn the_reference_has_every_field_that_the_code_can_write_and_no_other() {
    let documented: BTreeSet<String> = documented_fields().into_keys().collect();
    assert_eq!(documented, written_fields());
}

#[test]
fn fields_of_one_namespace_stand_in_the_reference_in_the_order_of_an_event() {
    let reference = page("reference/fields.md");
    for namespace in ["req", "job", "exc", "resp", "cancel", "timeout", "db", "rt", "poll"] {
        let rows: Vec<String> =
            rows(&reference, &format!("## {namespace}")).iter().flat_map(|row| quoted(&row[0])).collect();
        assert!(!rows.is_empty(), "{namespace}");
        let mut event = OwnedEvent::new(EventType::Request, canonlog::Level::Info, std::time::SystemTime::UNIX_EPOCH);
        for name in rows.iter().rev() {
            event.set(name, 1);
        }
        let ordered: Vec<String> = event.view().fields().map(|(name, _)| name.to_owned()).collect();
        // Where the code gives no order, fields keep that of their first write, which is reversed here.
        let free: Vec<String> = rows.iter().rev().cloned().collect();
        assert!(ordered == rows || ordered == free, "{ordered:?} is not {rows:?}");
    }
}

#[test]
fn every_line_that_a_page_shows_is_in_the_grammar_and_has_only_known_fields() {
    let known = documented_fields();
    let mut lines = 0;
    for name in pages() {
        for line in blocks(&page(name), "text").iter().flat_map(|block| block.lines()) {
            if !line.starts_with("event_type=") {
                continue;
            }
            lines += 1;
            let fields = logfmt::parse(line).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut event =
                OwnedEvent::new(EventType::Request, canonlog::Level::Info, std::time::SystemTime::UNIX_EPOCH);
            for (field, value) in &fields[3..] {
                let namespace = field.split('_').next().expect("a namespace");
                let ours = NAMESPACES.contains(&namespace);
                assert!(!ours || known.contains_key(field), "{name}: {field}");
                event.set(field, value.as_str());
            }
            let canonical: Vec<String> = event.view().fields().map(|(name, _)| name.to_owned()).collect();
            let shown: Vec<String> = fields[3..].iter().map(|(field, _)| field.clone()).collect();
            assert_eq!(shown, canonical, "{name}: the order of fields");
        }
    }
    assert!(lines > 5, "{lines} lines");
}

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

#[test]
fn the_migration_has_every_fault_and_every_section() {
    let page = page("migration.md");
    for fault in 1..=17 {
        assert!(page.contains(&format!("\n| T{fault} ")), "T{fault}");
    }
    for section in [
        "1.1.1",
        "1.1.2",
        "1.1.3",
        "1.1.4",
        "1.1.5",
        "1.1.6",
        "1.1.7",
        "1.1.8",
        "1.1.9",
        "1.2.1 to 1.2.7",
        "1.2.8",
        "1.2.9",
        "1.2.10",
        "1.2.11",
        "1.2.12",
        "1.2.13",
        "1.2.14",
        "1.2.15",
        "1.3.1",
        "1.3.2",
        "1.3.3",
        "1.3.4",
        "1.3.5",
        "1.3.6",
        "1.3.7",
        "1.3.8",
        "1.4",
        "1.5",
        "1.6",
        "1.7",
        "1.8",
        "1.9",
        "1.10",
        "1.11",
        "1.12",
        "1.13",
    ] {
        assert!(page.contains(&format!("\n| {section} ")), "{section}");
    }
}

#[register_instrumenter]
struct Faulty;

impl Instrumenter for Faulty {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        match unit.get("app_faulty") {
            Some(_) => Err("as the test asks".into()),
            None => Ok(()),
        }
    }
}

#[on_error(return = 0)]
fn fallback(number: &str) -> u8 {
    number.parse()?
}

#[operation]
fn parse(number: &str) -> Result<u8, std::num::ParseIntError> {
    number.parse()
}

#[instrument_request]
async fn fails() -> Result<&'static str, String> {
    Context::set("faulty", true);
    Context::set("Not A Key", "x".repeat(10_000));
    canonlog::template_error("cart.html", 12);
    canonlog::db::record_query("select 1", Duration::from_millis(1));
    Err(format!("{} and {:?}", fallback("x"), parse("y")))
}

#[instrument_request(kind = "job", name = "mails")]
fn job() -> Result<(), std::fmt::Error> {
    panic!("as the test asks")
}

/// Whether a test is there, by its program, module and name: `promises_process::killed::..`.
fn is_test(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split("::").collect();
    let name = parts.pop().unwrap_or_default();
    let folders: &[&str] = match parts.first() {
        Some(&"canonlog") => {
            parts[0] = "src";
            &["runtime"]
        }
        _ => &["tests/tests", "tests/stuck/tests", "examples/tests", "trybuild/tests", "runtime/tests"],
    };
    let module = parts.join("/");
    let sources = folders.iter().flat_map(|folder| {
        [".rs", "/mod.rs", "/tests.rs", "/models.rs", "/main.rs"]
            .map(|end| root().join(format!("{folder}/{module}{end}")))
    });
    sources.filter_map(|source| fs::read_to_string(source).ok()).any(|source| {
        let Some((before, _)) = source.split_once(&format!("fn {name}(")) else { return false };
        // Its attributes, on the lines above.
        let above = before.rsplit_once('\n').map_or("", |(above, _)| above).lines().rev();
        let mut attributes = above.map(str::trim_start).take_while(|line| line.starts_with("#["));
        attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

#[test]
fn every_promise_has_a_test_that_exists_or_says_why_it_has_none() {
    assert!(!is_test("promises_faults::scratch") && !is_test("promises_faults::nothing_of_this_name"));
    let rows = rows(&page("reference/proofs.md"), "# What proves it");
    let ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    for (letter, count) in [('I', 13), ('E', 7), ('O', 6), ('F', 15), ('R', 13)] {
        let of: Vec<&str> = ids.iter().copied().filter(|id| id.starts_with(letter)).collect();
        assert_eq!(of, (1..=count).map(|n| format!("{letter}{n}")).collect::<Vec<_>>());
    }
    for row in &rows {
        let tests = quoted(&row[2]);
        let why = ["no output of this version", "there is none"].iter().any(|why| row[2].starts_with(why));
        assert_eq!(tests.is_empty(), why, "{row:?}");
        for test in tests {
            assert!(is_test(&test), "{}: there is no test `{test}`", row[0]);
        }
    }
}

/// The type that a value has in a JSON event, as the reference names it.
fn fits(value: &serde_json::Value, documented: &str) -> bool {
    match documented {
        "text" => value.is_string() || value.is_null(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "duration" => value.is_f64(),
        _ => false,
    }
}

#[tokio::test]
async fn the_events_of_every_kind_of_unit_are_in_the_reference() {
    let capture = testing::capture();

    let app = Router::new().route("/fails/{id}", get(fails)).route("/stream", get(stream)).layer(RequestLayer::new());
    for path in ["/fails/7", "/missing", "/stream"] {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let response = app.clone().oneshot(request).await.expect("an answer");
        axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    }
    drop(app.clone().oneshot(Request::get("/stream").body(Body::empty()).expect("a request")));

    let scope = begin(Kind::Request);
    scope.enter(|| Context::set_timeout(Duration::from_secs(30)));
    let late = scope.context();
    assert_eq!(capture.tick_timeouts(Duration::from_secs(31)), 1);
    scope.cancelled();
    scope.enter(|| std::panic::catch_unwind(job)).expect_err("it panics");
    scope.finish();
    late.set_in("app", "late", true);
    Context::set("outside", true);
    begin(Kind::Request).finish();

    let known = documented_fields();
    let mut seen = BTreeSet::new();
    for event in capture.events() {
        let mut line = Vec::new();
        Json::new().format(&event.view(), &mut line);
        let object: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&line).expect("an object");
        for (name, value) in object.iter().filter(|(name, _)| !name.starts_with("app_")) {
            let documented = known.get(name).unwrap_or_else(|| panic!("`{name}` is not in the reference: {object:?}"));
            assert!(fits(value, documented), "`{name}` is {value}, and not {documented}");
            seen.insert(name.clone());
        }
    }
    for name in [
        "req_route",
        "job_parent",
        "job_outcome",
        "exc_template",
        "exc_panic",
        "resp_ttfb",
        "timeout_limit",
        "db_queries",
        "rt_w_count",
        "canonlog_instrumenter_errors",
        "canonlog_truncated",
        "canonlog_renamed_keys",
        "canonlog_outside_writes",
        "canonlog_late_writes",
    ] {
        assert!(seen.contains(name), "no event has `{name}`: {seen:?}");
    }
}

async fn stream() -> Body {
    let chunks = ["one", "two"].map(Ok::<_, std::convert::Infallible>);
    Body::from_stream(futures_util::stream::iter(chunks))
}
