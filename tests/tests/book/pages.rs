//! Pages, their links, tables, and code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use canonlog_tests::book;

use super::*;

/// The links of a page that lead to other pages or places: where they lead.
fn links(text: &str) -> Vec<String> {
    let prose = outside_code(text);
    prose.match_indices("](").filter_map(|(at, _)| Some(prose[at + 2..].split_once(')')?.0.to_owned())).collect()
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
            let include = include.split_once("}}").expect("its end").0;
            let (path, part) = include.split_once(':').unwrap_or((include, ""));
            let program = read(folder.join(path));
            if part.is_empty() {
                continue; // the whole file
            }
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
fn what_locations_cost_is_what_the_benches_have_measured() {
    let rows = |text: String| -> BTreeMap<String, String> {
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        text.lines()
            .map(cells)
            .filter(|cells| cells.len() > 3 && cells[2].parse::<f64>().is_ok())
            .map(|cells| (cells[1].clone(), cells[2].clone()))
            .collect()
    };
    let (measured, told) = (rows(read("benches/README.md")), rows(page("reference/locations.md")));
    let same: Vec<_> = measured.iter().filter(|(what, _)| told.contains_key(*what)).collect();
    assert!(same.len() >= 5, "{same:?}");
    for (what, nanos) in same {
        assert_eq!(&told[what], nanos, "{what}");
    }
}
