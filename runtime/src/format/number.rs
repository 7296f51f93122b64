//! Numbers as text, without the machinery of `std::fmt`.

use super::line::Line;

const NANOS: u64 = 1_000_000_000;

/// How much of a duration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digits {
    /// Three decimals, rounded half up: `0.016`.
    Millis,
    /// Every nanosecond, at least one decimal: `0.0161234`, `2.0`.
    Exact,
}

/// The decimal digits of a number below 10,000.
#[inline(always)]
fn four(number: u32) -> [u8; 4] {
    // Two pairs, then four digits, each pair and digit in a lane of its own; 103/1024 is a tenth, exactly enough below 100.
    let pairs = (number / 100) | ((number % 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000F_000F;
    let digits = tens | ((pairs - tens * 10) << 8);
    (digits | 0x3030_3030).to_le_bytes()
}

/// Appends an unsigned integer.
#[inline(always)]
pub(super) fn push_u64(line: &mut Line<'_>, number: u64) {
    // Counts, statuses and sizes.
    if number < 10 {
        line.byte(b'0' + number as u8);
    } else if number < 10_000 {
        let number = number as u32;
        let zeros = u32::from(number < 100) + u32::from(number < 1_000);
        let digits = u32::from_le_bytes(four(number)) >> (8 * zeros);
        line.first(&digits.to_le_bytes(), 4 - zeros as usize);
    } else {
        line.bytes(itoa::Buffer::new().format(number).as_bytes());
    }
}

/// Appends a signed integer.
#[inline(always)]
pub(super) fn push_i64(line: &mut Line<'_>, number: i64) {
    line.bytes(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends the shortest text that reads as the same number, with a dot or an exponent; else `NaN`, `inf` or `-inf`.
#[inline(always)]
pub(super) fn push_f64(line: &mut Line<'_>, number: f64) {
    match hundredths(number) {
        Some(hundredths) => push_hundredths(line, hundredths),
        None => line.bytes(zmij::Buffer::new().format(number).as_bytes()),
    }
}

/// The number times a hundred, if it is the number nearest to a decimal with at most two places, as prices and rates are.
///
/// No shorter decimal reads as the same number then: two decimals of at most 15 digits never do.
#[inline(always)]
fn hundredths(number: f64) -> Option<u32> {
    const LIMIT: f64 = 1_000_000.0;
    // Minus zero and whatever is not a number are left to others.
    if !(number.is_sign_positive() && number < LIMIT) {
        return None;
    }
    let nearest = (number * 100.0 + 0.5) as u32;
    (f64::from(nearest) / 100.0 == number).then_some(nearest)
}

#[inline(always)]
fn push_hundredths(line: &mut Line<'_>, hundredths: u32) {
    push_u64(line, u64::from(hundredths / 100));
    let [.., tens, ones] = four(hundredths % 100);
    line.first(&[b'.', tens, ones], if ones == b'0' { 2 } else { 3 });
}

/// Appends a duration in seconds.
#[inline(always)]
pub(super) fn push_nanos(line: &mut Line<'_>, nanos: u64, digits: Digits) {
    match digits {
        Digits::Millis => push_millis(line, nanos),
        Digits::Exact => push_exact(line, nanos),
    }
}

#[inline(always)]
fn push_millis(line: &mut Line<'_>, nanos: u64) {
    // Not by adding half, which overflows at the end of the range.
    let millis = nanos / 1_000_000 + u64::from(nanos % 1_000_000 >= 500_000);
    if millis < 10_000 {
        let [seconds, a, b, c] = four(millis as u32);
        line.fixed(&[seconds, b'.', a, b, c]);
    } else {
        push_u64(line, millis / 1_000);
        let [_, a, b, c] = four((millis % 1_000) as u32);
        line.fixed(&[b'.', a, b, c]);
    }
}

#[inline(always)]
fn push_exact(line: &mut Line<'_>, nanos: u64) {
    push_u64(line, nanos / NANOS);
    let nanos = (nanos % NANOS) as u32;
    let ([a, b, c, d], [e, f, g, h], [.., i]) = (four(nanos / 100_000), four(nanos / 10 % 10_000), four(nanos % 10));
    let decimals = [b'.', a, b, c, d, e, f, g, h, i];
    let zeros = decimals[2..].iter().rev().take_while(|digit| **digit == b'0').count();
    line.bytes(&decimals[..decimals.len() - zeros]);
}

#[cfg(test)]
mod tests {
    use super::super::line::append;
    use super::*;
    use proptest::prelude::*;

    fn text(push: impl FnOnce(&mut Line<'_>)) -> String {
        let mut text = Vec::new();
        append(&mut text, push);
        String::from_utf8(text).expect("ASCII")
    }

    fn millis(nanos: u64) -> String {
        text(|line| push_nanos(line, nanos, Digits::Millis))
    }

    fn exact(nanos: u64) -> String {
        text(|line| push_nanos(line, nanos, Digits::Exact))
    }

    #[test]
    fn four_digits_are_right_for_every_number() {
        for number in 0..10_000 {
            assert_eq!(four(number).to_vec(), format!("{number:04}").into_bytes());
        }
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

    #[test]
    fn integers_up_to_five_digits_are_written_as_usual() {
        for number in 0..100_000 {
            assert_eq!(text(|line| push_u64(line, number)), number.to_string());
        }
    }

    #[test]
    fn floats_with_two_places_are_written_as_all_others() {
        let as_usual =
            |number: f64| assert_eq!(text(|line| push_f64(line, number)), zmij::Buffer::new().format(number));
        for hundredths in (0..200_000).chain(99_990_000..100_010_000) {
            let number = f64::from(hundredths) / 100.0;
            [number, number.next_up(), number.next_down(), -number].into_iter().for_each(as_usual);
        }
    }

    proptest! {
        #[test]
        fn floats_of_ordinary_size_are_written_as_usual(number in -2e6..2e6) {
            prop_assert_eq!(text(|line| push_f64(line, number)), zmij::Buffer::new().format(number).to_owned());
        }

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
