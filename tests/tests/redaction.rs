//! What is never recorded, as a server's events show it.

use std::sync::OnceLock;

use canonlog::tower::RequestLayer;
use canonlog::{Context, Emitter, Fields, Guard, Kind, Memory, OwnedValue, Redaction, Secret, Value, begin, testing};
use canonlog_tests::server::Server;

/// The process's set-up: names of its own are hidden, one that was known before, one of the framework's.
fn set_up() {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        begin(Kind::Job).enter(|| Context::set("known_before", "shown"));
        let redaction = Redaction::default().keys(["card", "known_before", "user_agent"]).except(["open_session"]);
        let quiet = Emitter::new("quiet").output(Memory::new());
        canonlog::setup().emitter(quiet).redact(redaction).init().expect("the only set-up of this process")
    });
}

fn event(fill: impl FnOnce()) -> impl Fn(&str) -> Option<String> {
    set_up();
    let capture = testing::capture();
    begin(Kind::Request).enter(fill);
    let event = capture.one();
    move |name| event.view().get(name).map(|value| value.to_string())
}

const HIDDEN: Option<&str> = Some("[redacted]");

#[test]
fn what_looks_like_a_secret_is_hidden_whoever_sets_it() {
    #[derive(Fields)]
    struct Login<'a> {
        user: &'a str,
        password: &'a str,
    }
    let get = event(|| {
        let cx = Context::current();
        Context::record(&Login { user: "ada", password: "hunter2" });
        canonlog::set!(api_key = "k");
        Context::set("session", 4711);
        Context::set_dynamic("X-Access-Token", "t");
        cx.set_in("req", "authorization", "Basic YTpi");
        cx.namespace("shop").set("cookie", "c");
        cx.namespace("shop").set_dynamic("old cookie", "c");
        std::thread::spawn(move || cx.set_in("http", "set_cookie", "beside")).join().expect("no panic");
    });
    for name in [
        "app_password",
        "app_api_key",
        "app_session",
        "app_x_access_token",
        "req_authorization",
        "shop_cookie",
        "shop_old_cookie",
        "http_set_cookie",
    ] {
        assert_eq!(get(name).as_deref(), HIDDEN, "{name}");
    }
    assert_eq!(get("app_user").as_deref(), Some("ada"));
    assert_eq!(get("canonlog_renamed_keys").as_deref(), Some("2"), "names that are hidden count as any others");
}

#[test]
fn the_users_own_names_are_hidden_also_where_they_were_known_before() {
    let get = event(|| {
        Context::set("card", "4111");
        Context::set("known_before", "secret");
        Context::set("open_session", "s");
        Context::current().set_in("req", "user_agent", "curl/8");
    });
    for name in ["app_card", "app_known_before", "req_user_agent"] {
        assert_eq!(get(name).as_deref(), HIDDEN, "{name}");
    }
    assert_eq!(get("app_open_session").as_deref(), Some("s"));
}

#[test]
fn how_long_it_took_how_many_there_were_and_whether_are_shown() {
    let get = event(|| {
        drop(Context::time("token"));
        Context::add("token_count", 2);
        Context::add("token_count", 3);
        Context::set("cookie", true);
        Context::set("password", None::<&str>);
        Context::add("secret", 1);
        Context::add("secret", 2);
    });
    assert!(get("app_token_time").is_some_and(|time| time.starts_with("0.")));
    assert_eq!(get("app_token_count").as_deref(), Some("5"));
    assert_eq!((get("app_cookie").as_deref(), get("app_password").as_deref()), (Some("true"), Some("-")));
    assert_eq!((get("app_secret").as_deref(), get("canonlog_value_errors")), (HIDDEN, None));
}

#[test]
fn a_hidden_value_is_not_in_the_record_either() {
    set_up();
    begin(Kind::Job).enter(|| {
        Context::set("password", "hunter2");
        assert_eq!(Context::get("password"), Some(OwnedValue::Text("[redacted]".to_owned())));
    });
}

#[test]
fn a_secret_is_recorded_as_its_length() {
    let get = event(|| {
        Context::set("iban", Secret::new("DE02120300000000202051"));
        Context::set("pin", canonlog::display(Secret::new(1234)));
    });
    assert_eq!(get("app_iban").as_deref(), Some("22"));
    assert_eq!(get("app_pin").as_deref(), HIDDEN);
}

#[test]
fn what_a_message_carries_is_hidden_too() {
    set_up();
    let capture = testing::capture();
    let shop = canonlog::logger("shop").bind("api_key", "k");
    shop.field("card", "4111").field("known_before", "secret").field("user", "ada").info("paid");
    let event = capture.one();
    let get = |name: &str| event.view().get(name).map(|value| value.to_string());
    for name in ["app_api_key", "app_card", "app_known_before"] {
        assert_eq!(get(name).as_deref(), HIDDEN, "{name}");
    }
    assert_eq!(get("app_user").as_deref(), Some("ada"));
}

#[test]
fn what_an_instrumenter_sets_is_hidden_too() {
    #[derive(Default)]
    struct Leaks;
    #[canonlog::register_instrumenter]
    impl canonlog::Instrumenter for Leaks {
        fn call(&self, unit: &mut canonlog::Unit<'_>) -> Result<(), canonlog::InstrumenterError> {
            unit.set_in("shop", "signing_secret", "s");
            unit.set("card", Value::Str("4111"));
            Ok(())
        }
    }
    let get = event(|| ());
    assert_eq!((get("shop_signing_secret").as_deref(), get("app_card").as_deref()), (HIDDEN, HIDDEN));
}

#[test]
fn queries_of_targets_and_referrers_are_not_recorded() {
    set_up();
    let routes =
        |layer: RequestLayer| axum::Router::new().route("/reset", axum::routing::get(async || "ok")).layer(layer);
    let server = Server::start(routes);
    let mut client = server.connect();
    client.send("GET /reset?token=abc&page=2 HTTP/1.1\r\nHost: a\r\nReferer: https://a/b?code=xyz#top\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    let event = server.only_event();
    let line = format!("{:?}", event.view());
    assert!(!line.contains("abc") && !line.contains("xyz") && !line.contains("page=2"), "{line}");
    assert_eq!(event.view().get("req_path"), Some(Value::Str("/reset")));
    assert_eq!(event.view().get("req_referrer"), Some(Value::Str("https://a/b")));
    assert_eq!(event.view().get("req_query"), None);
}

#[test]
fn literals_of_statements_are_not_recorded() {
    let get = event(|| {
        for _ in 0..2 {
            canonlog::db::record_query("select * from users where mail = 'ada@a.example'", std::time::Duration::ZERO);
        }
    });
    assert_eq!(get("db_dup_top").as_deref(), Some("select * from users where mail = ?"));
}

#[test]
fn what_is_hidden_is_not_put_into_the_text_of_a_message() {
    set_up();
    let capture = testing::capture();
    canonlog::logger("shop").field("known_before", "hunter2").info(canonlog::message::brace("got {known_before}"));
    assert_eq!(capture.one().view().get("log_msg"), Some(Value::Str("got [redacted]")));
}
