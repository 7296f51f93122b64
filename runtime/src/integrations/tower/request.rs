//! What a record takes over from the head of its request.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use crate::context::Context;
use crate::event::HttpVersion;
use crate::features;
use crate::record::keys::builtin;
use crate::record::set_http;
use crate::redact;
use crate::value::display;

/// The address of the client, for `req_client_ip`: put it into the request's extensions where your server, or a proxy that
/// you trust, tells it.
///
/// Headers such as `X-Forwarded-For` are not believed by themselves, as any client can send them. With the feature `axum`,
/// the address that `axum::extract::ConnectInfo` holds is taken without further ado.
///
/// ```
/// use canonlog::tower::ClientIp;
/// use std::net::{IpAddr, Ipv4Addr};
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(ClientIp(IpAddr::V4(Ipv4Addr::LOCALHOST)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientIp(pub IpAddr);

/// The other end of the request's connection, for the feature [`peer`](crate::Feature::peer): put it into the request's extensions
/// where your server tells it. With the feature `axum`, what `axum::extract::ConnectInfo` holds is taken without further ado.
///
/// ```
/// use canonlog::tower::PeerAddr;
/// use std::net::{Ipv4Addr, SocketAddr};
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(PeerAddr(SocketAddr::from((Ipv4Addr::LOCALHOST, 50_123))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

/// Whether a layer further out records this request already.
///
/// Only layers write `req_method`, so that a job, or a record that somebody began by hand, does not count.
pub(super) fn is_recorded(cx: Context) -> bool {
    cx.is_active() && !cx.lacks(builtin::REQ_METHOD)
}

/// Writes `req_*`, and takes over a request id from outside.
pub(super) fn record<B>(cx: Context, request: &Request<B>, id_header: &HeaderName) {
    if let Some(id) = incoming_id(request.headers(), id_header) {
        cx.set_request_id(id);
    }
    record_version(cx, request.version());
    cx.set_in("req", "method", request.method().as_str());
    record_path(cx, request.method(), request.uri());
    record_query(cx, request.uri());
    record_referrer(cx, request.headers().get(header::REFERER));
    record_header(cx, "user_agent", request.headers().get(header::USER_AGENT));
    record_route(cx, request.extensions());
    if let Some(ip) = client_ip(request.extensions()) {
        cx.set_in("req", "client_ip", ip);
    }
    if features::wants_peer()
        && let Some(peer) = peer(request.extensions())
    {
        cx.set_in("peer", "ip", peer.ip().to_canonical());
        cx.set_in("peer", "port", peer.port());
    }
}

/// Writes the template of the route, where a router has found it already.
pub(super) fn record_route(cx: Context, extensions: &Extensions) {
    #[cfg(feature = "axum")]
    if let Some(route) = crate::integrations::axum::route(extensions) {
        cx.set_in("req", "route", route);
    }
    #[cfg(not(feature = "axum"))]
    let _ = (cx, extensions);
}

fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    if let Some(PeerAddr(peer)) = extensions.get() {
        return Some(*peer);
    }
    #[cfg(feature = "axum")]
    return crate::integrations::axum::peer(extensions);
    #[cfg(not(feature = "axum"))]
    None
}

fn client_ip(extensions: &Extensions) -> Option<IpAddr> {
    if let Some(ClientIp(ip)) = extensions.get() {
        return Some(*ip);
    }
    #[cfg(feature = "axum")]
    return crate::integrations::axum::client_ip(extensions);
    #[cfg(not(feature = "axum"))]
    None
}

/// The one value of the header, if there is exactly one and it is text; the record checks the rest.
fn incoming_id<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let id = values.next()?;
    if values.next().is_some() {
        return None;
    }
    id.to_str().ok()
}

/// For the access log; no field shows it.
pub(crate) fn record_version(cx: Context, version: Version) {
    let version = match version {
        Version::HTTP_09 => HttpVersion::V09,
        Version::HTTP_10 => HttpVersion::V10,
        Version::HTTP_2 => HttpVersion::V2,
        Version::HTTP_3 => HttpVersion::V3,
        _ => HttpVersion::V11,
    };
    set_http(cx.handle(), version);
}

pub(crate) fn record_path(cx: Context, method: &Method, uri: &Uri) {
    let path = uri.path();
    if path.contains('%') {
        cx.set_in("req", "path", display(Decoded(path)));
    } else if let (Some(authority), true) = (uri.authority(), method == Method::CONNECT) {
        // `CONNECT` asks for a host and port, and has no path.
        cx.set_in("req", "path", authority.as_str());
    } else {
        cx.set_in("req", "path", path);
    }
}

/// The query, where it is asked for.
pub(crate) fn record_query(cx: Context, uri: &Uri) {
    if let Some(query) = uri.query().filter(|_| redact::shows_query_strings()) {
        cx.set_in("req", "query", display(redact::Query(query)));
    }
}

/// Where the request comes from: without its query, unless queries are asked for.
pub(crate) fn record_referrer(cx: Context, value: Option<&HeaderValue>) {
    let Some(bytes) = value.map(HeaderValue::as_bytes) else { return };
    let Some(end) = bytes.iter().position(|byte| matches!(byte, b'?' | b'#')) else {
        return record_header(cx, "referrer", value);
    };
    let page = String::from_utf8_lossy(&bytes[..end]);
    if bytes[end] == b'?' && redact::shows_query_strings() {
        let query = bytes[end + 1..].split(|byte| *byte == b'#').next().unwrap_or_default();
        let query = String::from_utf8_lossy(query);
        return cx.set_in("req", "referrer", format_args!("{page}?{}", redact::Query(&query)));
    }
    cx.set_in("req", "referrer", &*page);
}

pub(crate) fn record_header(cx: Context, key: &'static str, value: Option<&HeaderValue>) {
    let Some(value) = value else { return };
    match str::from_utf8(value.as_bytes()) {
        Ok(text) => cx.set_in("req", key, text),
        Err(_) => cx.set_in("req", key, display(Lossy(value.as_bytes()))),
    }
}

/// Bytes as text, what is not UTF-8 as U+FFFD.
struct Lossy<'a>(&'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

/// A path with its percent escapes resolved; what is no escape stays as it is.
struct Decoded<'a>(&'a str);

impl fmt::Display for Decoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find('%') {
            f.write_str(&rest[..at])?;
            rest = &rest[at..];
            // A character of several bytes takes several escapes in a row.
            let mut bytes = [0; 64];
            let mut len = 0;
            while let Some(byte) = escape(rest.as_bytes()) {
                bytes[len] = byte;
                len += 1;
                rest = &rest[3..];
                if len == bytes.len() {
                    // What is left of a character that the buffer cut goes into the next round.
                    let whole = whole_characters(&bytes);
                    Lossy(&bytes[..whole]).fmt(f)?;
                    bytes.copy_within(whole.., 0);
                    len -= whole;
                }
            }
            Lossy(&bytes[..len]).fmt(f)?;
            if let (0, Some(after)) = (len, rest.strip_prefix('%')) {
                f.write_str("%")?;
                rest = after;
            }
        }
        f.write_str(rest)
    }
}

/// The byte that an escape at the start of the text stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else { return None };
    let (high, low) = (char::from(*high).to_digit(16)?, char::from(*low).to_digit(16)?);
    u8::try_from(high * 16 + low).ok()
}

/// The length of the bytes without a character cut off at their end.
fn whole_characters(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(last) if !last.invalid().is_empty() => match std::str::from_utf8(last.invalid()) {
            // `None` means that more bytes could complete it.
            Err(error) if error.error_len().is_none() => bytes.len() - last.invalid().len(),
            _ => bytes.len(),
        },
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(path: &str) -> String {
        Decoded(path).to_string()
    }

    #[test]
    fn a_path_is_decoded_and_never_fails() {
        assert_eq!(decoded("/missing%20sp/"), "/missing sp/");
        assert_eq!(decoded("/%E2%82%AC%2Fx"), "/€/x");
        assert_eq!(decoded("/%e2%82/%ff"), "/\u{fffd}/\u{fffd}");
        assert_eq!(decoded("/100%"), "/100%");
        assert_eq!(decoded("/%zz%4%%41"), "/%zz%4%A");
        assert_eq!(decoded("%41%"), "A%");
    }

    proptest! {
        #[test]
        fn escaped_bytes_come_back_as_their_lossy_text(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let escaped: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decoded(&escaped), String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn escaped_text_comes_back_whole(text in "[aé€😀]{0,200}") {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decoded(&escaped), text);
        }
    }

    #[test]
    fn one_valid_id_is_taken_and_two_are_none() {
        let name = HeaderName::from_static("x-request-id");
        let mut headers = HeaderMap::new();
        assert_eq!(incoming_id(&headers, &name), None);
        headers.append(&name, HeaderValue::from_static("abc"));
        assert_eq!(incoming_id(&headers, &name), Some("abc"));
        headers.append(&name, HeaderValue::from_static("abc"));
        assert_eq!(incoming_id(&headers, &name), None);
    }
}
