//! Starlog's demonstration of the lookback: a program that says much, and writes it only where something goes wrong.
//!
//! ```sh
//! printf 'tea\\noops\\ncoffee\\n' | cargo run --bin lookback
//! ```
//!
//! A word on a line of standard input is a request.

use std::error::Error;
use std::io::{BufRead, stdin};

use canonlog::{Context, Emitter, EventType, Kind, Logger, Lookback, Template, begin};

static SHOP: Logger = Logger::new("shop");

fn serve(request: &str) {
    canonlog::info!(SHOP, "a request for {request}");
    for step in 1..=4 {
        canonlog::debug!(SHOP, "{request}: step {step}");
    }
    match request {
        "oops" => canonlog::error!(SHOP, "no {request} today"),
        "down" => Context::current().set_in("resp", "status", 503),
        _ => {}
    }
    canonlog::info!(SHOP, "done with {request}");
}

fn main() -> Result<(), Box<dyn Error>> {
    let line = Template::new("{event_level} {event_type} {log_msg}")?.only([EventType::Log, EventType::Request]);
    let _guard =
        canonlog::setup().emitter(Emitter::new("lines").format(line)).lookback(Lookback::new().capacity(3)).init()?;
    for request in stdin().lock().lines() {
        let request = request?;
        begin(Kind::Request).enter(|| serve(request.trim()));
    }
    Ok(())
}
