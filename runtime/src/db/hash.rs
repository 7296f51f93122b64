//! A fast keyed hash of query texts: 64 bits that nobody outside the process can predict.
//!
//! Two lanes of folded multiplication, 16 bytes a step each. A request remembers its queries by this number alone; among the 256
//! texts it tells apart, two meet with a probability of about 2⁻⁴⁹.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;

/// Numbers that no other process shares.
type Key = [u64; 4];

/// The hash of a query's text, under this process's key.
pub(crate) fn text(sql: &str) -> u64 {
    static KEY: OnceLock<Key> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let state = RandomState::new();
        // Odd, so that a factor never loses its low bits.
        [1_u64, 2, 3, 4].map(|nth| state.hash_one(nth) | 1)
    });
    keyed(key, sql.as_bytes())
}

fn keyed(key: &Key, bytes: &[u8]) -> u64 {
    let len = bytes.len() as u64;
    let (mut left, mut right) = (key[0] ^ len, key[1]);
    let (pairs, rest) = bytes.as_chunks::<32>();
    for pair in pairs {
        left = fold(word(pair, 0) ^ left, word(pair, 8) ^ key[2]);
        right = fold(word(pair, 16) ^ right, word(pair, 24) ^ key[3]);
    }
    if rest.len() >= 16 {
        left = fold(word(rest, 0) ^ left, word(rest, 8) ^ key[3]);
    }
    let (first, last) = ends(bytes);
    fold(fold(first ^ key[2] ^ left, last ^ key[0] ^ right), key[1] ^ len)
}

/// Two words that hold every byte which no whole step has read; they may overlap it and each other.
fn ends(bytes: &[u8]) -> (u64, u64) {
    match bytes {
        [] => (0, 0),
        [first, .., last] if bytes.len() < 4 => (u64::from(*first) << 8 | u64::from(*last), u64::from(bytes[1])),
        [only] => (u64::from(*only), 1),
        short if short.len() < 8 => (half(short, 0), half(short, short.len() - 4)),
        middle if middle.len() < 16 => (word(middle, 0), word(middle, middle.len() - 8)),
        long => (word(long, long.len() - 16), word(long, long.len() - 8)),
    }
}

/// Multiplies, and folds the upper half of the product onto the lower.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
}

fn half(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |half| u64::from(u32::from_le_bytes(*half)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const KEY: Key = [0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03, 0x2545_f491_4f6c_dd1d, 0x5851_f42d_4c95_7f2d];

    #[test]
    fn one_text_has_one_hash() {
        let sql = String::from("select id, total from orders where customer = ?1");
        assert_eq!(text(&sql), text(&sql.clone()));
    }

    #[test]
    fn every_byte_of_every_length_counts() {
        let mut seen = HashSet::new();
        let mut expected = 0;
        for len in 0..200 {
            let plain = vec![b'a'; len];
            assert!(seen.insert(keyed(&KEY, &plain)), "length {len}");
            for at in 0..len {
                let mut changed = plain.clone();
                changed[at] = b'b';
                assert!(seen.insert(keyed(&KEY, &changed)), "length {len}, byte {at}");
            }
            expected += len + 1;
        }
        assert_eq!(seen.len(), expected);
    }

    #[test]
    fn a_change_of_one_bit_turns_half_of_the_hash() {
        let sql = b"select name from items where id = ?1 and shop = ?2 order by name".to_vec();
        let hash = keyed(&KEY, &sql);
        let turned: Vec<u32> = (0..sql.len() * 8)
            .map(|bit| {
                let mut changed = sql.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                (keyed(&KEY, &changed) ^ hash).count_ones()
            })
            .collect();
        let mean = f64::from(turned.iter().sum::<u32>()) / turned.len() as f64;
        assert!((30.0..34.0).contains(&mean), "{mean} of 64 bits on average");
        assert!(turned.iter().all(|bits| *bits >= 10), "{turned:?}");
    }

    #[test]
    fn generated_texts_do_not_meet() {
        let texts = (0..100_000).map(|nth| format!("insert into events_{nth} (a, b) values (?, ?), (?, ?)"));
        let seen: HashSet<u64> = texts.map(|text| keyed(&KEY, text.as_bytes())).collect();
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn another_key_gives_other_hashes() {
        assert_ne!(keyed(&KEY, b"select 1"), keyed(&[1, 3, 5, 7], b"select 1"));
    }
}
