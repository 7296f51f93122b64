//! 128-bit ids, as UUIDs of version 4 (RFC 9562, section 5.4), from a generator of the thread's own.
//!
//! No system call per id: each thread seeds xoshiro256++ once from the system's randomness, and again in a forked child.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::sys::fork;

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { words: [0; 4], generation: u64::MAX }) };
}

#[derive(Clone, Copy)]
struct State {
    words: [u64; 4],
    generation: u64,
}

#[cold]
fn seed(generation: u64) -> State {
    // std's hash keys come from the system's randomness; the thread's address and the process keep forked children apart.
    let salt = (&raw const generation).addr() as u64 ^ (u64::from(std::process::id()) << 32);
    let word = |n: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(salt);
        hasher.write_u64(n);
        hasher.write_u128(std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_nanos()));
        hasher.finish()
    };
    State { words: [word(1), word(2), word(3), word(4) | 1], generation }
}

/// 64 random bits.
#[inline]
pub(crate) fn random() -> u64 {
    let [bits] = randoms();
    bits
}

/// As many words of 64 random bits.
#[inline]
fn randoms<const N: usize>() -> [u64; N] {
    let mut state = STATE.get();
    let generation = fork::generation();
    if state.generation != generation {
        state = seed(generation);
    }
    let words = std::array::from_fn(|_| next(&mut state.words));
    STATE.set(state);
    words
}

/// xoshiro256++ by Blackman and Vigna, the algorithm as published.
#[inline(always)]
fn next([a, b, c, d]: &mut [u64; 4]) -> u64 {
    let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
    let shifted = *b << 17;
    *c ^= *a;
    *d ^= *b;
    *b ^= *c;
    *a ^= *d;
    *c ^= shifted;
    *d = d.rotate_left(45);
    result
}

/// A fresh id: a version 4 UUID as two words, the first 64 bits first.
#[inline]
pub(crate) fn fresh() -> [u64; 2] {
    const VERSION: u64 = 0x4000;
    const VARIANT: u64 = 0x8000_0000_0000_0000;
    let [high, low] = randoms();
    [high & !0xF000 | VERSION, low & !(0b11 << 62) | VARIANT]
}

/// The id as RFC 9562 writes it.
#[inline]
pub(crate) fn text(id: [u64; 2]) -> [u8; 36] {
    let (high, low) = (hex(id[0]), hex(id[1]));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&high[..8]);
    text[9..13].copy_from_slice(&high[8..12]);
    text[14..18].copy_from_slice(&high[12..]);
    text[19..23].copy_from_slice(&low[..4]);
    text[24..].copy_from_slice(&low[4..]);
    text
}

/// Sixteen hexadecimal digits, eight bytes at a time.
#[inline]
fn hex(word: u64) -> [u8; 16] {
    let half = |half: u32| {
        // Spread eight digits over eight bytes, the first digit in the lowest byte.
        let mut spread = u64::from(half);
        spread = (spread | (spread << 16)) & 0x0000_FFFF_0000_FFFF;
        spread = (spread | (spread << 8)) & 0x00FF_00FF_00FF_00FF;
        spread = (spread | (spread << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
        // 1 in each byte that holds ten or more.
        let letters = ((spread + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
        let ascii = spread + 0x3030_3030_3030_3030 + letters * u64::from(b'a' - b'0' - 10);
        ascii.to_be_bytes()
    };
    let mut text = [0; 16];
    text[..8].copy_from_slice(&half((word >> 32) as u32));
    text[8..].copy_from_slice(&half(word as u32));
    text
}

/// Bytes of the longest id.
pub(crate) const LONGEST: usize = 128;

/// Whether an id from outside may be used: 1 to 128 visible ASCII characters.
pub(crate) fn is_valid(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn as_text(id: [u64; 2]) -> String {
        String::from_utf8(text(id).to_vec()).expect("hexadecimal digits")
    }

    #[test]
    fn an_id_is_a_version_4_uuid() {
        for _ in 0..1_000 {
            let id = as_text(fresh());
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
    }

    #[test]
    fn every_digit_stands_in_its_place() {
        let id = as_text([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]);
        assert_eq!(id, "01234567-89ab-cdef-fedc-ba9876543210");
    }

    #[test]
    fn ids_of_many_threads_differ() {
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| (0..2_000).map(|_| fresh()).collect())).collect();
        let ids: Vec<Vec<[u64; 2]>> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        let distinct: HashSet<[u64; 2]> = ids.iter().flatten().copied().collect();
        assert_eq!(distinct.len(), 16_000);
    }

    #[test]
    fn ids_from_outside_are_one_to_128_visible_characters() {
        assert!(is_valid("a") && is_valid(&"x".repeat(128)) && is_valid("~!\"\\"));
        for refused in ["", " ", "a b", "a\n", "é", "\u{7f}", &"x".repeat(129)] {
            assert!(!is_valid(refused), "{refused:?}");
        }
    }
}
