//! `exc_template`: where in which template a unit's error arose.

use canonlog::{Context, OwnedEvent, Value, template_error};
use canonlog_tests::unit::request_sync;
use minijinja::{Environment, context};

fn fail() {
    Context::current().set_in("exc", "type", "shop::Broken");
}

fn template(event: &OwnedEvent) -> Option<String> {
    event.view().get("exc_template").map(|value| value.to_string())
}

fn shop() -> Environment<'static> {
    let mut env = Environment::new();
    env.add_function("price", || -> Result<u64, minijinja::Error> {
        Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, "no price"))
    });
    let add = |env: &mut Environment<'static>, name: &'static str, text: &'static str| {
        env.add_template(name, text).expect("it parses");
    };
    add(&mut env, "price.html", "<b>\n\n{{ price() }}\n</b>");
    add(&mut env, "cart.html", "<h1>\n{% if true %}{% include 'price.html' %}{% endif %}");
    add(&mut env, "base.html", "<html>\n{% block body %}{% endblock %}");
    add(&mut env, "child.html", "{% extends 'base.html' %}\n{% block body %}\n{{ price() }}{% endblock %}");
    env
}

#[test]
fn the_line_of_the_failing_expression_is_noted() {
    let env = shop();
    for (name, expected) in
        [("price.html", "price.html:3"), ("cart.html", "price.html:3"), ("child.html", "child.html:3")]
    {
        let event = request_sync(|| {
            canonlog::minijinja::render(&env, name, context! {}).expect_err("no price");
            fail();
        });
        assert_eq!(template(&event).as_deref(), Some(expected), "{name}");
        let first_of_exc = event.view().fields().map(|(name, _)| name.to_owned()).find(|name| name.starts_with("exc_"));
        assert_eq!(first_of_exc.as_deref(), Some("exc_template"));
    }
}

#[test]
fn an_error_passed_on_by_the_user_is_noted_too() {
    let event = request_sync(|| {
        let rendered = shop().get_template("cart.html").and_then(|cart| cart.render(context! {}));
        rendered.inspect_err(canonlog::minijinja::note).expect_err("no price");
        fail();
    });
    assert_eq!(template(&event).as_deref(), Some("price.html:3"));
}

#[test]
fn the_innermost_note_stays() {
    let event = request_sync(|| {
        template_error("inner.html", 7);
        template_error("outer.html", 1);
        fail();
    });
    assert_eq!(event.view().get("exc_template"), Some(Value::Str("inner.html:7")));
}

#[test]
fn a_failure_that_was_dealt_with_does_not_show() {
    let event = request_sync(|| {
        let page = canonlog::minijinja::render(&shop(), "cart.html", context! {});
        assert_eq!(page.unwrap_or_else(|_| "sorry".to_owned()), "sorry");
    });
    assert_eq!(template(&event), None);
}

#[test]
fn a_template_that_is_missing_or_does_not_parse_costs_nothing_and_says_what_is_known() {
    let mut env = shop();
    let event = request_sync(|| {
        canonlog::minijinja::render(&env, "nowhere.html", context! {}).expect_err("no such template");
        fail();
    });
    assert_eq!(template(&event), None);
    let event = request_sync(|| {
        let error = env.add_template("bad.html", "\n{% if %}").expect_err("it does not parse");
        canonlog::minijinja::note(&error);
        fail();
    });
    assert_eq!(template(&event).as_deref(), Some("bad.html:2"));
}

#[test]
fn a_note_outside_a_unit_is_counted() {
    request_sync(|| {});
    template_error("cart.html", 1);
    assert_eq!(request_sync(|| {}).view().get("canonlog_outside_writes"), Some(Value::U64(1)));
}
