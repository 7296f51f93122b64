//! Wrong programs are told what they are told without an attribute.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What the compiler says of each program of a folder: code, text and place of each error, in order.
fn told(folder: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wrong").join(folder);
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a text");
            let lines: Vec<&str> = text.lines().collect();
            let errors = lines.iter().enumerate().filter(|(_, line)| line.starts_with("error"));
            let errors = errors.map(|(at, error)| {
                let place = lines[at..].iter().find_map(|line| line.trim().strip_prefix("--> ")).unwrap_or_default();
                // The type of a value that was moved is asked for first, which is a borrow and not a move.
                let text = error.replace("borrow of moved", "use of moved");
                (text, place.rsplit('/').next().unwrap_or_default().to_owned())
            });
            // What no `?` can stand behind is reported by the tap and by the `?` itself, in the same words.
            let mut errors: Vec<_> = errors.collect();
            errors.dedup_by(|next, first| next.0 == first.0);
            programs.insert(name, errors);
        }
    }
    programs
}

#[test]
fn an_attribute_changes_neither_the_code_nor_the_text_nor_the_place_of_an_error() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("wrong/*/*.rs");
    drop(cases);
    let (plain, traced) = (told("plain"), told("traced"));
    assert_eq!(plain.len(), 9);
    assert_eq!(plain, traced);
}
