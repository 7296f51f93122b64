//! Numbers as text, without the machinery of `std::fmt`.

use std::time::Duration;

/// How much of a duration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// Three decimals, rounded half up: `0.016`.
    Millis,
    /// Every nanosecond, at least one decimal: `0.0161234`, `2.0`.
    Exact,
}

#[inline]
pub(super) fn push_u64(line: &mut Vec<u8>, number: u64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[inline]
pub(super) fn push_i64(line: &mut Vec<u8>, number: i64) {
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the shortest text that reads as the same number, with a dot or an exponent; else `NaN`, `inf` or `-inf`.
#[inline]
pub(super) fn push_f64(line: &mut Vec<u8>, number: f64) {
    line.extend_from_slice(zmij::Buffer::new().format(number).as_bytes());
}

/// Appends a duration in seconds.
#[inline]
pub(super) fn push_duration(line: &mut Vec<u8>, duration: Duration, digits: Digits) {
    match digits {
        Digits::Millis => push_millis(line, duration),
        Digits::Exact => push_exact(line, duration),
    }
}

#[inline]
fn push_millis(line: &mut Vec<u8>, duration: Duration) {
    let mut seconds = duration.as_secs();
    let mut millis = (duration.subsec_nanos() + 500_000) / 1_000_000;
    if millis == 1_000 {
        (seconds, millis) = (seconds.saturating_add(1), 0);
    }
    let digit = |number: u32| b'0' + (number % 10) as u8;
    let decimals = [b'.', digit(millis / 100), digit(millis / 10), digit(millis)];
    if seconds < 10 {
        let [dot, a, b, c] = decimals;
        line.extend_from_slice(&[b'0' + seconds as u8, dot, a, b, c]);
    } else {
        push_u64(line, seconds);
        line.extend_from_slice(&decimals);
    }
}

fn push_exact(line: &mut Vec<u8>, duration: Duration) {
    push_u64(line, duration.as_secs());
    let mut decimals = *b".000000000";
    let mut rest = duration.subsec_nanos();
    let mut len = 2;
    for at in (1..decimals.len()).rev() {
        let digit = (rest % 10) as u8;
        decimals[at] = b'0' + digit;
        rest /= 10;
        if digit != 0 && len <= at {
            len = at + 1;
        }
    }
    line.extend_from_slice(&decimals[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut line = Vec::new();
        push(&mut line);
        String::from_utf8(line).expect("ASCII")
    }

    fn millis(nanos: u64) -> String {
        text(|line| push_duration(line, Duration::from_nanos(nanos), Digits::Millis))
    }

    fn exact(nanos: u64) -> String {
        text(|line| push_duration(line, Duration::from_nanos(nanos), Digits::Exact))
    }

    #[test]
    fn durations_round_to_the_nearest_millisecond() {
        assert_eq!(millis(0), "0.000");
        assert_eq!(millis(499_999), "0.000");
        assert_eq!(millis(500_000), "0.001");
        assert_eq!(millis(16_499_999), "0.016");
        assert_eq!(millis(999_499_999), "0.999");
        assert_eq!(millis(999_500_000), "1.000");
        assert_eq!(millis(9_999_500_000), "10.000");
        assert_eq!(millis(u64::MAX), "18446744073.710");
        assert_eq!(
            text(|line| push_duration(line, Duration::MAX, Digits::Millis)),
            "18446744073709551615.000" // the one second more does not exist
        );
    }

    #[test]
    fn exact_durations_keep_every_nanosecond() {
        assert_eq!(exact(0), "0.0");
        assert_eq!(exact(1), "0.000000001");
        assert_eq!(exact(100_000_000), "0.1");
        assert_eq!(exact(2_000_000_000), "2.0");
        assert_eq!(exact(1_000_000_010), "1.00000001");
        assert_eq!(exact(u64::MAX), "18446744073.709551615");
    }

    #[test]
    fn floats_are_short_and_never_look_like_integers() {
        let float = |number| text(|line| push_f64(line, number));
        assert_eq!(float(19.99), "19.99");
        assert_eq!(float(2.0), "2.0");
        assert_eq!(float(-0.0), "-0.0");
        assert_eq!(float(f64::NAN), "NaN");
        assert_eq!(float(f64::INFINITY), "inf");
        assert_eq!(float(f64::NEG_INFINITY), "-inf");
        for number in [1e15, 1e16, 1e22, f64::MAX, f64::MIN_POSITIVE, 9_007_199_254_740_993.0] {
            let written = float(number);
            assert!(written.contains(['.', 'e']), "{written}");
        }
    }

    proptest! {
        #[test]
        fn an_exact_duration_reads_as_itself(nanos in any::<u64>()) {
            let written = exact(nanos);
            let (seconds, decimals) = written.split_once('.').expect("a dot");
            let decimals = format!("{decimals:0<9}");
            let read = seconds.parse::<u128>().expect("digits") * 1_000_000_000 + decimals.parse::<u128>().expect("digits");
            prop_assert_eq!(read, u128::from(nanos));
        }

        #[test]
        fn a_rounded_duration_is_at_most_half_a_millisecond_off(nanos in any::<u64>()) {
            let read = millis(nanos).replace('.', "").parse::<u128>().expect("digits");
            prop_assert_eq!(read, (u128::from(nanos) + 500_000) / 1_000_000);
        }

        #[test]
        fn a_float_reads_as_itself(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(!number.is_nan());
            let written = text(|line| push_f64(line, number));
            prop_assert_eq!(written.parse::<f64>().expect("a number").to_bits(), bits);
        }
    }
}
