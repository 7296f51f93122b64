//! `#[emit]`: what a function returns is a message.

use canonlog::message::Carried;
use canonlog::{Fields, Level, Logger, Message, emit, testing};

use crate::{text, texts};

static SHOP: Logger = Logger::new("shop");

#[derive(Clone, Debug, Fields, PartialEq)]
struct Receipt {
    cart_id: u64,
    total: f64,
}

struct Cart {
    log: Logger,
}

impl Cart {
    #[emit(notice)]
    fn opened(&self) -> Logger {
        self.log.bind("opened", true)
    }

    #[emit(warning, text = "nothing in it")]
    fn emptied(&self, items: u64) -> Message<'_, impl Carried> {
        self.log.field("items", items)
    }
}

#[emit(info, text = "checked out", logger = SHOP)]
fn check_out(cart_id: u64) -> Result<Receipt, std::num::ParseIntError> {
    if cart_id == 1 {
        return Ok(Receipt { cart_id, total: 0.0 });
    }
    let total: u32 = if cart_id == 0 { "none".parse()? } else { 20 };
    Ok(Receipt { cart_id, total: total.into() })
}

#[emit(info)]
async fn later(cart_id: u64) -> Receipt {
    if std::future::ready(cart_id).await == 1 {
        return Receipt { cart_id, total: 1.0 };
    }
    Receipt { cart_id, total: 2.0 }
}

#[emit(info)]
fn returned(cart_id: u64) -> impl Future<Output = Receipt> {
    later_still(cart_id)
}

#[emit(info)]
fn boxed(cart_id: u64) -> std::pin::Pin<Box<dyn Future<Output = Receipt>>> {
    Box::pin(async move { later_still(cart_id).await })
}

async fn later_still(cart_id: u64) -> Receipt {
    Receipt { cart_id, total: 3.0 }
}

fn now<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it never waits"),
    }
}

#[test]
fn a_function_says_what_it_returns_and_returns_it_unchanged() {
    let capture = testing::capture();
    assert_eq!(check_out(7), Ok(Receipt { cart_id: 7, total: 20.0 }));
    assert_eq!(check_out(1), Ok(Receipt { cart_id: 1, total: 0.0 }));
    assert!(check_out(0).is_err(), "what fails is not said");
    let said: Vec<_> =
        capture.events().iter().map(|event| (text(event, "log_name"), text(event, "app_cart_id"))).collect();
    let of = |id: &str| (Some("shop".to_owned()), Some(id.to_owned()));
    assert_eq!(said, [of("7"), of("1")]);
    assert_eq!(texts(&capture), ["checked out", "checked out"]);
    assert!(text(&capture.events()[0], "log_loc").is_some_and(|place| place.contains("returned.rs:")));
}

#[test]
fn a_method_that_returns_a_logger_or_a_message_speaks_as_that_does() {
    let capture = testing::capture();
    let cart = Cart { log: SHOP.bind("cart", 7) };
    cart.opened().info("goes on");
    cart.emptied(0).info("goes on too");
    let events = capture.events();
    let levels: Vec<Level> = events.iter().map(|event| event.view().level()).collect();
    assert_eq!(levels, [Level::Notice, Level::Info, Level::Warning, Level::Info]);
    assert_eq!(texts(&capture), ["", "goes on", "nothing in it", "goes on too"]);
    assert_eq!(text(&events[0], "app_opened").as_deref(), Some("true"));
    assert_eq!(
        (text(&events[2], "app_cart").as_deref(), text(&events[2], "app_items").as_deref()),
        (Some("7"), Some("0"))
    );
}

#[test]
fn futures_say_what_they_give_when_they_give_it() {
    let capture = testing::capture();
    let not_yet = later(7);
    assert_eq!(capture.events().len(), 0);
    for receipt in [now(not_yet), now(later(1)), now(returned(7)), now(boxed(7))] {
        assert!(receipt.total > 0.0);
    }
    let totals: Vec<_> = capture.events().iter().filter_map(|event| text(event, "app_total")).collect();
    assert_eq!(totals, ["2.0", "1.0", "3.0", "3.0"]);
    assert!(capture.events().iter().all(|event| text(event, "log_name").as_deref() == Some(module_path!())));
}
