//! One record per request, for any [`tower`](tower_service) service over [`http`] types.
//!
//! ```text
//! request ──▶ RequestService ── begin ──▶ inner.call, inside the record
//!                                              │ head: resp_status, X-Request-Id
//! event ◀── last byte, or dropped ◀── RecordedBody ──▶ server
//! ```
//!
//! The record begins before the inner service is called and ends with the last byte of the body, whoever answers: a
//! handler, the router's 404, a panic, or nobody because the client went away.

mod body;
mod ending;
mod enforced;
mod future;
mod id;
mod request;

use std::fmt;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::{HeaderName, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::RecordedBody;
pub use self::future::RequestFuture;
pub use self::request::{ClientIp, PeerAddr};
pub(crate) use self::request::{record_header, record_path, record_query, record_referrer, record_version};

use self::ending::Ending;
use crate::context::Context;
use crate::pipeline::{Kind, Pipeline};

/// Gives every request its event: `req_*`, `resp_status`, `resp_time` up to the last byte, `X-Request-Id`.
///
/// Put it outermost, so that what other layers answer has its event too. Where it is applied twice, the outermost owns the
/// record and inner ones join it. (An inner one that is called from another task, as behind a `Buffer`, sees no context
/// there and begins a record of its own.)
///
/// With the feature `axum`, `req_route` is the template of the route (`/carts/{id}`) if the layer is applied by
/// `Router::layer`. Around a router as a whole it sees requests before they are routed: a second one within, by
/// `Router::layer`, then adds the route. `req_client_ip` is known where the service was made by
/// `into_make_service_with_connect_info::<SocketAddr>()`, or from [`ClientIp`].
///
/// The record ends with the last byte of the body: at its end, at trailers, as soon as the body says that it is at its end,
/// or once it gave as many bytes as were announced. Answers without a body (to `HEAD`, 1xx, 204, 304, upgrades) end with
/// the head. A client that goes away earlier leaves `req_cancelled="true"`, and `resp_status="499"` if no head had been
/// produced.
///
/// ```
/// use canonlog::tower::RequestLayer;
/// use std::time::Duration;
/// use tower_layer::Layer;
///
/// # #[derive(Clone)]
/// # struct Shop;
/// let service = RequestLayer::new().timeout(Duration::from_secs(30)).layer(Shop);
/// # let _ = service;
/// ```
#[derive(Clone, Debug)]
pub struct RequestLayer {
    options: Options,
}

#[derive(Clone, Debug)]
struct Options {
    pipeline: Pipeline,
    /// What was said of the time limit, if anything.
    timeout: Option<Option<Duration>>,
    enforced: bool,
    id_header: HeaderName,
}

impl Default for RequestLayer {
    fn default() -> Self {
        RequestLayer::new()
    }
}

impl RequestLayer {
    /// A layer without a time limit of its own, whose request ids travel in `X-Request-Id`.
    ///
    /// Its events go through the pipeline that is current now: a test's own, else the process's.
    #[must_use]
    pub fn new() -> Self {
        let id_header = HeaderName::from_static("x-request-id");
        RequestLayer { options: Options { pipeline: Pipeline::current(), timeout: None, enforced: false, id_header } }
    }

    /// The time after which a request that is still running is reported by a `timeout` event; `None` is off.
    ///
    /// Where nothing is said, it is the limit of [`Setup::timeout`](crate::Setup::timeout), if any.
    ///
    /// ```
    /// use canonlog::tower::RequestLayer;
    /// use std::time::Duration;
    ///
    /// let layer = RequestLayer::new().timeout(Duration::from_secs(30));
    /// let without = layer.clone().timeout(None);
    /// # let _ = without;
    /// ```
    #[must_use]
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.timeout = Some(limit.into());
        self
    }

    /// Whether time limits are kept: at its limit a request that has no answer yet gets a 504, and what works on it is
    /// dropped. Off by default: limits are only reported.
    ///
    /// The limit is that of [`timeout`](Self::timeout), of `#[instrument_request(timeout = ..)]` or of
    /// [`Context::set_timeout`], whichever was set last; without one there is nothing to keep. The request has its
    /// `timeout` event shortly before; the 504 is a `late_response`. Code that blocks its thread can't be interrupted: the
    /// 504 waits until it lets go. A body that is being sent goes on.
    ///
    /// ```
    /// use canonlog::tower::RequestLayer;
    /// use std::time::Duration;
    ///
    /// let layer = RequestLayer::new().timeout(Duration::from_secs(30)).enforce(true);
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn enforce(mut self, kept: bool) -> Self {
        self.options.enforced = kept;
        self
    }

    /// The header that brings a request's id in and takes it back; `X-Request-Id` unless said otherwise.
    ///
    /// An id from outside is used if it is the only one and consists of 1 to 128 visible ASCII characters; else the request
    /// gets a fresh one. A handler that sets the header itself is left alone.
    ///
    /// ```
    /// let layer = canonlog::tower::RequestLayer::new()
    ///     .request_id_header(http::HeaderName::from_static("x-correlation-id"));
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn request_id_header(mut self, name: HeaderName) -> Self {
        self.options.id_header = name;
        self
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> RequestService<S> {
        RequestService { inner, options: self.options.clone() }
    }
}

/// A service that gives every request its event; made by [`RequestLayer`].
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    options: Options,
}

impl<S, B, R> Service<Request<B>> for RequestService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: fmt::Display,
    R: Body,
{
    type Response = Response<RecordedBody<R>>;
    type Error = S::Error;
    type Future = RequestFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let outer = Context::current();
        if request::is_recorded(outer) {
            request::record_route(outer, request.extensions());
            return RequestFuture::joined(self.inner.call(request), outer);
        }
        let Options { pipeline, timeout, id_header, .. } = &self.options;
        let mut ending = Ending::of(pipeline.begin(Kind::Request));
        let cx = ending.context();
        request::record(cx, &request, id_header);
        if let Some(limit) = *timeout {
            cx.limit(limit);
        }
        let method = request.method().clone();
        let future = ending.run(|| self.inner.call(request));
        RequestFuture::owning(future, ending, method, &self.options)
    }
}
