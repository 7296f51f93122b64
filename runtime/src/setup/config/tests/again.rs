//! A configuration that is read again.

use super::*;

fn made(program: &Program, variables: &[(&str, &str)], before: Option<&Config>) -> Result<Made, ConfigErrors> {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    program.make(variables, before)
}

#[test]
fn a_file_that_is_gone_is_a_mistake_where_there_was_one_and_the_working_directory_does_not_count() {
    // Not the working directory.
    let folder = std::env::temp_dir().join(format!("canonlog-again-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = Program { source: Source::Search, folder: folder.clone(), ..program() };
    for variables in [&[][..], &[("CANONLOG_CONFIG", "canonlog.toml")]] {
        std::fs::write(folder.join("canonlog.toml"), "[redact]\nkeys = ['card']").expect("it can be written");
        let first = made(&program, variables, None).expect("it is right");
        assert_eq!((first.is_of_file, first.redaction.keys), (true, vec!["card".to_owned()]));
        std::fs::write(folder.join("canonlog.toml"), b"service = '\xFF'").expect("it can be written");
        let errors = made(&program, variables, Some(&first.config)).expect_err("it is no text").to_string();
        assert!(errors.starts_with("canonlog.toml: it cannot be read: it is no text in UTF-8"), "{errors}");
        assert_eq!(errors.ends_with("; `CANONLOG_CONFIG` names it"), !variables.is_empty(), "{errors}");
        std::fs::remove_file(folder.join("canonlog.toml")).expect("it was there");
        let errors = made(&program, variables, Some(&first.config)).expect_err("it is gone").to_string();
        assert!(errors.starts_with("canonlog.toml: it cannot be read: "), "{errors}");
    }
    let none = made(&program, &[], None).expect("nobody needs a file");
    assert!(!none.is_of_file && made(&program, &[], Some(&none.config)).is_ok());
    std::fs::remove_dir(&folder).expect("it is empty");
}

#[test]
fn files_of_outputs_are_where_the_program_was_started_wherever_it_is_now() {
    let folder = std::env::temp_dir().join(format!("canonlog-paths-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = "debug_log = 'debug.log'\noutputs.shared = { type = 'file', path = 'shared.log' }\n\
                [emitters]\na.output = './a.log'\nb.output = { type = 'file', path = 'b.log' }\nc.output = 'shared'";
    let program = Program { folder: folder.clone(), ..of(text) };
    made(&program, &[("CANONLOG_OUTPUT", "./first.log")], None).expect("it is right");
    let mut found: Vec<_> = std::fs::read_dir(&folder).expect("it").flatten().map(|entry| entry.file_name()).collect();
    found.sort();
    assert_eq!(found, ["b.log", "debug.log", "first.log", "shared.log"]);
    std::fs::remove_dir_all(&folder).expect("it is ours");
}

#[test]
fn an_incremental_one_makes_the_emitters_that_it_names_and_no_others() {
    let first = made(&of("[emitters.one]\noutput = 'stdout'"), &[], None).expect("it is right");
    let program = Program {
        emitters: vec![Emitter::new("own"), Emitter::new("other")],
        shortcuts: Emitter::new("default").output(crate::output::Stderr::new()),
        ..of("incremental = true\n[emitters.two]\nlevel = 'error'\n[emitters.own]")
    };
    let second = made(&program, &[], Some(&first.config)).expect("it is right");
    let names: Vec<&str> = second.emitters.iter().map(Emitter::name).collect();
    assert_eq!(names, ["two", "own"]);
    assert!(!format!("{:?}", second.emitters).contains("stderr"), "neither is the first: {:?}", second.emitters);
    let holds = second.config.to_string();
    assert!(holds.contains("[emitters.one]") && holds.contains("[emitters.two]"), "{holds}");
    let again = Program { source: Source::Given(Config::parse("incremental = true").expect("right")), ..program };
    assert!(made(&again, &[], Some(&second.config)).expect("it is right").emitters.is_empty());
}
