//! The body of a response: with its last byte the record ends.

use std::any::type_name;
use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::ending::Ending;
use crate::context::Context;

pin_project! {
    /// A response body that is polled, and dropped, inside the request's record, and ends it.
    #[derive(Debug)]
    pub struct RecordedBody<B> {
        // An option, so that it can be dropped inside the record.
        #[pin]
        body: Option<B>,
        ending: Ending,
        sent: u64,
        expected: Option<u64>,
    }

    impl<B> PinnedDrop for RecordedBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            this.ending.run(|| this.body.set(None));
        }
    }
}

impl<B> RecordedBody<B> {
    pub(super) fn new(body: B, ending: Ending, expected: Option<u64>) -> Self {
        RecordedBody { body: Some(body), ending, sent: 0, expected }
    }

    /// No body, for an answer that is not the service's.
    pub(super) fn empty() -> Self {
        RecordedBody { body: None, ending: Ending::nothing(Context::none()), sent: 0, expected: None }
    }
}

impl<B> Body for RecordedBody<B>
where
    B: Body,
    B::Error: fmt::Display,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let item = ready!(this.ending.run(|| body.as_mut().poll_frame(task)));
        if !this.ending.is_open() {
            return Poll::Ready(item);
        }
        let cx = this.ending.context();
        let last = match &item {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let bytes = data.remaining() as u64;
                    cx.add_in("resp", "size", bytes);
                    // A body of known length is no stream: all of it was there when the head was.
                    if *this.sent == 0 && bytes > 0 && this.expected.is_none() {
                        cx.set_in("resp", "ttfb", cx.elapsed());
                    }
                    *this.sent = this.sent.saturating_add(bytes);
                }
                frame.is_trailers() || body.is_end_stream() || this.expected.is_some_and(|length| *this.sent >= length)
            }
            Some(Err(error)) => {
                this.ending.failed(error, type_name::<B::Error>());
                true
            }
            None => {
                if *this.sent == 0 {
                    cx.add_in("resp", "size", 0_u64);
                }
                true
            }
        };
        if last {
            this.ending.finish();
        }
        Poll::Ready(item)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

/// An empty body that belongs to no record, for layers around this one that answer by themselves.
impl<B: Default> Default for RecordedBody<B> {
    fn default() -> Self {
        RecordedBody::new(B::default(), Ending::nothing(Context::none()), None)
    }
}
