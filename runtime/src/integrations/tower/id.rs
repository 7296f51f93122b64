//! Sends a request's id back.

use std::cell::RefCell;

use bytes::BytesMut;
use http::{HeaderName, HeaderValue, Response, header};

use crate::context::Context;
use crate::id::LONGEST;

/// Ids of so many bytes share one piece of memory, which is used again once all of them have been sent.
const ROOM: usize = 4096;

thread_local! {
    static VALUES: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Puts the id into the response, unless the service set the header itself.
pub(super) fn send_back<B>(cx: Context, response: &mut Response<B>, name: HeaderName) {
    let header::Entry::Vacant(place) = response.headers_mut().entry(name) else { return };
    let mut room = [0; LONGEST];
    if let Some(value) = cx.copy_request_id(&mut room).and_then(value) {
        place.insert(value);
    }
}

/// A header's value, in steady state without an allocation.
fn value(id: &str) -> Option<HeaderValue> {
    let shared = VALUES.try_with(|values| {
        let mut values = values.try_borrow_mut().ok()?;
        if values.capacity() < id.len() {
            // Takes the same memory again if nobody holds a piece of it.
            values.reserve(ROOM);
        }
        values.extend_from_slice(id.as_bytes());
        HeaderValue::from_maybe_shared(values.split().freeze()).ok()
    });
    shared.ok().flatten().or_else(|| HeaderValue::from_str(id).ok())
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn ids_share_memory_and_do_not_mix() {
        let ids: Vec<String> = (0..1_000).map(|n| format!("id-{n}-{}", "x".repeat(n % 128))).collect();
        let kept: Vec<_> = ids.iter().filter_map(|id| value(id)).collect();
        assert!(kept.iter().eq(ids.iter().map(String::as_str)));
    }

    #[test]
    fn memory_that_nobody_holds_is_used_again() {
        let places: std::collections::HashSet<_> =
            (0..1_000).filter_map(|_| value(&"x".repeat(36))).map(|value| value.as_bytes().as_ptr()).collect();
        assert!(places.len() <= super::ROOM / 36 + 1, "{}", places.len());
    }
}
