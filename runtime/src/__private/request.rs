//! What a request says of itself, for boundaries that no layer stands before.

/// What is recorded of a request, copied out of it.
#[derive(Clone, Debug)]
pub struct Head {
    #[cfg(feature = "tower")]
    of_http: of_http::Kept,
}

impl Head {
    /// Sets `req_*` in the current record, unless whoever began it has.
    pub fn record(&self) {
        #[cfg(feature = "tower")]
        self.of_http.record();
    }
}

/// An argument that `request = ..` can name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no request that canonlog can read",
    label = "not an `http::Request`",
    note = "name an argument of type `http::Request`, a reference to one, or `http::request::Parts`, and turn on the feature `tower`"
)]
pub trait RequestHead {
    #[doc(hidden)]
    fn keep(&self) -> Head;

    #[doc(hidden)]
    fn record(&self) {
        self.keep().record();
    }
}

#[diagnostic::do_not_recommend]
impl<T: RequestHead + ?Sized> RequestHead for &T {
    fn keep(&self) -> Head {
        (**self).keep()
    }
}

#[diagnostic::do_not_recommend]
impl<T: RequestHead + ?Sized> RequestHead for &mut T {
    fn keep(&self) -> Head {
        (**self).keep()
    }
}

#[cfg(feature = "tower")]
mod of_http {
    use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};

    use super::{Head, RequestHead};
    use crate::context::Context;
    use crate::integrations::tower::{record_header, record_path, record_query, record_referrer, record_version};
    use crate::record::keys::builtin;

    /// Copies share their text with the request.
    #[derive(Clone, Debug)]
    pub(super) struct Kept {
        method: Method,
        uri: Uri,
        version: Version,
        referrer: Option<HeaderValue>,
        user_agent: Option<HeaderValue>,
    }

    impl Kept {
        pub(super) fn record(&self) {
            let cx = Context::current();
            if !cx.is_active() || !cx.lacks(builtin::REQ_METHOD) {
                return;
            }
            record_version(cx, self.version);
            cx.set_in("req", "method", self.method.as_str());
            record_path(cx, &self.method, &self.uri);
            record_query(cx, &self.uri);
            record_referrer(cx, self.referrer.as_ref());
            record_header(cx, "user_agent", self.user_agent.as_ref());
        }
    }

    fn keep(method: &Method, uri: &Uri, version: Version, headers: &HeaderMap) -> Head {
        Head {
            of_http: Kept {
                method: method.clone(),
                uri: uri.clone(),
                version,
                referrer: headers.get(header::REFERER).cloned(),
                user_agent: headers.get(header::USER_AGENT).cloned(),
            },
        }
    }

    #[diagnostic::do_not_recommend]
    impl<B> RequestHead for http::Request<B> {
        fn keep(&self) -> Head {
            keep(self.method(), self.uri(), self.version(), self.headers())
        }
    }

    #[diagnostic::do_not_recommend]
    impl RequestHead for http::request::Parts {
        fn keep(&self) -> Head {
            keep(&self.method, &self.uri, self.version, &self.headers)
        }
    }
}
