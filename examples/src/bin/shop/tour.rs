//! One request of each kind, sent to the shop itself over a socket.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use canonlog::{Guard, instrument_request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::say;

/// A request to try.
pub(crate) struct Step {
    pub(crate) what: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
}

const fn get(path: &'static str, what: &'static str) -> Step {
    Step { what, method: "GET", path, body: "" }
}

const fn post(path: &'static str, body: &'static str, what: &'static str) -> Step {
    Step { what, method: "POST", path, body }
}

pub(crate) const STEPS: [Step; 9] = [
    get("/products", "a request"),
    post("/carts/7", r#"{"product":2,"quantity":2}"#, "another, which writes"),
    post("/carts/7/checkout", r#"{"card":"4111"}"#, "fields, timings, a transaction; the card is redacted"),
    get("/products/99", "a 404 of a handler: an error, so it has its line; a warning, as the client can mend it"),
    get("/nowhere", "a 404 of the router, before any handler"),
    get("/reports/refunds", "a 500: exc_type, exc_msg, exc_loc"),
    get("/products/1?fail=1", "a partial failure: two lines with one req_id"),
    get("/orders", "an N+1: db_dup_queries, db_dup_top, db_dup_loc"),
    get("/products/1/delivery?ms=1500", "a timeout, while it hangs; then a late_response, and no request"),
];

impl Step {
    /// The request as a command line.
    pub(crate) fn curl(&self, address: impl Display) -> String {
        let url = format!("http://{address}{}", self.path);
        let url = if url.contains('?') { format!("'{url}'") } else { url };
        match self.body {
            "" => format!("curl {url}"),
            body => format!("curl {url} --json '{body}'"),
        }
    }
}

/// What there is to try, for whoever opens the shop in a browser.
#[instrument_request]
pub(crate) async fn index(headers: HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8080");
    STEPS.iter().map(|step| format!("# {}\n{}\n\n", step.what, step.curl(host))).collect()
}

pub(crate) async fn run(address: SocketAddr, guard: &Guard) -> io::Result<()> {
    for step in STEPS {
        say(format_args!("\n# {}\n$ {}", step.what, step.curl(address)));
        let answer = tokio::time::timeout(Duration::from_secs(30), ask(address, &step)).await??;
        say(format_args!("{answer}"));
        guard.flush(); // so that the lines stand below their request
    }
    Ok(())
}

/// Sends a request; the status line and the body of its answer.
async fn ask(address: SocketAddr, step: &Step) -> io::Result<String> {
    let Step { method, path, body, .. } = step;
    let mut socket = TcpStream::connect(address).await?;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nuser-agent: tour\r\nconnection: close\r\n");
    let content = format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    socket.write_all((head + &content).as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    Ok(if body.is_empty() { status.to_owned() } else { format!("{status}\n{body}") })
}
