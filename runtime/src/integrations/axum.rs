//! What axum knows about a request: the template of its route, and who called.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, MatchedPath};
use http::Extensions;

pub(crate) fn route(extensions: &Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

pub(crate) fn client_ip(extensions: &Extensions) -> Option<IpAddr> {
    peer(extensions).map(|peer| peer.ip().to_canonical())
}

pub(crate) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0)
}
