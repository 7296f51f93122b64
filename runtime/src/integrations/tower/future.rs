//! The future of a response: polled inside its record, which it hands on to the body.

use std::any::type_name;
use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::{HeaderName, Method, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;

use super::Options;
use super::body::RecordedBody;
use super::ending::Ending;
use super::enforced::Enforced;
use super::id;
use crate::context::Context;

pin_project! {
    /// The response of a [`RequestService`](super::RequestService).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestFuture<F> {
        // An option, so that it can be dropped inside the record: what it records then still belongs to the request.
        #[pin]
        future: Option<F>,
        ending: Ending,
        enforced: Option<Enforced>,
        method: Method,
        id_header: Option<HeaderName>,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                this.ending.note_place();
            }
            this.ending.run(|| this.future.set(None));
        }
    }
}

impl<F> RequestFuture<F> {
    /// The future of the layer that began the record.
    pub(super) fn owning(future: F, ending: Ending, method: Method, options: &Options) -> Self {
        let enforced = options.enforced.then(|| Enforced::new(ending.context()));
        RequestFuture { future: Some(future), ending, enforced, method, id_header: Some(options.id_header.clone()) }
    }

    /// The future of an inner layer: inside the record, which belongs to an outer one.
    pub(super) fn joined(future: F, outer: Context) -> Self {
        let ending = Ending::nothing(outer);
        RequestFuture { future: Some(future), ending, enforced: None, method: Method::GET, id_header: None }
    }
}

impl<F, R, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: fmt::Display,
{
    type Output = Result<Response<RecordedBody<R>>, E>;

    /// # Panics
    ///
    /// When polled again after it was ready.
    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.enforced.as_ref().is_some_and(Enforced::is_over) {
            this.ending.run(|| this.future.set(None));
            *this.enforced = None;
            return Poll::Ready(Ok(answer_late(this.ending.take(), this.id_header.take())));
        }
        let future = this.future.as_mut().as_pin_mut().expect("not polled again after it was ready");
        let Poll::Ready(result) = this.ending.run(|| future.poll(task)) else {
            if let Some(enforced) = this.enforced {
                enforced.wake_at_limit(task.waker());
            }
            return Poll::Pending;
        };
        *this.enforced = None;
        let mut ending = this.ending.take();
        // What it held on to is let go before the body is sent, as without this layer.
        ending.run(|| this.future.set(None));
        if !ending.is_open() {
            return Poll::Ready(result.map(|response| response.map(|body| RecordedBody::new(body, ending, None))));
        }
        let cx = ending.context();
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                ending.failed(&error, type_name::<E>());
                ending.finish();
                return Poll::Ready(Err(error));
            }
        };
        cx.set_in("resp", "status", response.status().as_u16());
        if let Some(name) = this.id_header.take() {
            id::send_back(cx, &mut response, name);
        }
        let expected = announced_length(&response);
        if ends_with_head(this.method, response.status()) || expected == Some(0) || response.body().is_end_stream() {
            cx.add_in("resp", "size", 0_u64);
            ending.finish();
        }
        Poll::Ready(Ok(response.map(|body| RecordedBody::new(body, ending, expected))))
    }
}

/// The answer in the place of one that did not come in time.
fn answer_late<B>(mut ending: Ending, id_header: Option<HeaderName>) -> Response<RecordedBody<B>> {
    let status = StatusCode::GATEWAY_TIMEOUT;
    let cx = ending.context();
    let mut response = Response::new(());
    *response.status_mut() = status;
    cx.set_in("resp", "status", status.as_u16());
    if let Some(name) = id_header {
        id::send_back(cx, &mut response, name);
    }
    cx.add_in("resp", "size", 0_u64);
    ending.finish();
    response.map(|()| RecordedBody::empty())
}

/// Whether the server never asks for the body of such a response.
fn ends_with_head(method: &Method, status: StatusCode) -> bool {
    method == Method::HEAD
        || status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
        || (method == Method::CONNECT && status.is_success())
}

/// How many bytes the server sends at most: it stops asking for more after them.
fn announced_length<R: Body>(response: &Response<R>) -> Option<u64> {
    let header = response.headers().get(header::CONTENT_LENGTH);
    let length = header.and_then(|length| length.to_str().ok()).and_then(|length| length.parse().ok());
    length.or_else(|| response.body().size_hint().exact())
}
