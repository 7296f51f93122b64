//! Whatever a configuration holds.

use proptest::prelude::*;

use super::*;

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
        Kind::Text => "[ -~]{1,12}".prop_map(|text| format!("{text:?}")).boxed(),
        // With nothing in front that a shell would replace.
        Kind::Path => "[ -#%-}][ -~]{0,11}".prop_map(|text| format!("{text:?}")).boxed(),
        Kind::Checked("a condition, such as `resp_status >= 500`", _) => {
            Just("'resp_status >= 500 and not (app_a like \"x*\")'".to_owned()).boxed()
        }
        Kind::Checked("a server, such as `udp://localhost:514`", _) => Just("'udp://[::1]:514'".to_owned()).boxed(),
        Kind::Checked("a server, such as `localhost:5170`", _) => Just("'localhost:5170'".to_owned()).boxed(),
        Kind::Checked("the path of a socket", _) => Just("'/run/a b.sock'".to_owned()).boxed(),
        Kind::Checked("a facility, such as `local0`", _) => Just("'local7'".to_owned()).boxed(),
        Kind::Checked("a text with `{items}`", _) => Just("'[{items}]'".to_owned()).boxed(),
        Kind::Checked("a text with `{value}`, such as `{key}: {value}`", _) => {
            Just("'{key}: {value}'".to_owned()).boxed()
        }
        Kind::Checked("a template, such as `{event_time:%T} {resp_status}`", _) => {
            Just("'{event_time:%T} {resp_status|-}'".to_owned()).boxed()
        }
        Kind::Checked(..) => "[a-z*]{0,3}[a-z]_[a-z]".prop_map(|text| format!("'{text}'")).boxed(),
        Kind::OneOf(names) => one_of(names.to_vec()),
        Kind::ListOf(kind) => {
            prop::collection::vec(fitting(*kind), 0..3).prop_map(|all| format!("[{}]", all.join(", "))).boxed()
        }
        Kind::SomeOf(kind) => {
            prop::collection::vec(fitting(*kind), 1..3).prop_map(|all| format!("[{}]", all.join(", "))).boxed()
        }
        Kind::Table(keys) => table(keys),
        Kind::Named(kind) => prop::collection::btree_map(name(), fitting(*kind), 0..3)
            .prop_map(|all| {
                let pairs: Vec<String> = all.into_iter().map(|(name, value)| format!("{name:?} = {value}")).collect();
                format!("{{ {} }}", pairs.join(", "))
            })
            .boxed(),
        Kind::Fields => {
            prop_oneof![Just("{ a = 1, b = 'x', c = 1e9, d = true }".to_owned()), Just("{}".to_owned())].boxed()
        }
        Kind::Choice(_, variants, more) | Kind::Output(variants, more) => prop::sample::select(variants)
            .prop_flat_map(move |variant| {
                (fitting_table(variant.keys), fitting_table(more)).prop_map(move |(own, more)| {
                    let pairs = [format!("type = {:?}", variant.name)].into_iter().chain(own).chain(more);
                    format!("{{ {} }}", with_effect(pairs.collect()).join(", "))
                })
            })
            .boxed(),
        Kind::Either(first, second) => prop_oneof![fitting(*first), fitting(*second)].boxed(),
    }
}

/// A name of the user's, which no output has.
fn name() -> impl Strategy<Value = String> {
    let is_free = |name: &String| schema::OUTPUTS.iter().all(|output| output.name != name);
    "[a-z .\"é]{1,5}".prop_filter("an output has it", is_free)
}

/// Those of an output that change something beside the others.
fn with_effect(mut pairs: Vec<String>) -> Vec<String> {
    let has = |pairs: &[String], begins: &str| pairs.iter().any(|pair| pair.starts_with(begins));
    if has(&pairs, "direct = ") && !has(&pairs, "direct = false") {
        pairs.retain(|pair| !pair.starts_with("queue = "));
    }
    if !has(&pairs, "daily = true") && !has(&pairs, "max_size = ") {
        pairs.retain(|pair| !pair.starts_with("keep = "));
    }
    pairs
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
