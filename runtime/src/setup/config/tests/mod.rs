mod again;
mod listed;
mod made;
mod mistakes;
mod offered;
mod properties;
mod secrets;
mod variables;

use super::*;
use crate::level::LevelFilter;

fn told(text: &str) -> Vec<String> {
    let errors = Config::parse(text).expect_err("something is wrong with it");
    errors.all().iter().map(ToString::to_string).collect()
}

fn program() -> Program {
    Program {
        emitters: Vec::new(),
        shortcuts: Emitter::new("default"),
        said: Table::default(),
        lookback: None,
        source: Source::Given(Config::new()),
        folder: PathBuf::new(),
    }
}

fn of(text: &str) -> Program {
    Program { source: Source::Given(Config::parse(text).expect("it is right")), ..program() }
}

fn make(program: &Program, variables: &[(&str, &str)]) -> Made {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    program.make(variables, None).expect("all is right")
}

/// A value of the configuration that holds, as TOML has it.
fn value(made: &Made, path: &str) -> String {
    made.config.said.at(path).map_or_else(|| "nothing".to_owned(), Node::shown)
}

#[test]
fn later_wins_and_the_program_is_last() {
    let file = of("timeout = '10s'\ndrain = '3s'\ncpu_time = false\n[redact]\nkeys = ['iban']");
    assert_eq!(value(&make(&file, &[]), "timeout"), "10s");
    assert_eq!(value(&make(&program(), &[]), "timeout"), "false");
    let mut all = file.clone();
    all.said.put("drain", Node::text("1s"));
    all.said.put("redact.keys", tree::What::List(vec![Node::text("card")]).into());
    let made = make(&all, &[("CANONLOG_TIMEOUT", "20s"), ("CANONLOG_DRAIN", "2s"), ("CANONLOG_REDACT", "pin")]);
    let got = ["timeout", "drain", "cpu_time", "poll_limit"].map(|path| value(&made, path));
    assert_eq!(got, ["20s", "1s", "false", "100ms"]);
    assert_eq!(made.redaction.keys, ["iban", "pin", "card"], "what somebody wants to be hidden is");
    assert_eq!(made.settings.timeout, Some(Duration::from_secs(20)));
}

#[test]
fn emitters_of_the_file_take_the_place_of_the_default_one() {
    let made = make(&of("format = 'json'\n[emitters.one]\n[emitters.two]\nlevel = 'error'"), &[]);
    assert_eq!(made.emitters.iter().map(Emitter::name).collect::<Vec<_>>(), ["one", "two"]);
    let got = ["emitters.one.format", "emitters.two.format", "emitters.two.level"].map(|path| value(&made, path));
    assert_eq!(got, ["json", "logfmt", "error"]);
    let made = make(
        &of("[emitters.one]\nlevel = 'error'\n[emitters.two]"),
        &[("CANONLOG_LEVEL", "notice"), ("CANONLOG_FORMAT", "pretty")],
    );
    let got = ["emitters.one.level", "emitters.two.level", "emitters.one.format", "emitters.two.format"];
    assert_eq!(got.map(|path| value(&made, path)), ["notice", "notice", "pretty", "logfmt"]);
    assert!(make(&of("emitters = {}"), &[]).emitters.is_empty(), "none at all can be asked for");
    assert_eq!(make(&of("level = 'error'"), &[]).emitters[0].minimum(), LevelFilter::Error);
}

#[test]
fn incremental_keeps_what_was_there_and_adds_to_it() {
    let first = make(&of("[emitters.one]\nlevel = 'info'\n[emitters.two]"), &[]);
    let second = of("incremental = true\n[emitters.two]\nlevel = 'error'\n[emitters.three]");
    let made = second.make([].into_iter(), Some(&first.config)).expect("all is right");
    let names: Vec<&str> = made.emitters.iter().map(Emitter::name).collect();
    assert_eq!((names, value(&made, "emitters.two.level")), (vec!["two", "three"], "error".to_owned()));
    assert_eq!(value(&made, "emitters.one.level"), "info", "it is there still");
    assert_eq!(make(&second, &[]).emitters.len(), 3, "at first, that is the default one");
}

#[test]
fn the_programs_emitters_are_completed_and_never_changed() {
    let emitters = vec![Emitter::new("a").level(LevelFilter::Error), Emitter::new("b")];
    let made = make(&Program { emitters: emitters.clone(), ..program() }, &[("CANONLOG_LEVEL", "notice")]);
    let levels: Vec<LevelFilter> = made.emitters.iter().map(Emitter::minimum).collect();
    assert_eq!(levels, [LevelFilter::Error, LevelFilter::Notice]);
    let with_file = Program { emitters, ..of("[emitters.b]\nlevel = 'critical'\n[emitters.c]") };
    let made = make(&with_file, &[]);
    let all: Vec<_> = made.emitters.iter().map(|emitter| (emitter.name(), emitter.minimum())).collect();
    assert_eq!(all, [("b", LevelFilter::Debug), ("c", LevelFilter::Debug), ("a", LevelFilter::Error)]);
    assert!(made.config.to_string().contains("# The program brings the emitter `a`."));
}

#[test]
fn what_cannot_be_opened_is_told_with_its_path_and_nothing_is_applied() {
    let two = of(
        "emitters.a.output = '/no/such/folder/a.log'\nemitters.b.output = { type = 'file', path = '/no/such/folder/b.log' }",
    );
    let errors = two.make([].into_iter(), None).expect_err("no such folder");
    let paths: Vec<(&str, Option<usize>)> = errors.all().iter().map(|error| (error.path(), error.line())).collect();
    assert_eq!(paths, [("emitters.a.output", Some(1)), ("emitters.b.output", Some(2))]);
    let both = of("debug_log = '/no/such/folder/debug.log'\nemitters.a.output = '/no/such/folder/a.log'");
    let errors = both.make([].into_iter(), None).expect_err("no such folder");
    let paths: Vec<&str> = errors.all().iter().map(|error| error.path()).collect();
    assert_eq!(paths, ["emitters.a.output", "debug_log"]);
}

#[test]
fn outputs_have_names_that_several_emitters_may_use() {
    let text = "[outputs.main]\ntype = 'stderr'\nqueue = { events = 64, overflow = '5ms' }\n\
                [emitters.a]\noutput = 'main'\n[emitters.b]\noutput = 'main'\nformat = 'json'";
    let made = make(&of(text), &[("CANONLOG_OUTPUT", "main")]);
    assert!(format!("{:?}", made.emitters[0]).contains("stderr"), "{:?}", made.emitters[0]);
    assert!(told("emitters.a.output = 'mian'\noutputs.main = 'stderr'")[0].ends_with("the nearest is `main`"));
}

#[test]
fn secrets_are_masked_where_the_configuration_is_printed() {
    let text =
        "emitters.a.format = { type = 'otlp', service = 'shop', resource = { api_key = 'k-4711', zone = 'eu' } }";
    let config = Config::parse(text).expect("it is right");
    let printed = config.to_string();
    assert!(
        !printed.contains("4711") && printed.contains("api_key = \"[redacted]\"") && printed.contains("zone = \"eu\""),
        "{printed}"
    );
    assert!(Config::parse(&printed).is_ok(), "{printed}");
}
