//! One field of every kind of value, hostile text included.

use std::net::Ipv6Addr;
use std::time::Duration;

use canonlog::{Context, debug, display, instrument_request};

/// Text that tries to break a line, forge a field, or play with a terminal.
const HOSTILE: [(&str, &str); 10] = [
    ("forged", "x\" app_admin=\"true"),
    ("lines", "a\nb\r\nc\u{85}d\u{2028}e\u{2029}f\u{b}g\u{c}h"),
    ("backslash", "C:\\temp\\"),
    ("ansi", "\u{1b}[31mred\u{1b}[0m\u{7}"),
    ("nul", "a\0b"),
    ("bidi", "\u{202e}txt.exe\u{2066}\u{200f}"),
    ("bom", "\u{feff}bom"),
    ("controls", "\u{1}\u{1f}\u{7f}\u{80}\u{9f}"),
    ("template", "${jndi:ldap://localhost/a} %n {} {{7*7}}"),
    ("formula", "=cmd|' /C calc'!A0"),
];

#[instrument_request]
pub(crate) async fn fields() -> &'static str {
    Context::set("true", true);
    Context::set("false", false);
    Context::set("i64_min", i64::MIN);
    Context::set("u64_max", u64::MAX);
    Context::set("u128_max", u128::MAX);
    Context::set("beyond_2_53", (1_u64 << 53) + 1);
    Context::set("f64", 0.1);
    Context::set("f64_tiny", f64::MIN_POSITIVE);
    Context::set("f64_huge", f64::MAX);
    Context::set("negative_zero", -0.0);
    Context::set("nan", f64::NAN);
    Context::set("infinite", f64::NEG_INFINITY);
    Context::set("duration", Duration::from_micros(1_234_567));
    Context::set("text", "plain text");
    Context::set("empty", "");
    Context::set("dash", "-");
    Context::set("nothing", None::<u8>);
    Context::set("char", '\u{1f600}');
    Context::set("address", Ipv6Addr::LOCALHOST);
    Context::set("display", display(format_args!("{:>5}", 42)));
    Context::set("debug", debug(["a", "b\n"]));
    Context::set("long", "é".repeat(20_000));
    for (key, text) in HOSTILE {
        Context::set(key, text);
    }
    Context::set_dynamic("Not a \"key\"=\n", "a key that has to change");
    "fields"
}
