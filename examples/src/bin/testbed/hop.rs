//! A value that is recorded by a thread of another pool than the runtime's.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use canonlog::{Context, instrument_request};
use serde::Deserialize;
use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// Two threads that do what they are sent.
#[derive(Clone)]
struct Pool {
    work: mpsc::Sender<Work>,
}

impl Pool {
    fn start() -> io::Result<Self> {
        let (work, todo) = mpsc::channel::<Work>();
        let todo = Arc::new(Mutex::new(todo));
        for n in 0..2 {
            let todo = Arc::clone(&todo);
            std::thread::Builder::new().name(format!("hop-{n}")).spawn(move || {
                loop {
                    let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(work) = next else { return };
                    work();
                }
            })?;
        }
        Ok(Pool { work })
    }

    /// Runs `work` on one of the threads, inside the record of the caller.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let cx = Context::current();
        let (done, result) = oneshot::channel();
        let work = Box::new(move || {
            let _ = done.send(cx.enter(work));
        });
        self.work.send(work).ok()?;
        result.await.ok()
    }
}

#[derive(Deserialize)]
struct Marked {
    #[serde(default)]
    m: String,
}

#[instrument_request]
async fn hop(State(pool): State<Pool>, Query(marked): Query<Marked>) -> &'static str {
    match pool.run(move || Context::set("m", marked.m)).await {
        Some(()) => "hopped",
        None => "the pool is gone",
    }
}

pub(crate) fn routes() -> io::Result<Router> {
    Ok(Router::new().route("/hop", get(hop)).with_state(Pool::start()?))
}
