//! Lengths of time and sizes, as configuration writes them.

use std::time::Duration;

const TIMES: [(&str, u64); 8] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

const SIZES: [(&str, u64); 10] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("KB", 1_000),
    ("B", 1),
    ("bytes", 1),
    ("", 1),
];

/// `number unit`, the number perhaps with decimals, as so many of the smallest unit.
fn read(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let exact = units.iter().find(|(name, _)| *name == unit);
    let (_, factor) = exact.or_else(|| units.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)))?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || decimals.contains('.') || (number.contains('.') && decimals.is_empty()) {
        return None;
    }
    let scale = 10_u128.checked_pow(u32::try_from(decimals.len()).ok()?)?;
    let number: u128 = [whole, decimals].concat().parse().ok()?;
    let all = number.checked_mul(u128::from(*factor))?;
    // Decimals below the smallest unit are none.
    if all % scale != 0 { None } else { u64::try_from(all / scale).ok() }
}

/// `30s`, `1.5 h`, `100ms`; a bare number is of seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let nanos = if bare { read(&format!("{text}s"), &TIMES) } else { read(text, &TIMES) };
    nanos.map(Duration::from_nanos)
}

/// `64KiB`, `1.5 MiB`, `1000`.
pub(super) fn size(text: &str) -> Option<u64> {
    read(text, &SIZES)
}

fn written(number: u64, units: &[(&str, u64)]) -> String {
    let fits = units.iter().find(|(_, factor)| number != 0 && number.is_multiple_of(*factor));
    fits.map_or_else(|| "0".to_owned(), |(unit, factor)| format!("{}{unit}", number / factor))
}

/// The shortest text that gives the length of time again.
pub(crate) fn of_duration(time: Duration) -> String {
    match u64::try_from(time.as_nanos()) {
        Ok(0) => "0s".to_owned(),
        Ok(nanos) => written(nanos, &TIMES),
        Err(_) => written(u64::MAX, &TIMES),
    }
}

/// The same of a size.
pub(crate) fn of_size(bytes: u64) -> String {
    written(bytes, &[SIZES[0], SIZES[1], SIZES[2], ("B", 1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_with_their_units() {
        for (text, millis) in
            [("30s", 30_000), ("1.5 h", 5_400_000), ("100ms", 100), ("2m", 120_000), ("2", 2_000), ("0.25", 250)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for none in ["", "s", "-1s", "1.s", ".5s", "1..2s", "1 fortnight", "1s2ms", "99999999999d", "0.5ns", "∞"] {
            assert_eq!(duration(none), None, "{none}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        for (text, bytes) in
            [("64KiB", 65_536), ("64 kib", 65_536), ("1.5MiB", 1_572_864), ("2 kB", 2_000), ("77", 77), ("0", 0)]
        {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for none in ["", "KiB", "-1", "1 byte", "9999999999999GiB"] {
            assert_eq!(size(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(number in any::<u64>()) {
            let time = Duration::from_nanos(number);
            prop_assert_eq!(duration(&of_duration(time)), Some(time));
            prop_assert_eq!(size(&of_size(number)), Some(number));
        }

        #[test]
        fn any_text_is_a_measure_or_none(text in ".{0,20}") {
            let _ = (duration(&text), size(&text));
        }
    }
}
