//! What `#[derive(Fields)]` and `set!` record.

use canonlog::{Context, Fields, Kind, Value, begin, testing};

#[derive(Fields)]
struct Order<'a, T> {
    #[canonlog(rename = "order_id")]
    id: T,
    total: f64,
    #[canonlog(redact)]
    #[expect(dead_code, reason = "it is hidden")]
    card: &'a str,
    #[canonlog(skip)]
    #[expect(dead_code, reason = "it is left out")]
    lines: Vec<u8>,
    #[canonlog(flatten)]
    customer: Option<Customer>,
    r#type: &'static str,
}

#[derive(Fields)]
struct Customer {
    name: String,
    vip: bool,
}

#[test]
fn a_struct_is_recorded_field_by_field_in_its_order() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().enter(|| {
        let customer = Some(Customer { name: "Ada".to_owned(), vip: true });
        Context::record(&Order { id: 7_u8, total: 1.5, card: "4111", lines: vec![1], customer, r#type: "gift" });
    });
    scope.finish();
    let event = capture.one();
    let fields: Vec<String> = event.view().fields().map(|(name, value)| format!("{name}={value}")).collect();
    let app: Vec<&str> = fields.iter().filter(|field| field.starts_with("app_")).map(String::as_str).collect();
    let expected =
        ["app_order_id=7", "app_total=1.5", "app_card=[redacted]", "app_name=Ada", "app_vip=true", "app_type=gift"];
    assert_eq!(app, expected);
    assert!(!fields.iter().any(|field| field.contains("4111")));
}

#[test]
fn set_takes_several_fields_at_once() {
    let capture = testing::capture();
    let scope = begin(Kind::Request);
    scope.context().enter(|| {
        let name = String::from("Ada");
        canonlog::set!(cart_total = 19.99, customer = name, items = 3_u8,);
        assert_eq!(name, "Ada", "it is only borrowed");
    });
    scope.finish();
    let event = capture.one();
    assert_eq!(event.view().get("app_cart_total"), Some(Value::F64(19.99)));
    assert_eq!(event.view().get("app_customer"), Some(Value::Str("Ada")));
    assert_eq!(event.view().get("app_items"), Some(Value::U64(3)));
}
