//! A record that more is written to than it holds: what is there is whole, or cut and marked; what is missing is counted; the
//! framework's own fields are never missing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use canonlog::{Context, Kind, OwnedEvent, Value, begin, testing};
use proptest::prelude::*;

use super::LIMIT;

const KEYS: usize = 24;
/// Bytes of an event.
const EVENT: usize = 64 * 1024;

/// One write: the key, how long the text is, and whether the second thread does it, beside the first one.
type Write = (usize, usize, bool);

/// Half of them the program knows.
static NAMES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| (0..KEYS).map(|key| &*format!("full{key}").leak()).collect());

fn set(key: usize, text: String) {
    match key % 2 {
        0 => Context::set(NAMES[key], text),
        _ => Context::set_dynamic(NAMES[key], text),
    }
}

/// The text of one write, of which every part is known by its beginning.
fn text(write: usize, len: usize) -> String {
    format!("{write}-").repeat(len / 2 + 1)[..len].to_owned()
}

#[derive(Default)]
struct Written {
    /// All texts of a key, the last one last.
    texts: BTreeMap<usize, Vec<String>>,
}

impl Written {
    fn assert_told_by(&self, event: &OwnedEvent) {
        let counted = match event.view().get("canonlog_truncated") {
            Some(Value::U64(count)) => count,
            None => 0,
            other => panic!("{other:?}"),
        };
        let (mut missing, mut bytes) = (0, 0);
        for (key, texts) in &self.texts {
            let last = texts.last().expect("there is one");
            match event.view().get(&format!("app_{}", NAMES[*key])) {
                Some(Value::Str(told)) if told == last => bytes += told.len(),
                Some(Value::Str(told)) => {
                    // Cut; or the last one found no room, and one before it stayed.
                    let begins = told.strip_suffix('…');
                    let known = texts.iter().any(|text| match begins {
                        Some(begins) => text.starts_with(begins),
                        None => text == told,
                    });
                    assert!(known, "{key}: {} bytes of no text that was written", told.len());
                    missing += 1;
                    bytes += told.len();
                }
                None => missing += 1,
                other => panic!("{key}: {other:?}"),
            }
        }
        assert!(bytes <= EVENT, "{bytes}");
        assert!(counted >= missing, "{missing} cut or missing, {counted} counted");
        assert!(missing > 0 || self.bytes() <= EVENT, "all of {} bytes", self.bytes());
    }

    fn bytes(&self) -> usize {
        self.texts.values().filter_map(|texts| texts.last()).map(String::len).sum()
    }
}

fn write(cx: Context, at: usize, (key, len, beside): Write, written: &mut Written) {
    let text = text(at, len);
    written.texts.entry(key).or_default().push(text.clone());
    if beside {
        std::thread::scope(|threads| {
            threads.spawn(|| cx.enter(|| set(key, text)));
        });
    } else {
        set(key, text);
    }
}

fn try_out(writes: Vec<Write>, timeout: Option<usize>) {
    let capture = testing::capture();
    let clock = testing::hold_clock();
    let scope = begin(Kind::Request);
    let cx = scope.context();
    cx.limit(Some(LIMIT));
    let (mut written, mut before) = (Written::default(), None);
    scope.enter(|| {
        for (at, one) in writes.into_iter().enumerate() {
            if timeout == Some(at) {
                clock.advance(LIMIT);
                assert_eq!(capture.tick_timeouts(std::time::Duration::ZERO), 1);
                before = Some(std::mem::take(&mut written));
            }
            write(cx, at, one, &mut written);
        }
        cx.set_in("resp", "status", 200);
        cx.set_in("resp", "view", "shop::checkout");
    });
    scope.finish();
    let mut events = capture.events();
    let last = events.pop().expect("the unit's event");
    assert_eq!(last.view().get("resp_status"), Some(Value::I64(200)));
    assert_eq!(last.view().get("resp_view"), Some(Value::Str("shop::checkout")));
    written.assert_told_by(&last);
    assert_eq!(events.len(), usize::from(before.is_some()));
    if let Some((before, timeout)) = before.zip(events.pop()) {
        before.assert_told_by(&timeout);
    }
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let len = prop_oneof![3 => 1..200_usize, 3 => 1..8_192_usize, 1 => 8_193..20_000_usize];
    proptest::collection::vec((0..KEYS, len, proptest::bool::weighted(0.3)), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_missing_from_a_full_record_that_is_not_counted(
        writes in writes(),
        timeout in proptest::option::of(0..60_usize),
    ) {
        try_out(writes, timeout);
    }
}
