//! The line that a format writes.
//!
//! A field is a handful of short pieces, and a library call for each copy would cost more than the copy. So room for the line
//! is made in one go, and a short piece is copied as two words that overlap in the middle.

use super::escape;
use crate::event::Event;

/// The room that is made sure of before a short piece is written.
const WINDOW: usize = 64;
/// The longest piece that is copied word by word.
const SHORT: usize = 32;

/// A guess at an event's line, without looking at each field.
#[inline]
pub(super) fn expected_len(event: &Event<'_>) -> usize {
    128 + 24 * event.raw_fields().len() + event.text_len()
}

/// Appends to a buffer; what it made room for and did not use is given back when it is dropped.
pub(super) struct Line<'a> {
    /// Written up to `at`, zeros from there on.
    buffer: &'a mut Vec<u8>,
    at: usize,
}

impl<'a> Line<'a> {
    /// A line at the end of a buffer, with room for about `expected` bytes.
    #[inline]
    pub(super) fn new(buffer: &'a mut Vec<u8>, expected: usize) -> Self {
        let at = buffer.len();
        buffer.resize(at + expected + WINDOW, 0);
        Line { buffer, at }
    }

    /// The next bytes to write. What is put there and not counted in `at` is written over.
    #[inline(always)]
    fn window(&mut self) -> &mut [u8; WINDOW] {
        if self.buffer.len() < self.at + WINDOW {
            self.grow(WINDOW);
        }
        self.buffer[self.at..].first_chunk_mut().expect("the buffer was grown to hold a window")
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, len: usize) {
        // Doubled, so that a long line does not grow at every field.
        self.buffer.resize(2 * self.buffer.len() + len, 0);
    }

    /// Appends a piece whose length is known when this is compiled.
    #[inline(always)]
    pub(super) fn fixed<const N: usize>(&mut self, piece: &[u8; N]) {
        const { assert!(N <= WINDOW) }
        self.window()[..N].copy_from_slice(piece);
        self.at += N;
    }

    /// Appends one byte.
    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        self.fixed(&[byte]);
    }

    /// Appends a name between two pairs of marks.
    #[inline(always)]
    pub(super) fn key(&mut self, before: [u8; 2], name: &[u8], after: [u8; 2]) {
        let len = name.len();
        if len <= SHORT {
            let window = self.window();
            window[..2].copy_from_slice(&before);
            copy_short::<2>(window, name);
            window[2 + len..][..2].copy_from_slice(&after);
            self.at += len + 4;
        } else {
            self.fixed(&before);
            self.long(name);
            self.fixed(&after);
        }
    }

    /// Appends bytes as they are.
    #[inline(always)]
    pub(super) fn bytes(&mut self, piece: &[u8]) {
        if piece.len() <= SHORT {
            copy_short::<0>(self.window(), piece);
            self.at += piece.len();
        } else {
            self.long(piece);
        }
    }

    fn long(&mut self, piece: &[u8]) {
        if self.buffer.len() < self.at + piece.len() {
            self.grow(piece.len());
        }
        self.buffer[self.at..self.at + piece.len()].copy_from_slice(piece);
        self.at += piece.len();
    }

    /// Appends a text, which is valid UTF-8, with what cannot stay escaped.
    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8]) {
        if escape::is_plain(text) {
            self.bytes(text);
        } else {
            self.escaped(text);
        }
    }

    #[inline(never)]
    fn escaped(&mut self, text: &[u8]) {
        self.buffer.truncate(self.at);
        escape::push_escaped(self.buffer, text);
        self.at = self.buffer.len();
        self.buffer.resize(self.at + WINDOW, 0);
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.at);
    }
}

/// Copies a short piece to a place in the window.
#[inline(always)]
fn copy_short<const TO: usize>(window: &mut [u8; WINDOW], piece: &[u8]) {
    if piece.len() >= 16 {
        copy_ends::<16>(&mut window[TO..TO + SHORT], piece);
    } else if piece.len() >= 8 {
        copy_ends::<8>(&mut window[TO..TO + 16], piece);
    } else if piece.len() >= 4 {
        copy_ends::<4>(&mut window[TO..TO + 8], piece);
    } else if let [.., last] = piece {
        // Of three bytes the first, the middle and the last; of fewer, some of them twice.
        window[TO] = piece[0];
        window[TO + piece.len() / 2] = piece[piece.len() / 2];
        window[TO + piece.len() - 1] = *last;
    }
}

/// Copies the first and the last `N` bytes.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], piece: &[u8]) {
    if let (Some(first), Some(last)) = (piece.first_chunk::<N>(), piece.last_chunk::<N>()) {
        to[..N].copy_from_slice(first);
        to[piece.len() - N..][..N].copy_from_slice(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_length_arrive_whole() {
        let piece: Vec<u8> = (b'!'..=b'~').filter(|byte| !b"\"\\".contains(byte)).cycle().take(200).collect();
        for len in 0..=piece.len() {
            for expected in [0, 1000] {
                let piece = &piece[..len];
                let mut buffer = b"before".to_vec();
                let mut line = Line::new(&mut buffer, expected);
                line.bytes(piece);
                line.fixed(b"|");
                line.text(piece);
                line.key(*b"<<", piece, *b">>");
                line.byte(b'.');
                drop(line);
                assert_eq!(buffer, [b"before", piece, b"|", piece, b"<<", piece, b">>."].concat());
            }
        }
    }

    #[test]
    fn a_line_goes_on_after_an_escape() {
        let mut buffer = Vec::new();
        let mut line = Line::new(&mut buffer, 0);
        line.text(b"a\nb");
        line.byte(b' ');
        line.text(&[0; 1000]);
        line.bytes(b"end");
        drop(line);
        let expected = format!("a\\nb {}end", "\\u0000".repeat(1000));
        assert_eq!(buffer, expected.into_bytes());
    }
}
