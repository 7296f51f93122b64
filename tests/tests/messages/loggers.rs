//! Loggers: bound fields, levels, filters.

use std::cell::Cell;

use canonlog::{Fields, Level, LevelFilter, Logger, lazy, logger, testing};

use crate::{names, text, texts};

#[test]
fn a_message_has_its_name_text_place_and_fields_in_this_order() {
    let capture = testing::capture();
    let line = line!() + 1;
    logger("shop").field("cart", 7).field("total", 19.5).info("checked out");
    let event = capture.one();
    assert_eq!(names(&event), ["log_name", "log_msg", "log_loc", "app_cart", "app_total"]);
    assert_eq!(text(&event, "log_loc"), Some(format!("{}:{line}", file!())));
    assert_eq!((event.view().kind().as_str(), event.view().level()), ("log", Level::Info));
}

#[test]
fn every_level_has_a_method_and_a_macro() {
    let capture = testing::capture();
    let log = logger("shop");
    log.debug("1");
    log.info("2");
    log.notice("3");
    log.warning("4");
    log.error("5");
    log.critical("6");
    canonlog::debug!(log, "1");
    canonlog::info!(log, "2");
    canonlog::notice!(log, "3");
    canonlog::warning!(log, "4");
    canonlog::error!(log, "5");
    canonlog::critical!(log, "6");
    let levels: Vec<Level> = capture.events().iter().map(|event| event.view().level()).collect();
    assert_eq!(levels[..6], Level::ALL);
    assert_eq!(levels[6..], Level::ALL);
}

#[test]
fn the_macros_take_fields_and_texts_in_every_form() {
    static SHOP: Logger = Logger::new("shop");
    let capture = testing::capture();
    let items = 3;
    canonlog::info!("plain");
    canonlog::info!("with {items}");
    canonlog::info!("with {} and {more}", items, more = 4);
    canonlog::info!(cart = 7; "with {items}");
    canonlog::info!(cart = 7, user = "ann");
    canonlog::info!(SHOP, "with {items}");
    canonlog::info!(SHOP, cart = 7, user = "ann"; "with {items}");
    canonlog::info!(SHOP.field("tenant", 1), cart = 7,);
    canonlog::info!(logger("other"), cart = 7; "{}", items);
    canonlog::info!(logger("made").bind("tenant", 2).field("user", "bob"), cart = 8; "here");
    let said: Vec<String> = capture
        .events()
        .iter()
        .map(|event| {
            let fields = ["log_name", "log_msg", "app_tenant", "app_cart", "app_user"];
            fields.iter().map(|name| text(event, name).unwrap_or_default()).collect::<Vec<_>>().join("|")
        })
        .collect();
    let here = module_path!();
    assert_eq!(
        said,
        [
            format!("{here}|plain|||"),
            format!("{here}|with 3|||"),
            format!("{here}|with 3 and 4|||"),
            format!("{here}|with 3||7|"),
            format!("{here}|||7|ann"),
            "shop|with 3|||".to_owned(),
            "shop|with 3||7|ann".to_owned(),
            "shop||1|7|".to_owned(),
            "other|3||7|".to_owned(),
            "made|here|2|8|bob".to_owned(),
        ]
    );
}

#[test]
fn a_copy_has_its_own_fields_level_and_name() {
    let capture = testing::capture();
    let shop = logger("shop").bind("tenant", 1);
    let cart = shop.bind("cart", 7).bind("tenant", 2);
    let quiet = cart.name("quiet").min_level(Level::Warning);
    shop.info("a");
    cart.info("b");
    quiet.info("not said");
    quiet.warning("c");
    cart.field("tenant", 3).info("d");
    shop.set_min_level(LevelFilter::Disabled);
    shop.critical("not said");
    cart.info("e");
    let said: Vec<String> = capture
        .events()
        .iter()
        .map(|event| names(event)[3..].join(" ") + &format!(" {:?}", text(event, "app_tenant")))
        .collect();
    assert_eq!(texts(&capture), ["a", "b", "c", "d", "e"]);
    assert_eq!(said[0], "app_tenant Some(\"1\")");
    assert_eq!(said[1], "app_tenant app_cart Some(\"2\")", "a key bound again keeps its place");
    assert_eq!(said[3], "app_tenant app_cart Some(\"3\")", "what the call says comes last");
    assert_eq!(text(&capture.events()[2], "log_name").as_deref(), Some("quiet"));
}

#[test]
fn a_librarys_logger_is_silent_until_the_program_raises_it() {
    static LOG: Logger = Logger::library("tabnab");
    let capture = testing::capture();
    LOG.critical("not said");
    canonlog::critical!(LOG, "not said");
    LOG.set_min_level(Level::Notice);
    LOG.info("not said");
    canonlog::notice!(LOG, "said");
    assert_eq!(texts(&capture), ["said"]);
}

#[test]
fn values_are_computed_once_for_each_message_that_is_wanted_and_else_never() {
    let capture = testing::capture();
    let computed = Cell::new(0);
    let value = || {
        computed.set(computed.get() + 1);
        computed.get()
    };
    let log = logger("shop").min_level(Level::Info);
    log.field("n", lazy(value)).debug("not said");
    canonlog::debug!(log, n = value(); "{}", value());
    assert_eq!(computed.get(), 0);
    log.field("n", lazy(value)).info("said");
    canonlog::info!(log, n = value(); "said");
    assert_eq!(computed.get(), 2);
    assert_eq!(text(&capture.events()[1], "app_n").as_deref(), Some("2"));
}

#[test]
fn a_lazy_value_that_panics_leaves_nothing_in_its_place_and_the_message_goes_out() {
    let capture = testing::capture();
    let fails = || -> u32 { panic!("no value") };
    logger("shop").field("a", lazy(fails)).field("b", 2).info("said");
    logger("shop").bind_lazy("a", fails).field("b", 2).info("said");
    for event in capture.events() {
        assert_eq!(names(&event)[3..], ["app_a", "app_b", "canonlog_value_errors"]);
        assert_eq!(text(&event, "app_a").as_deref(), Some("-"));
    }
}

#[test]
fn structs_are_said_field_by_field() {
    #[derive(Fields)]
    struct Cart {
        cart_id: u64,
        #[canonlog(redact)]
        #[expect(dead_code, reason = "its value is not read")]
        card: &'static str,
    }
    let capture = testing::capture();
    let cart = Cart { cart_id: 7, card: "4111" };
    logger("shop").fields(&cart).emit(Level::Notice);
    logger("shop").bind_all(&cart).info("bound");
    for event in capture.events() {
        assert_eq!(names(&event)[3..], ["app_cart_id", "app_card"]);
        assert_eq!(text(&event, "app_card").as_deref(), Some("[redacted]"));
    }
    assert_eq!(capture.events()[0].view().level(), Level::Notice);
}

#[test]
fn a_filter_sees_the_whole_message_and_one_that_panics_lets_it_pass() {
    let capture = testing::capture();
    let log = logger("shop").filter(|event| event.view_get("app_cart") != Some(0));
    log.field("cart", 0).info("held back");
    log.field("cart", 7).info("said");
    let before = canonlog::stats().count("filter_panics");
    logger("shop").filter(|_| panic!("no answer")).info("said too");
    assert_eq!(texts(&capture), ["said", "said too"]);
    assert!(canonlog::stats().count("filter_panics") > before);
}

trait ViewGet {
    fn view_get(&self, name: &str) -> Option<u64>;
}

impl ViewGet for canonlog::Event<'_> {
    fn view_get(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            canonlog::Value::U64(value) => Some(value),
            canonlog::Value::I64(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }
}

#[test]
fn an_error_is_said_with_its_type_its_text_and_its_sources() {
    #[derive(Debug)]
    struct Loading(std::num::ParseIntError);
    impl std::fmt::Display for Loading {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot load the cart")
        }
    }
    impl std::error::Error for Loading {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let capture = testing::capture();
    let error = Loading("seven".parse::<u32>().expect_err("no number"));
    logger("shop").field("cart", 7).trace(&error).error("failed");
    let event = capture.one();
    assert_eq!(names(&event)[3..], ["app_cart", "exc_type", "exc_msg", "exc_trace"]);
    assert!(text(&event, "exc_type").is_some_and(|name| name.ends_with("::Loading")));
    assert_eq!(text(&event, "exc_msg").as_deref(), Some("cannot load the cart"));
    assert_eq!(text(&event, "exc_trace").as_deref(), Some("invalid digit found in string"));
}

#[test]
fn the_stack_is_that_of_whoever_says_the_message() {
    #[inline(never)]
    fn somewhere_known() {
        logger("shop").stack().warning("here");
    }
    let capture = testing::capture();
    somewhere_known();
    assert!(text(&capture.one(), "exc_trace").is_some_and(|stack| stack.contains("somewhere_known")));
}

#[test]
fn line_ends_are_kept_unless_they_are_suppressed() {
    let capture = testing::capture();
    logger("shop").field("note", "a\nb").info("c\r\nd");
    logger("shop").suppress_newlines(true).field("note", "a\nb").info(format_args!("c\r\n{}", "d"));
    let said: Vec<_> = capture.events().iter().map(|event| (text(event, "log_msg"), text(event, "app_note"))).collect();
    let pair = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
    assert_eq!(said, [pair("c\r\nd", "a\nb"), pair("c\\r\\nd", "a\\nb")]);
}

#[test]
fn texts_from_configuration_are_filled_from_the_fields() {
    use canonlog::message::{Style, brace, dollar, percent};
    let capture = testing::capture();
    let log = logger("shop").bind("cart", 7);
    log.field("items", 3).info(brace("{items} of {cart} for {price}").with(&[("price", &"20 €")]));
    log.field("items", 3).info(percent(String::from("%(items)s of %(cart)d")));
    log.field("items", 3).info(dollar("$items of ${cart}, by ${log_name}"));
    let styled = log.style(Style::Brace);
    styled.field("items", 3).info("{items} of {cart}");
    styled.field("password", "hunter2").info("{password}");
    canonlog::info!(styled, "{{cart}}");
    let want = ["3 of 7 for 20 €", "3 of 7", "3 of 7, by shop", "3 of 7", "[redacted]", "{cart}"];
    assert_eq!(texts(&capture), want);
    assert!(capture.events().iter().all(|event| names(event)[..2] == ["log_name", "log_msg"]), "{capture:?}");
}

#[test]
fn a_text_that_cannot_be_filled_is_said_as_it_is_and_counted() {
    use canonlog::message::{Style, brace};
    struct Fails;
    impl std::fmt::Display for Fails {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("a display")
        }
    }
    let capture = testing::capture();
    let before = canonlog::stats().count("text_errors");
    logger("shop").field("items", 3).info(brace("{items} of {cart} and {"));
    logger("shop").style(Style::Percent).info("100%");
    logger("shop").info(brace("a {value} b").with(&[("value", &canonlog::display(Fails))]));
    assert_eq!(texts(&capture), ["3 of {cart} and {", "100%", "a "]);
    let counted = |event: &canonlog::OwnedEvent| text(event, "canonlog_value_errors");
    let counts: Vec<_> = capture.events().iter().filter_map(counted).collect();
    assert_eq!(counts, ["2", "1", "1"]);
    assert!(canonlog::stats().count("text_errors") >= before + 2);
}
