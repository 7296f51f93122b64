//! An HTTP server inside the test, on a port that the system picks, whose events the test sees.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use axum::Router;
use canonlog::OwnedEvent;
use canonlog::testing::{Capture, capture};
use canonlog::tower::RequestLayer;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::client::{Client, PATIENCE, Reply};

/// A server on its own runtime, and what it wrote.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    runtime: Option<Runtime>,
    events: Capture,
}

impl Server {
    /// Serves what `make` builds; its events, and no other test's, are those of the layer that it is given.
    pub fn start(make: impl FnOnce(RequestLayer) -> Router) -> Self {
        let events = capture();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let router = make(RequestLayer::new());
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        let addr = listener.local_addr().expect("a bound socket");
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        runtime.spawn(async move { axum::serve(listener, service).await });
        Server { addr, runtime: Some(runtime), events }
    }

    /// Serves a router with the layer around all of its routes.
    pub fn of(router: Router) -> Self {
        Server::start(|layer| router.layer(layer))
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.addr)
    }

    /// One `GET` on a connection of its own.
    pub fn get(&self, path: &str) -> Reply {
        self.connect().get(path)
    }

    /// What was written so far.
    pub fn events_now(&self) -> Vec<OwnedEvent> {
        self.events.events()
    }

    /// Waits until `n` events are there, and returns all.
    pub fn events(&self, n: usize) -> Vec<OwnedEvent> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let events = self.events_now();
            if events.len() >= n {
                return events;
            }
            assert!(Instant::now() < deadline, "{n} events within {PATIENCE:?}, not only {events:#?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends the server and returns everything it wrote: nothing can come after.
    pub fn stop(mut self) -> Vec<OwnedEvent> {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
        self.events.events()
    }

    /// Ends the server; there must be exactly one event.
    pub fn only_event(self) -> OwnedEvent {
        self.events(1);
        let mut events = self.stop();
        assert_eq!(events.len(), 1, "one event, not {events:#?}");
        events.remove(0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
    }
}

/// A field as text, by its full name.
pub fn field(event: &OwnedEvent, name: &str) -> Option<String> {
    event.view().get(name).map(|value| value.to_string())
}

/// A field that has to be there.
#[track_caller]
pub fn value(event: &OwnedEvent, name: &str) -> String {
    field(event, name).unwrap_or_else(|| panic!("{name} in {event:#?}"))
}

/// A field in seconds.
#[track_caller]
pub fn seconds(event: &OwnedEvent, name: &str) -> f64 {
    match event.view().get(name) {
        Some(canonlog::Value::Duration(time)) => time.as_secs_f64(),
        other => panic!("{name} is {other:?} in {event:#?}"),
    }
}
