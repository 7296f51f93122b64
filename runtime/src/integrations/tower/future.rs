//! The future of a response: polled inside its record, which it hands on to the body.

use std::fmt;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::RecordedBody;
use super::ending::Ending;
use crate::context::Scoped;

pin_project! {
    /// The response of a [`RequestService`](super::RequestService).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestFuture<F> {
        // Dropped first: what it records while it is dropped still belongs to the request.
        #[pin]
        future: Scoped<F>,
        ending: Ending,
        method: Method,
        id_header: Option<HeaderName>,
    }
}

impl<F> RequestFuture<F> {
    pub(super) fn owning(future: Scoped<F>, ending: Ending, method: Method, id_header: HeaderName) -> Self {
        RequestFuture { future, ending, method, id_header: Some(id_header) }
    }

    /// The future of an inner layer: inside the record, which belongs to an outer one.
    pub(super) fn joined(future: Scoped<F>) -> Self {
        RequestFuture { future, ending: Ending::nothing(), method: Method::GET, id_header: None }
    }
}

impl<F, R, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: fmt::Display,
{
    type Output = Result<Response<RecordedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Poll::Ready(result) = this.ending.run(|| this.future.poll(task)) else {
            return Poll::Pending;
        };
        let mut ending = std::mem::replace(this.ending, Ending::nothing());
        if !ending.is_open() {
            return Poll::Ready(result.map(|response| response.map(RecordedBody::bare)));
        }
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                ending.failed(&error, std::any::type_name::<E>());
                ending.finish();
                return Poll::Ready(Err(error));
            }
        };
        ending.answered(response.status().as_u16());
        if let Some(name) = this.id_header.take() {
            return_id(&ending, &mut response, name);
        }
        let expected = announced_length(&response);
        if ends_with_head(this.method, response.status()) || expected == Some(0) || response.body().is_end_stream() {
            ending.context().add_in("resp", "size", 0_u64);
            ending.finish();
        }
        Poll::Ready(Ok(response.map(|body| RecordedBody::new(body, ending, expected))))
    }
}

/// Sends the request's id back, unless the service set the header itself.
fn return_id<R>(ending: &Ending, response: &mut Response<R>, name: HeaderName) {
    let Some(id) = ending.context().request_id() else { return };
    if let (header::Entry::Vacant(place), Ok(value)) = (response.headers_mut().entry(name), HeaderValue::try_from(id)) {
        place.insert(value);
    }
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
