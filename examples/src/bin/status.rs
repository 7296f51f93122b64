//! Starlog's demonstration of status lines: a program that says and counts things, and a line every so often that tells how many.
//!
//! ```sh
//! cargo run --bin status -- 5s
//! ```
//!
//! It works for as long as standard input is open; a word on a line there is a request. Only the status lines are shown.

use std::error::Error;
use std::io::{BufRead, stdin};

use canonlog::{Emitter, EventType, Interval, Logger, ParseIntervalError, Status, Template};

static SHOP: Logger = Logger::new("shop");

fn serve(request: &str) {
    canonlog::debug!(SHOP, "a request for {request}");
    match request {
        "oops" => canonlog::error!(SHOP, "no {request} today"),
        "odd" => canonlog::warning!(SHOP, "an odd request"),
        _ => canonlog::info!(SHOP, "served {request}"),
    }
    let status = if request == "oops" { "5xx" } else { "2xx" };
    canonlog::inc("requests").inc(status).by("letters", request.len() as i64);
}

fn main() -> Result<(), Box<dyn Error>> {
    let period = std::env::args().nth(1).unwrap_or_else(|| "5s".to_owned());
    let period: Interval = period.parse().map_err(|error: ParseIntervalError| error.to_string())?;
    let line = "{event_time:%F %T} log messages: {status_error} ERROR, {status_warning} WARNING {status_info} INFO, \
                {status_info_size} bytes; requests: {requests}, {2xx} good, {3xx} elsewhere, {letters.avg:.2} letters";
    let _guard = canonlog::setup()
        .emitter(Emitter::new("status").only([EventType::Status]).format(Template::new(line)?))
        .status(Status::every(period))
        .init()?;
    for request in stdin().lock().lines() {
        serve(request?.trim());
    }
    Ok(())
}
