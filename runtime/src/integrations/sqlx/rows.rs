//! A stream made by an async block, which can hold a connection and the rows that borrow from it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

/// Where the block leaves an item for whoever polls the stream. Only one of them runs at a time.
struct Place<T>(Arc<Mutex<Option<T>>>);

impl<T> Place<T> {
    fn put(&self, item: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(item);
    }

    fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Hands items from the block to the stream.
pub(super) struct Sender<T>(Place<T>);

impl<T> Sender<T> {
    /// Hands over one item, and goes on when the next one is asked for.
    pub(super) async fn send(&self, item: T) {
        self.0.put(item);
        let mut handed_over = false;
        // No waker: the stream is ready now, and is polled again for the next item.
        std::future::poll_fn(
            |_| if std::mem::replace(&mut handed_over, true) { Poll::Ready(()) } else { Poll::Pending },
        )
        .await;
    }
}

pin_project! {
    struct Rows<F, T> {
        #[pin]
        block: Option<F>,
        place: Place<T>,
    }
}

/// The items that `block` sends; its error is the last one.
pub(super) fn rows<T, E, F: Future<Output = Result<(), E>>>(
    block: impl FnOnce(Sender<T>) -> F,
) -> impl Stream<Item = Result<T, E>> {
    let place = Arc::new(Mutex::new(None));
    Rows { block: Some(block(Sender(Place(Arc::clone(&place))))), place: Place(place) }
}

impl<T, E, F: Future<Output = Result<(), E>>> Stream for Rows<F, T> {
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(block) = this.block.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        match block.poll(cx) {
            Poll::Pending => this.place.take().map_or(Poll::Pending, |item| Poll::Ready(Some(Ok(item)))),
            Poll::Ready(end) => {
                // The connection goes back to its pool now, not when the stream is dropped.
                this.block.set(None);
                Poll::Ready(end.err().map(Err))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    fn collect<T, E>(stream: impl Stream<Item = Result<T, E>>) -> Vec<Option<Result<T, E>>> {
        let mut stream = pin!(stream);
        let mut cx = Context::from_waker(Waker::noop());
        let mut polls = std::iter::from_fn(|| match stream.as_mut().poll_next(&mut cx) {
            Poll::Ready(item) => Some(item),
            Poll::Pending => None,
        });
        polls.by_ref().take(4).collect()
    }

    #[test]
    fn items_come_in_order_and_the_stream_stays_ended() {
        let stream = rows(|sender| async move {
            sender.send(1).await;
            sender.send(2).await;
            Ok::<(), ()>(())
        });
        assert_eq!(collect(stream), [Some(Ok(1)), Some(Ok(2)), None, None]);
    }

    #[test]
    fn an_error_is_the_last_item() {
        let stream = rows(|sender| async move {
            sender.send(1).await;
            Err("gone")
        });
        assert_eq!(collect(stream), [Some(Ok(1)), Some(Err("gone")), None, None]);
    }
}
