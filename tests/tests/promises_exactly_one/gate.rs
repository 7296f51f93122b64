//! Lets a test wait for a handler, and a handler for its test.

use std::sync::Arc;

use canonlog_tests::client::PATIENCE;
use tokio::sync::Semaphore;

#[derive(Clone, Debug)]
pub(crate) struct Gate {
    reached: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Gate { reached: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// The handler is there; it goes on when told to.
    pub(crate) async fn pass(&self) {
        self.reached.add_permits(1);
        self.open.acquire().await.expect("never closed").forget();
    }

    /// Waits for a handler.
    pub(crate) fn reached(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(self.wait());
    }

    /// Waits for a handler, in a task.
    pub(crate) async fn wait(&self) {
        let reached = tokio::time::timeout(PATIENCE, self.reached.acquire()).await;
        reached.expect("the handler is reached in time").expect("never closed").forget();
    }

    /// Lets a handler go on.
    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }
}
