//! A small web shop that writes one canonical line per request.
//!
//! ```text
//! cargo run --bin shop              serve on 127.0.0.1:8080
//! cargo run --bin shop -- --tour    ask itself one request of each kind, then exit
//! cargo run --bin shop -- --config examples/config/canonlog.toml
//! ```
//!
//! Events go to stdout, one a line, and nothing else does. Everything for people goes to stderr.

mod args;
mod cart;
mod catalogue;
mod delivery;
mod error;
mod orders;
mod recommendations;
mod release;
mod reports;
mod routes;
mod store;
mod tour;

use std::fmt::Display;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Args, Format};

// ANCHOR: main
#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::parse(std::env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => return ExitCode::SUCCESS,
        Err(mistake) => {
            say(format_args!("shop: {mistake}"));
            return ExitCode::from(2);
        }
    };
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(format_args!("shop: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), String> {
    let setup = match &args.config {
        Some(file) => canonlog::setup().config_file(file),
        None => canonlog::setup().stacks(10),
    };
    let setup = match args.format {
        Some(Format::Json) => setup.format(canonlog::Json::new()),
        Some(Format::Pretty) => setup.format(canonlog::Pretty::new()),
        None if args.config.is_some() => setup,
        Some(Format::Logfmt) | None => setup.format(canonlog::Logfmt::new()),
    };
    let guard = setup.init().map_err(|error| error.to_string())?; // dropped last: it writes what is still queued
    guard.on_sighup().map_err(|error| error.to_string())?; // which reads the file again

    let store = store::open(args.database).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    canonlog::saturation::watch(&listener); // rt_backlog
    canonlog::saturation::workers(Handle::current().metrics().num_workers()); // rt_w_count
    let server = axum::serve(listener, routes::router(store.shop.clone()));

    if args.tour {
        tokio::spawn(server.into_future());
        return tour::run(address, &guard).await.map_err(|error| format!("the tour ended early: {error}"));
    }
    invite(address);
    tokio::select! {
        ended = server.with_graceful_shutdown(stopped()) => ended.map_err(|error| error.to_string()),
        () = out_of_patience() => Ok(()), // what still runs is dropped, and its events say so
    }
}
// ANCHOR_END: main

/// Waits until what was running at the end had its time.
async fn out_of_patience() {
    stopped().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// Waits until somebody wants the program to end.
async fn stopped() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> String {
    format!("cannot listen on {address}: {error}; `--port` takes another port")
}

/// Says which requests to try.
fn invite(address: SocketAddr) {
    say(format_args!("The shop is open on http://{address}; one line per request comes out of stdout. Try:\n"));
    for step in tour::STEPS {
        say(format_args!("  # {}\n  {}", step.what, step.curl(address)));
    }
    say("\nCtrl-C ends it.\n");
}

/// Writes a line for people to stderr; a closed stderr is not worth an error.
fn say(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
