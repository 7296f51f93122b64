//! What is nobody's to see stands nowhere.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::*;
use crate::Memory;

#[test]
fn a_secret_is_in_no_text_of_a_configuration() {
    offers::output("vault", |_: BTreeMap<String, ::serde::de::IgnoredAny>| Ok::<_, Infallible>(Memory::new()));
    let text = "fields = { api_key = 'hunter2', API-KEY = 'hunter2', region = 'eu' }\n[emitters.session]\n\
                output = { type = 'vault', secret = ['hunter2'], credentials = { a = 'hunter2', b = [{ c = 'hunter2' }] } }";
    let config = Config::parse(text).expect("it is right");
    let data = serde_json::to_string(&config).expect("it is data");
    for told in [config.to_string(), format!("{config:?}"), format!("{:?}", crate::setup().config(config)), data] {
        assert!(told.contains("[redacted]") && told.contains("region") && told.contains("session"), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn a_secret_is_in_no_mistake() {
    for (text, told) in [
        ("api_key = hunter2", "`api_key = [redacted]` is no TOML: "),
        ("api_key: hunter2", "`api_key = [redacted]` is no TOML: "),
        ("'API-Key' = 'hunter2", "`'API-Key' = [redacted]` is no TOML: "),
        ("output = { password = hunter2'x }", "`output = { password = [redacted]` is no TOML: "),
        ("fields.api_key = 99999999999999999999", "`fields.api_key` is `[redacted]`; expected "),
        ("fields.password = 2020-01-01", "`fields.password` is `[redacted]`; expected "),
        ("password = 'hunter2'", "`password` is no key of the configuration; expected "),
    ] {
        let error = Config::parse(text).expect_err(text).to_string();
        assert!(error.starts_with(&format!("line 1: {told}")), "{error}");
        assert!(!["hunter2", "9999", "2020"].iter().any(|secret| error.contains(secret)), "{error}");
    }
}

#[test]
fn a_secret_is_not_in_what_a_program_says_of_its_options() {
    offers::output("numbered", |_: BTreeMap<String, u32>| Ok::<_, Infallible>(Memory::new()));
    offers::output("failing", |options: BTreeMap<String, String>| {
        Err::<Memory, _>(format!("no answer at {} with {}", options["at"], options["password"]))
    });
    for (kind, told) in [("numbered", "invalid type: string [redacted], expected u32"), ("failing", "with [redacted]")]
    {
        let text = format!("output = {{ type = '{kind}', password = 'hunter2', at = '7' }}");
        let setup = crate::setup().config(Config::parse(&text).expect("it is right"));
        let error = setup.init().expect_err("nothing is made").to_string();
        assert!(error.contains(told) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_mistake_in_a_very_long_text_is_told_in_short() {
    let conditions = ["not ".repeat(10_000), "(".repeat(10_000), format!("app_a like '{}", "*a".repeat(10_000))];
    for condition in conditions {
        let error =
            Config::parse(&format!("emitters.a.filter = [{condition:?}]")).expect_err("no condition").to_string();
        assert!(error.len() < 4_100, "{}", error.len());
    }
}
