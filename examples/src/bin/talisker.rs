//! The lines of talisker, as canonlog writes them: a message of a request, a failure, and the request itself.
//!
//! `cargo run --bin talisker`

use canonlog::{Logger, Talisker, instrument_request};

static APP: Logger = Logger::new("app");

#[instrument_request]
fn view(cart: &str) -> u32 {
    APP.field("context", "I haz it").info("something happened");
    cart.parse().unwrap_or_else(|error| {
        // Text that reads as a number stays text, and a line end forges no line.
        let log = APP.field("cart", cart).field("version", "1.5").field("empty", "").field("items", 0);
        log.field("trailer", "first line\nsecond \"line\"").trace(&error).error("no \"cart\"\nat all");
        0
    })
}

fn main() -> Result<(), canonlog::SetupError> {
    let _guard = canonlog::setup().format(Talisker::new()).init()?;
    view("se=ven");
    Ok(())
}
