//! What proves each promise, and what became of each fault of others.

use std::fs;

use super::*;

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
