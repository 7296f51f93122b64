mod again;
mod made;
mod variables;

use proptest::prelude::*;

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
fn each_mistake_names_its_path_its_line_what_it_got_what_may_be_there_and_the_nearest() {
    assert_eq!(
        told("# a comment\n[emitters.slow]\nformat = 'jsno'\n"),
        [
            "line 3: `emitters.slow.format` is `jsno`; expected `logfmt`, `json`, `pretty`, `combined`, `talisker`, `line`, `shell`, \
          `template`, `gelf`, `otlp`; the nearest is `json`"
        ]
    );
    let [unknown] = &told("[limits]\nrecrod = '1KiB'")[..] else { panic!("one mistake") };
    assert_eq!(
        unknown,
        "line 2: `limits.recrod` is no key of the configuration; expected `record`, `value`, `fields`, `event`; the nearest is `record`"
    );
    assert_eq!(told("stacks = -1"), ["line 1: `stacks` is `-1`; expected a whole number from 0 to 1000000"]);
    assert_eq!(
        told("emitters.a.output = { type = 'file' }"),
        ["line 1: `emitters.a.output.path` is missing; write a path"]
    );
    assert_eq!(
        told("emitters.a.output = 'file'"),
        ["line 1: `emitters.a.output`: `file` needs more: write { type = \"file\", path = .. }"]
    );
    assert_eq!(told("redact.keys = ['ok', '*']").len(), 1);
    assert!(
        told("redact.keys = ['ok', '*']")[0].starts_with("line 1: `redact.keys[1]`: `*` is no pattern; expected words")
    );
    assert!(
        told("emitters.a.output = { type = 'tcp', server = '::1' }")[0]
            .ends_with("`::1` has no port; write `[::1]:5170`")
    );
    assert!(
        told("emitters.a.output = { type = 'syslog', server = 'loghost' }")[0].contains("expected `udp://host:port`")
    );
    assert!(told("emitters.a.filter = 'resp_status => 500'")[0].ends_with("; the nearest is `>=`"));
    assert!(
        told("timeout = 1979-05-27")[0].starts_with("line 1: `timeout` is `1979-05-27`; expected a length of time")
    );
    assert!(
        told("emitters.a.format = { type = 'template', template = '{' }")[0]
            .starts_with("line 1: `emitters.a.format.template`: ")
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let told =
        told("level = 'loud'\ncpu_time = 'yes'\n[emitters.a]\nfromat = 'json'\n[emitters.b]\noutput = 'stdot'\n");
    let lines: Vec<&str> = told.iter().filter_map(|error| error.split_once(':')).map(|(line, _)| line).collect();
    assert_eq!(lines, ["line 1", "line 2", "line 4", "line 6"], "{told:?}");
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let [error] = &told("level = 'info'\nformat = \n")[..] else { panic!("one mistake") };
    assert!(error.starts_with("line 2: this is no TOML: "), "{error}");
}

#[test]
fn later_wins_and_the_program_is_last() {
    let file = of("timeout = '10s'\ndrain = '3s'\nstacks = 3\n[redact]\nkeys = ['iban']");
    assert_eq!(value(&make(&file, &[]), "timeout"), "10s");
    assert_eq!(value(&make(&program(), &[]), "timeout"), "false");
    let mut all = file.clone();
    all.said.put("drain", Node::text("1s"));
    all.said.put("redact.keys", tree::What::List(vec![Node::text("card")]).into());
    let made = make(&all, &[("CANONLOG_TIMEOUT", "20s"), ("CANONLOG_DRAIN", "2s"), ("CANONLOG_REDACT", "pin")]);
    let got = ["timeout", "drain", "stacks", "poll_limit"].map(|path| value(&made, path));
    assert_eq!(got, ["20s", "1s", "3", "100ms"]);
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

/// Texts that may be values, and keys.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{1,8}",
        "\\PC{0,6}",
        Just("stdout".to_owned()),
        Just("30s".to_owned()),
        Just("./a.log".to_owned())
    ]
}

fn toml_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|value| value.to_string()),
        word().prop_map(|text| format!("{text:?}")),
        Just("1.5".to_owned()),
        Just("1979-05-27".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|all| format!("[{}]", all.join(", "))),
            prop::collection::vec((key(), inner), 0..3).prop_map(|all| {
                let pairs: Vec<String> = all.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            }),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let known =
        schema::ROOT.iter().chain(schema::EMITTER).chain(schema::WAYS).chain(schema::REDACT).chain(schema::LIMITS);
    let known: Vec<String> = known.map(|key| key.name.to_owned()).chain(["type".to_owned()]).collect();
    prop_oneof![prop::sample::select(known), "[a-z]{1,4}"]
}

/// A value that a key may have.
fn fitting(kind: check::Kind) -> BoxedStrategy<String> {
    use check::Kind;
    let one_of = |names: Vec<&'static str>| prop::sample::select(names).prop_map(|name| format!("{name:?}")).boxed();
    let table = |keys: &'static [check::Key]| {
        fitting_table(keys).prop_map(|pairs| format!("{{ {} }}", pairs.join(", "))).boxed()
    };
    match kind {
        Kind::Bool => any::<bool>().prop_map(|value| value.to_string()).boxed(),
        Kind::Level => one_of(check::LEVELS.to_vec()),
        Kind::Duration => (0_u64..1 << 60).prop_map(|nanos| format!("'{nanos} ns'")).boxed(),
        Kind::DurationOrOff => {
            prop_oneof![Just("false".to_owned()), (1_u64..1 << 60).prop_map(|nanos| format!("'{nanos}ns'"))].boxed()
        }
        Kind::Size => any::<u32>().prop_map(|bytes| bytes.to_string()).boxed(),
        Kind::Count(least, most) => (least..=most.min(1 << 62)).prop_map(|number| number.to_string()).boxed(),
        Kind::Text | Kind::Path => "[ -~]{1,12}".prop_map(|text| format!("{text:?}")).boxed(),
        Kind::Checked("a condition", _) => Just("'resp_status >= 500 and not (app_a like \"x*\")'".to_owned()).boxed(),
        Kind::Checked("a server", check) => {
            let server = if check("tcp://a:1").is_ok() { "'udp://[::1]:514'" } else { "'localhost:5170'" };
            Just(server.to_owned()).boxed()
        }
        Kind::Checked("a socket", _) => Just("'/run/a b.sock'".to_owned()).boxed(),
        Kind::Checked("a facility", _) => Just("'local7'".to_owned()).boxed(),
        Kind::Checked("a text with `{items}`", _) => Just("'[{items}]'".to_owned()).boxed(),
        Kind::Checked("a text with `{value}`, such as `{key}: {value}`", _) => {
            Just("'{key}: {value}'".to_owned()).boxed()
        }
        Kind::Checked("a template", _) => Just("'{event_time:%T} {resp_status|-}'".to_owned()).boxed(),
        Kind::Checked(..) => "[a-z*]{0,3}[a-z]_[a-z]".prop_map(|text| format!("'{text}'")).boxed(),
        Kind::OneOf(names) => one_of(names.to_vec()),
        Kind::ListOf(kind) => {
            prop::collection::vec(fitting(*kind), 0..3).prop_map(|all| format!("[{}]", all.join(", "))).boxed()
        }
        Kind::Table(keys) => table(keys),
        Kind::Named(kind) => prop::collection::btree_map("[a-z .\"é]{1,5}", fitting(*kind), 0..3)
            .prop_map(|all| {
                let pairs: Vec<String> = all.into_iter().map(|(name, value)| format!("{name:?} = {value}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            })
            .boxed(),
        Kind::Fields => {
            prop_oneof![Just("{ a = 1, b = 'x', c = 1e9, d = true }".to_owned()), Just("{}".to_owned())].boxed()
        }
        Kind::Choice(variants, more) | Kind::Output(variants, more) => prop::sample::select(variants)
            .prop_flat_map(move |variant| {
                (fitting_table(variant.keys), fitting_table(more)).prop_map(move |(own, more)| {
                    let pairs = [format!("type = {:?}", variant.name)].into_iter().chain(own).chain(more);
                    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
                })
            })
            .boxed(),
        Kind::Either(first, second) => prop_oneof![fitting(*first), fitting(*second)].boxed(),
    }
}

/// Some pairs of a table: all that have to be there, and of the others some.
fn fitting_table(keys: &'static [check::Key]) -> BoxedStrategy<Vec<String>> {
    let pairs: Vec<BoxedStrategy<Option<String>>> = keys
        .iter()
        .map(|key| {
            let pair = fitting(key.kind).prop_map(move |value| format!("{} = {value}", key.name));
            if key.is_required { pair.prop_map(Some).boxed() } else { prop::option::of(pair).boxed() }
        })
        .collect();
    pairs.prop_map(|pairs| pairs.into_iter().flatten().collect()).boxed()
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_none(text in "[a-z_.=\\[\\]{}'\"\n ,#0-9-]{0,120}") {
        let _ = Config::parse(&text);
    }

    #[test]
    fn any_toml_is_a_configuration_or_none(pairs in prop::collection::vec((key(), toml_value()), 0..6)) {
        let lines: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        if let Err(errors) = Config::parse(&lines.join("\n")) {
            prop_assert!(!errors.all().is_empty());
            prop_assert_eq!(errors.to_string().lines().count(), errors.all().len(), "each is one line");
        }
    }

    #[test]
    fn what_is_printed_is_read_again_as_the_same(pairs in fitting_table(schema::ROOT)) {
        let text = pairs.join("\n");
        let config = match Config::parse(&text) {
            Ok(config) => config,
            // The name of an output that is none.
            Err(errors) => return Err(TestCaseError::fail(format!("{errors}\n{text}"))),
        };
        let again = Config::parse(&config.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&config), "{}", config);
        let (said, _) = resolve(&Said {
            file: &config.said,
            environment: &Table::default(),
            program: &Table::default(),
            before: None,
            has_emitters: false,
            develops: &|_| false,
        });
        let effective = Config { said, ..Config::new() };
        let again = Config::parse(&effective.to_string());
        prop_assert_eq!(again.as_ref(), Ok(&effective), "{}", effective);
        let (twice, _) = resolve(&Said {
            file: &effective.said,
            environment: &Table::default(),
            program: &Table::default(),
            before: None,
            has_emitters: false,
            develops: &|_| false,
        });
        prop_assert_eq!(twice, effective.said, "what holds, holds again");
    }
}

/// All keys, by their paths, and what holds without each: those of named tables under `NAME`, those of variants with their `type`.
fn every_key() -> Vec<(String, &'static str)> {
    fn of(kind: check::Kind, path: &str, all: &mut Vec<(String, &'static str)>) {
        match kind {
            check::Kind::Table(keys) => keys.iter().for_each(|key| {
                all.push((format!("{path}.{}", key.name), key.usual));
                of(key.kind, &format!("{path}.{}", key.name), all);
            }),
            check::Kind::Named(kind) => of(*kind, &format!("{path}.NAME"), all),
            _ => {}
        }
    }
    let mut all = Vec::new();
    for key in schema::ROOT {
        all.push((key.name.to_owned(), key.usual));
        of(key.kind, key.name, &mut all);
    }
    all
}

fn read(path: &str) -> String {
    let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_example_uses_every_key_and_every_variant_with_all_of_its_keys() {
    let config = Config::parse(&read("examples/config/canonlog.toml")).expect("it is right");
    let all = |path: &str| -> Vec<Node> {
        let mut found = vec![Node::from(tree::What::Table(config.said.clone()))];
        for key in path.split('.') {
            let inner = found.iter().filter_map(Node::as_table).flat_map(|table| {
                table
                    .iter()
                    .filter(|(name, _)| key == "NAME" || *name == key)
                    .map(|(_, node)| node.clone())
                    .collect::<Vec<_>>()
            });
            found = inner.collect();
        }
        found
    };
    for (path, _) in every_key() {
        assert!(!all(&path).is_empty(), "`{path}`");
    }
    let outputs = [all("outputs.NAME"), all("emitters.NAME.output")].concat();
    for (nodes, variants, more) in
        [(all("emitters.NAME.format"), schema::FORMATS, &[][..]), (outputs, schema::OUTPUTS, schema::WAYS)]
    {
        let tables: Vec<&Table> = nodes.iter().filter_map(Node::as_table).collect();
        for variant in variants {
            let is_it = |table: &&&Table| table.text("type") == Some(variant.name);
            let uses = nodes.iter().any(|node| node.as_text() == Some(variant.name))
                || tables.iter().any(|table| is_it(&table));
            assert!(uses, "`{}`", variant.name);
            for key in variant.keys {
                let uses = tables.iter().filter(is_it).any(|table| table.get(key.name).is_some());
                assert!(uses, "`{}` of `{}`", key.name, variant.name);
            }
        }
        for key in more {
            assert!(tables.iter().any(|table| table.get(key.name).is_some()), "`{}`", key.name);
        }
    }
    let formats = all("emitters.NAME.format");
    for key in schema::CONVERTER {
        let tables = formats.iter().filter_map(|format| format.as_table()?.get("fields"));
        let uses = |node: &Node| {
            matches!(&node.what, tree::What::List(all) if all.iter().any(|converter| {
                converter.as_table().is_some_and(|converter| converter.get(key.name).is_some())
            }))
        };
        assert!(tables.clone().any(uses), "`fields.{}`", key.name);
    }
    for key in schema::QUEUE {
        let uses =
            all("outputs.NAME.queue").iter().filter_map(Node::as_table).any(|queue| queue.get(key.name).is_some());
        assert!(uses, "`queue.{}`", key.name);
    }
}

#[test]
fn the_reference_has_every_key_with_what_holds_without_it() {
    let page = read("book/src/reference/configuration.md");
    let row = |cells: &[&str], usual: &str| {
        let begin = cells.iter().map(|cell| format!("| `{cell}` ")).collect::<String>();
        let usual = if usual.is_empty() { String::new() } else { format!("| `{usual}` |") };
        let is_it = |line: &&str| line.starts_with(&begin) && line.contains(&usual);
        assert!(page.lines().any(|line| is_it(&line)), "a row that begins with {begin:?}, and has {usual:?}");
    };
    for (path, usual) in every_key() {
        row(&[&path], usual);
    }
    for variant in schema::FORMATS.iter().chain(schema::OUTPUTS) {
        row(&[variant.name], "");
        for key in variant.keys {
            row(&[variant.name, key.name], &key.usual.replace('|', "\\|"));
        }
    }
    for (prefix, keys) in [("", schema::WAYS), ("queue.", schema::QUEUE), ("fields.", schema::CONVERTER)] {
        keys.iter().for_each(|key| row(&[&format!("{prefix}{}", key.name)], key.usual));
    }
    for (variable, path) in schema::VARIABLES {
        row(&[variable, path], "");
    }
    // What the set-up can be told is to be had without a program, too.
    let documented = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).count();
    assert!(documented > 60, "{documented}");
}
