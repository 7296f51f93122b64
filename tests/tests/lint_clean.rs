//! Expansions of every macro under the compiler's and clippy's strictest words: `.ci/run` runs clippy over this file with
//! warnings denied, and every lint that is on here is an error there and in an editor.

#![deny(warnings, clippy::all, clippy::pedantic)]
#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc)] // the functions here are the tests' own

use std::num::ParseIntError;
use std::pin::Pin;

use async_trait::async_trait;
use canonlog::{
    Fields, Instrumenter, InstrumenterError, Logger, Unit, emit, instrument_request, on_error, operation,
    register_instrumenter,
};

#[instrument_request]
fn sync_result(text: &str) -> Result<u8, ParseIntError> {
    if text.is_empty() {
        return Ok(0);
    }
    if text == "none" {
        return "".parse();
    }
    let number: u8 = text.parse()?;
    match number {
        0 => "1".parse(),
        number => Ok(number),
    }
}

#[instrument_request(name = "later", fields(length = text.len(), text = text), timeout = "2s")]
async fn async_result(text: &str) -> Result<Vec<Box<dyn Fn() -> u8>>, ParseIntError> {
    const ONE: u8 = 1;
    let number: u8 = text.parse::<u8>()? + ONE;
    std::future::ready(()).await;
    Ok(vec![Box::new(move || number)])
}

static SHOP: Logger = Logger::new("shop");

#[emit(debug, text = "made", logger = SHOP)]
fn said(text: &str) -> Result<Customer, ParseIntError> {
    if text.is_empty() {
        return Ok(Customer { name: String::new() });
    }
    let number: u8 = text.parse()?;
    Ok(Customer { name: number.to_string() })
}

#[emit(debug)]
async fn said_later(text: &str) -> Customer {
    std::future::ready(()).await;
    Customer { name: text.to_owned() }
}

#[emit(debug)]
fn said_boxed(text: &str) -> Pin<Box<dyn Future<Output = Customer> + '_>> {
    Box::pin(said_later(text))
}

fn said_by_macros(items: u64) {
    canonlog::info!(SHOP, items = items, paid = true; "checked out {items}");
    canonlog::debug!("checked out {items}");
    canonlog::message!(canonlog::Level::Notice, items = items);
}

#[instrument_request(kind = "job")]
async fn job() {
    std::future::ready(()).await;
}

#[instrument_request]
fn nothing(out: &mut Vec<u8>) {
    out.push(1);
}

#[instrument_request]
fn reference(items: &mut [u8]) -> &mut u8 {
    &mut items[0]
}

#[instrument_request(fields(id = id))]
fn future(id: u8) -> impl Future<Output = Result<u8, ParseIntError>> + Send {
    async move {
        let one: u8 = "1".parse()?;
        Ok(id + one)
    }
}

#[instrument_request]
fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = Result<u8, ParseIntError>> + Send + 'a>> {
    if text.is_empty() {
        return Box::pin(async { Ok(0) });
    }
    Box::pin(async move { text.parse() })
}

#[operation(fields(length = items.len()), tags(table = "carts"))]
fn timed(items: &[u8]) -> Option<u8> {
    const FIRST: usize = 0;
    let first = items.get(FIRST)?;
    Some(*first)
}

#[operation]
async fn timed_later(items: &[u8]) -> usize {
    std::future::ready(()).await;
    items.len()
}

#[operation]
fn timed_future(id: u8) -> impl Future<Output = u8> {
    std::future::ready(id)
}

#[on_error(return = Vec::new())]
fn fallback(text: &str) -> Vec<u8> {
    let first = text.parse()?;
    let mut numbers = vec![first, "2".parse()?];
    for part in text.split(' ') {
        if part.is_empty() {
            continue;
        }
        numbers.push(part.parse()?);
    }
    numbers
}

#[on_error(return = Ok(0))]
async fn fallback_result(text: &str) -> Result<u8, ParseIntError> {
    if text.is_empty() {
        return "x".parse();
    }
    std::future::ready(()).await;
    let number: u8 = text.parse()?;
    Ok(number)
}

macro_rules! bail {
    ($error:expr) => {
        return Err($error)
    };
}

macro_rules! ensure {
    ($condition:expr, $error:expr) => {
        if !$condition {
            return Err($error);
        }
    };
}

#[operation]
async fn timed_bail(text: &str) -> Result<usize, String> {
    ensure!(std::future::ready(!text.is_empty()).await, String::new());
    if text == "none" {
        bail!(text.to_owned());
    }
    match text {
        "all" => bail!(String::new()),
        text => Ok(text.len()),
    }
}

#[on_error(return = Ok(0))]
fn fallback_bail(text: &str) -> Result<usize, String> {
    ensure!(!text.is_empty(), String::new());
    if text == "none" {
        bail!(text.to_owned());
    }
    match text.len() {
        1 => bail!("too short".to_owned()),
        2 => Ok(2),
        _ => bail!("too long".to_owned()),
    }
}

#[on_error(return = None)]
fn fallback_option(items: &[&str]) -> Option<u8> {
    let first = items.first()?;
    Some(first.parse()?)
}

#[on_error(return = ())]
fn fallback_unit(text: &str) {
    let _number: u8 = text.parse()?;
}

#[on_error(return = 0, panics)]
async fn fallback_panic(text: &str) -> usize {
    std::future::ready(()).await;
    if text.is_empty() {
        return 1;
    }
    text.len()
}

#[on_error(return = 0, panics)]
fn fallback_panic_now(text: &str) -> usize {
    let number: usize = text.parse()?;
    number + 1
}

#[on_error(return = 7)]
fn fallback_unused(text: &str) -> usize {
    text.len()
}

#[on_error(return = Ok(0))]
fn fallback_future(id: u8) -> impl Future<Output = Result<u8, ParseIntError>> {
    std::future::ready(Ok(id))
}

#[instrument_request]
#[on_error(return = 0)]
#[operation]
async fn all_three(text: &str) -> u8 {
    std::future::ready(()).await;
    text.parse()?
}

#[async_trait]
trait Load {
    async fn load(&self, id: u8) -> Result<u8, ParseIntError>;
}

struct Cart;

#[async_trait]
impl Load for Cart {
    #[instrument_request]
    #[operation]
    async fn load(&self, id: u8) -> Result<u8, ParseIntError> {
        let one: u8 = "1".parse()?;
        Ok(id + one)
    }
}

#[derive(Fields)]
struct Order<'a, T> {
    #[canonlog(rename = "order_id")]
    id: T,
    #[canonlog(redact)]
    card: &'a str,
    #[canonlog(skip)]
    lines: Vec<u8>,
    #[canonlog(flatten)]
    customer: Customer,
}

#[derive(Fields)]
struct Customer {
    name: String,
}

#[register_instrumenter(name = "lint_version", order = 2000, after = "database")]
struct Version;

impl Instrumenter for Version {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        unit.set("version", 1);
        Ok(())
    }
}

#[derive(Default)]
struct Region {
    name: String,
}

#[register_instrumenter(before = ["lint_version"])]
impl Instrumenter for Region {
    fn call(&self, unit: &mut Unit<'_>) -> Result<(), InstrumenterError> {
        unit.set("region", &self.name);
        Ok(())
    }
}

#[tokio::test]
async fn lint_clean_functions_do_what_they_say() {
    assert_eq!(sync_result("3"), Ok(3));
    assert_eq!(async_result("3").await.map(|made| made[0]()), Ok(4));
    job().await;
    let mut out = vec![];
    nothing(&mut out);
    *reference(&mut out) += 1;
    assert_eq!(out, [2]);
    assert_eq!((said("").map(|it| it.name), said("7").map(|it| it.name)), (Ok(String::new()), Ok("7".to_owned())));
    assert_eq!(said_later("a").await.name + &said_boxed("b").await.name, "ab");
    said_by_macros(3);
    assert_eq!(future(1).await, Ok(2));
    assert_eq!(boxed("3").await, Ok(3));
    assert_eq!(timed(&out), Some(2));
    assert_eq!(timed_later(&out).await + usize::from(timed_future(1).await), 2);
    assert_eq!(fallback("1"), [1, 2, 1]);
    assert!(fallback("one").is_empty());
    assert_eq!(fallback_result("").await, Ok(0));
    assert_eq!((fallback_bail("ab"), fallback_bail("")), (Ok(2), Ok(0)));
    assert_eq!((timed_bail("ab").await, timed_bail("").await), (Ok(2), Err(String::new())));
    assert_eq!((fallback_option(&["1"]), fallback_option(&[]), fallback_option(&["x"])), (Some(1), None, None));
    fallback_unit("x");
    assert_eq!(fallback_panic("").await, 1);
    assert_eq!((fallback_panic_now("1"), fallback_panic_now("x"), fallback_unused("four")), (2, 0, 4));
    assert_eq!(fallback_future(1).await, Ok(1));
    assert_eq!(all_three("x").await, 0);
    assert_eq!(Cart.load(1).await, Ok(2));
    let customer = Customer { name: "Ada".to_owned() };
    let order = Order { id: 1, card: "4111", lines: out, customer };
    let mut fields = Vec::new();
    order.record(&mut |name, value| fields.push(format!("{name}={value}")));
    assert_eq!(
        (fields.join(" ").as_str(), order.lines.len(), order.card),
        ("order_id=1 card=[redacted] name=Ada", 1, "4111")
    );
    canonlog::set!(cart_total = 1, cart_items = order.id);
}
