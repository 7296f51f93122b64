//! A server with one route for each thing that a request can do, for tests by other programs.
//!
//! ```text
//! testbed --port 8080 --format json --out events.log
//! ```
//!
//! Events go to stdout (or FILE), one a line, and nothing else does; everything else goes to stderr, first the address that
//! it listens on (`--port 0` takes a free one). On SIGTERM or SIGINT it takes no more connections, lets requests end for up
//! to 2 seconds, writes what is left, and exits with 0. What it can't do (a port in use, a bad flag) costs one line and
//! exit code 2.

mod args;
mod echo;
mod fields;
mod hop;
mod ledger;
mod queries;
mod routes;
mod stuck;
mod supply;
mod telemetry;

use std::error::Error;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use canonlog::tower::RequestLayer;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::services::ServeDir;

use crate::args::Args;

/// How long requests may go on after a signal to end.
const DRAIN: Duration = Duration::from_secs(2);

type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Failure> {
    let Some(args) = Args::parse(std::env::args().skip(1), std::env::var_os("TESTBED_TIMEOUT_MS"))? else {
        let _ = writeln!(std::io::stderr(), "{}", args::USAGE);
        return Ok(());
    };
    let _events = telemetry::start(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(&args));
    // What is still in flight ends as cut off, before the events are written out; a handler that blocks its thread can't
    // keep the process.
    runtime.shutdown_timeout(Duration::from_millis(200));
    served
}

async fn serve(args: &Args) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    canonlog::saturation::watch(&listener);
    canonlog::saturation::workers(Handle::current().metrics().num_workers());
    let app = router(args.timeout).await?;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (drain, drained) = tokio::sync::oneshot::channel();
    say(format_args!("listening on http://{}", listener.local_addr()?));
    // Small answers go out at once.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = drain.send(());
    });
    tokio::select! {
        ended = server => ended?,
        () = async {
            let _ = drained.await;
            tokio::time::sleep(DRAIN).await;
        } => say(format_args!("some requests did not end within {} s", DRAIN.as_secs())),
    }
    Ok(())
}

async fn router(timeout: Option<Duration>) -> Result<Router, Failure> {
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/static");
    Ok(Router::new()
        .route("/ok", get(routes::ok))
        .route("/hello", get(routes::ok))
        .route("/custom", get(routes::custom))
        .route("/time", get(routes::time))
        .route("/boom", get(routes::boom_view))
        .route("/reorder", get(routes::reorder))
        .route("/panic", get(routes::panic))
        .route("/partial", get(routes::partial))
        .route("/status/{code}", get(routes::status))
        .route("/stream", get(routes::stream))
        .route("/stats", get(telemetry::stats))
        .route("/spawn", get(routes::spawn))
        .route("/sleep", get(stuck::sleep))
        .route("/slow", get(stuck::sleep))
        .route("/block", get(stuck::block))
        .route("/spin", get(stuck::spin))
        .route("/echo", get(echo::echo).post(echo::echo))
        .route("/fields", get(fields::fields))
        .merge(queries::routes().await?)
        .merge(hop::routes()?)
        .nest_service("/static", ServeDir::new(files))
        .layer(RequestLayer::new().timeout(timeout))
        // Outside, so that the record sees the panic and the client gets an answer.
        .layer(CatchPanicLayer::new()))
}

/// Writes a line to stderr; nobody there to read it is no reason to fail.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "testbed: {line}");
}
