//! What comes in goes into the event: the body as `app_body`, and every parameter of the query.

use axum::body::Bytes;
use axum::http::Uri;
use canonlog::{Context, instrument_request};

#[instrument_request]
pub(crate) async fn echo(uri: Uri, body: Bytes) -> Bytes {
    if !body.is_empty() {
        Context::set_dynamic("body", String::from_utf8_lossy(&body));
    }
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Context::set_dynamic(&decoded(key), decoded(value));
    }
    body
}

/// A key or value of a query: `+` is a space, `%41` is `A`, and nothing is an error.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8_lossy(&bytes).into_owned(),
            [b'%', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default();
                bytes.push(u8::try_from(digit(high) * 16 + digit(low)).unwrap_or_default());
                after
            }
            [b'+', after @ ..] => {
                bytes.push(b' ');
                after
            }
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_query_is_decoded_and_never_fails() {
        assert_eq!(decoded("a+b%20c%0A"), "a b c\n");
        assert_eq!(decoded("%zz%4%"), "%zz%4%");
        assert_eq!(decoded("%ff%E2%82%AC"), "\u{fffd}€");
    }
}
