//! Words of a log as bytes.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Words that are copied between two looks at how many are left.
const AT_ONCE: usize = 8;

/// Appends the words, each as it lies in memory (lowest byte first), and a word of zeros.
#[inline]
pub(crate) fn append(words: &[AtomicU64], bytes: &mut Vec<u8>) {
    let len = (words.len() + 1) * 8;
    bytes.reserve(len);
    let (room, _) = bytes.spare_capacity_mut()[..len].as_chunks_mut::<8>();
    let Some((behind, room)) = room.split_last_mut() else { return };
    *behind = [MaybeUninit::new(0); 8];
    let put = |to: &mut [[MaybeUninit<u8>; 8]], words: &[AtomicU64]| {
        for (to, word) in to.iter_mut().zip(words) {
            *to = word.load(Relaxed).to_le_bytes().map(MaybeUninit::new);
        }
    };
    let ((many, few), (to_many, to_few)) = (words.as_chunks::<AT_ONCE>(), room.as_chunks_mut::<AT_ONCE>());
    for (to, words) in to_many.iter_mut().zip(many) {
        put(to, words);
    }
    put(to_few, few);
    let end = bytes.len() + len;
    // SAFETY: `reserve` made room for `len` more bytes. Each of them was written: `room` has a place for each word, in as many chunks
    // and as many places behind them, and the one behind it is zero.
    unsafe { bytes.set_len(end) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_number_are_appended_whole() {
        for count in 0..40 {
            let words: Vec<u64> = (1..=count).map(|n| n * 0x0101_0203_0405_0607).collect();
            let log: Vec<AtomicU64> = words.iter().map(|word| AtomicU64::new(*word)).collect();
            let mut bytes = b"before".to_vec();
            append(&log, &mut bytes);
            let want: Vec<u8> = words.iter().chain(&[0]).flat_map(|word| word.to_le_bytes()).collect();
            assert_eq!(bytes, [b"before", &want[..]].concat(), "{count}");
        }
    }
}
