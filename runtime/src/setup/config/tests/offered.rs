//! What the program offers, and a configuration names.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::format::Template;
use crate::output::{Memory, Writer};

type Options = BTreeMap<String, String>;

fn made(text: &str) -> Result<Made, String> {
    let config = Config::parse(text).map_err(|errors| errors.to_string())?;
    let program = Program { source: Source::Given(config), ..program() };
    program.make(std::iter::empty(), None).map_err(|errors| errors.to_string())
}

#[test]
fn outputs_formats_and_filters_of_the_program_have_names_and_options() {
    assert!(offers::output("offered", |options: Options| {
        let name = options.get("topic").ok_or("it needs a `topic`")?;
        Ok::<_, &str>(Writer::new(name.clone(), std::io::sink()))
    }));
    assert!(offers::format("offered", |options: Options| Template::new(
        options.get("text").map_or("{log_msg}", |text| text)
    )));
    offers::filter("offered", |event: &crate::Event<'_>| event.get("app_paid").is_some());
    let text = "[emitters.one]\nfilter = ['offered', 'app_cart == 7']\nformat = 'offered'\n\
                output = { type = 'offered', topic = 'sales', direct = true }\n";
    let made_all = made(text).expect("all is offered");
    let told = format!("{:?}", made_all.emitters[0]);
    assert!(told.contains("output: \"sales\"") && told.contains("filters: 2") && told.contains("Direct"), "{told}");
    assert_eq!(
        Config::parse(&made_all.config.to_string()).as_ref(),
        Ok(&made_all.config),
        "it is printed as it was said"
    );
    made("[outputs.shared]\ntype = 'offered'\ntopic = 'x'\n[emitters.a]\noutput = 'shared'")
        .expect("by another name, too");
    let wrong = |text: &str| made(text).expect_err("it is wrong");
    assert_eq!(wrong("[emitters.a]\noutput = 'offered'"), "line 2: `emitters.a.output`: it needs a `topic`");
    assert_eq!(
        wrong("[emitters.a]\noutput = { type = 'offered', topic = 3 }"),
        "line 2: `emitters.a.output`: invalid type: integer `3`, expected a string"
    );
    let error = wrong("[emitters.a]\nformat = { type = 'offered', text = '{' }");
    assert!(error.starts_with("line 2: `emitters.a.format`: the place at character 1"), "{error}");
    assert_eq!(
        wrong("[emitters.a]\noutput = { type = 'offered', topic = 'x', direct = 'soon' }"),
        "line 2: `emitters.a.output.direct` is `soon`; expected `true`, `false`; or a length of time, such as `30s` or `100ms`"
    );
    assert!(wrong("[emitters.a]\noutput = 'ofered'").ends_with("; the nearest is `offered`"));
    assert!(wrong("[outputs.offered]\ntype = 'null'").contains("there is an output of this name already"));
}

#[test]
fn what_makes_an_output_may_panic_and_no_name_of_canonlogs_own_is_taken() {
    assert!(!offers::output("StdOut", |(): ()| Ok::<_, Infallible>(Memory::new())));
    assert!(!offers::format("json", |(): ()| Ok::<_, Infallible>(crate::Json::new())));
    offers::output("panics", |(): ()| -> Result<Memory, Infallible> { panic!("as the test asks") });
    let error = made("[emitters.a]\noutput = 'panics'").expect_err("it panicked");
    assert_eq!(error, "line 2: `emitters.a.output`: what makes `panics` panicked");
    // A later one takes its place.
    offers::output("panics", |(): ()| Ok::<_, Infallible>(Memory::new()));
    made("[emitters.a]\noutput = 'panics'").expect("it is another one");
    let error = made("[emitters.a]\noutput = { type = 'panics', some = 1 }").expect_err("it has no options");
    assert!(error.starts_with("line 2: `emitters.a.output`: invalid type: map, expected unit"), "{error}");
}

#[test]
fn options_are_read_as_whatever_serde_reads() {
    let table = |text: &str| file::read(text).expect("it is TOML");
    let text = table("a = 1\nb = [true, false]\nc = { d = 1.5, e = 'x' }\nf = 2020-01-01");
    let read: serde_json::Value = data::read(&text).expect("anything is");
    assert_eq!(read.to_string(), r#"{"a":1,"b":[true,false],"c":{"d":1.5,"e":"x"},"f":"2020-01-01"}"#);
    assert_eq!(data::read(&Table::default()), Ok(()));
    assert_eq!(data::read::<BTreeMap<String, Option<(bool, bool)>>>(&table("b = [true, false]")), {
        Ok(BTreeMap::from([("b".to_owned(), Some((true, false)))]))
    });
    let level: Result<BTreeMap<String, Result<u8, bool>>, String> =
        data::read(&table("l = { Ok = 3 }\nm = { Err = true }"));
    assert_eq!(level, Ok(BTreeMap::from([("l".to_owned(), Ok(3)), ("m".to_owned(), Err(true))])));
    assert!(data::read::<BTreeMap<String, u8>>(&table("a = 300")).is_err());
}
