//! The line that a format writes.
//!
//! ```text
//! short pieces ──words──▶ stage (1 KiB, of the thread) ──one copy──▶ the caller's buffer
//! long texts, escapes ─────────────────────────────────────────────▶
//!                           └── an emitter takes a line that fits from here, without the copy
//! ```
//!
//! A field is a handful of short pieces. Growing a vector and calling the library's copy for each would cost more than the
//! copies: in an array of known size a piece needs one comparison, and two words that overlap in the middle.

use std::cell::RefCell;

use super::escape;

/// Where a line is put together. Most lines fit.
const STAGE: usize = 1024;
/// The room that is made sure of before a short piece is written.
const WINDOW: usize = 64;
/// The longest piece that is copied word by word; an id in UUID form has 36 bytes.
const SHORT: usize = 48;

/// A buffer for long lines that grew longer than this is given back.
const KEPT_LINE: usize = 256 * 1024;

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept::new()) };
}

/// Where a thread puts its lines together.
pub(crate) struct Kept {
    stage: [u8; STAGE],
    /// For lines that are longer than the stage.
    long: Vec<u8>,
}

/// What a format of this crate writes to: [`Staged::line`] appends to it and says how much is in the stage at the end.
pub(crate) struct Staged<'a> {
    out: &'a mut Vec<u8>,
    stage: &'a mut [u8; STAGE],
}

/// Appends to a buffer; made by [`append`] and [`Staged::line`].
pub(super) struct Line<'a> {
    out: &'a mut Vec<u8>,
    /// What `out` does not have yet, up to `at`.
    stage: &'a mut [u8; STAGE],
    at: usize,
}

/// Calls `work` with what this thread keeps, or with something else where that is in use already.
#[inline(always)]
pub(crate) fn with_kept<R>(work: impl FnOnce(&mut Kept) -> R) -> R {
    let mut work = Some(work);
    let done = KEPT.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        let work = work.take()?;
        Some(work(&mut kept))
    });
    match done {
        Ok(Some(done)) => done,
        _ => work.take().expect("it was not called where it has no result")(&mut Kept::new()),
    }
}

impl Kept {
    const fn new() -> Self {
        Kept { stage: [0; STAGE], long: Vec::new() }
    }

    /// The line that `write` stages, with its end.
    #[inline(always)]
    pub(crate) fn line(&mut self, write: impl FnOnce(Staged<'_>) -> usize) -> &[u8] {
        if self.long.capacity() > KEPT_LINE {
            self.long = Vec::new();
        }
        self.long.clear();
        let at = write(Staged { out: &mut self.long, stage: &mut self.stage });
        if at < STAGE && self.long.is_empty() {
            self.stage[at] = b'\n';
            &self.stage[..=at]
        } else {
            self.end_long(at)
        }
    }

    #[cold]
    fn end_long(&mut self, at: usize) -> &[u8] {
        self.long.extend_from_slice(&self.stage[..at]);
        self.long.push(b'\n');
        &self.long
    }
}

impl Staged<'_> {
    #[inline(always)]
    pub(super) fn line(self, write: impl FnOnce(&mut Line<'_>)) -> usize {
        let mut line = Line { out: self.out, stage: self.stage, at: 0 };
        write(&mut line);
        line.at
    }
}

/// Appends to a buffer what `write` stages.
#[inline(always)]
pub(super) fn append_staged(out: &mut Vec<u8>, write: impl FnOnce(Staged<'_>) -> usize) {
    with_kept(|kept| {
        let at = write(Staged { out, stage: &mut kept.stage });
        out.extend_from_slice(&kept.stage[..at]);
    });
}

/// Appends to a buffer what `write` writes.
#[inline(always)]
pub(super) fn append(out: &mut Vec<u8>, write: impl FnOnce(&mut Line<'_>)) {
    append_staged(out, |staged| staged.line(write));
}

// All but the rare paths are inlined, and no rare path takes `&mut self`: so `at` stays in a register.
impl Line<'_> {
    /// The next bytes to write. What is put there and not counted in `at` is written over.
    #[inline(always)]
    fn window(&mut self) -> &mut [u8; WINDOW] {
        if self.at > STAGE - WINDOW {
            flush(self.out, self.stage, self.at);
            self.at = 0;
        }
        self.stage[self.at..].first_chunk_mut().expect("`at` leaves room for a window")
    }

    /// Appends a piece whose length is known when this is compiled.
    #[inline(always)]
    pub(super) fn fixed<const N: usize>(&mut self, piece: &[u8; N]) {
        const { assert!(N <= WINDOW) }
        self.window()[..N].copy_from_slice(piece);
        self.at += N;
    }

    /// Appends the first bytes of a piece.
    #[inline(always)]
    pub(super) fn first<const N: usize>(&mut self, piece: &[u8; N], len: usize) {
        const { assert!(N <= WINDOW) }
        debug_assert!(len <= N);
        self.window()[..N].copy_from_slice(piece);
        self.at += len;
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
            self.bytes(name);
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
            self.at = push_long(self.out, self.stage, self.at, piece);
        }
    }

    /// Appends a text, which is valid UTF-8, with what cannot stay escaped.
    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8]) {
        if text.len() <= SHORT {
            // Looked at and copied at once: what was copied and is not plain is written over.
            if copy_plain(self.window(), text) {
                self.at += text.len();
                return;
            }
        } else if escape::is_plain(text) {
            self.at = push_long(self.out, self.stage, self.at, text);
            return;
        }
        flush(self.out, self.stage, self.at);
        self.at = 0;
        escape::push_escaped(self.out, text);
    }
}

#[inline(never)]
fn flush(out: &mut Vec<u8>, stage: &[u8; STAGE], at: usize) {
    out.extend_from_slice(&stage[..at]);
}

/// Appends a long piece, and returns how much of the stage is used.
#[inline(never)]
fn push_long(out: &mut Vec<u8>, stage: &mut [u8; STAGE], at: usize, piece: &[u8]) -> usize {
    if let Some(room) = stage.get_mut(at..at + piece.len()) {
        room.copy_from_slice(piece);
        return at + piece.len();
    }
    flush(out, stage, at);
    out.extend_from_slice(piece);
    0
}

/// Copies a short piece to a place in the window.
#[inline(always)]
fn copy_short<const TO: usize>(window: &mut [u8; WINDOW], piece: &[u8]) {
    let len = piece.len();
    if len >= 16 {
        if let (true, Some(middle)) = (len > 32, piece[16..].first_chunk::<16>()) {
            window[TO + 16..TO + 32].copy_from_slice(middle);
        }
        copy_ends::<16>(&mut window[TO..TO + SHORT], piece);
    } else if len >= 8 {
        copy_ends::<8>(&mut window[TO..TO + 16], piece);
    } else if len >= 4 {
        copy_ends::<4>(&mut window[TO..TO + 8], piece);
    } else if let [first, .., last] | [first @ last] = piece {
        // Of three bytes the first, the middle and the last; of fewer, some of them twice.
        window[TO] = *first;
        window[TO + len / 2] = piece[len / 2];
        window[TO + len - 1] = *last;
    }
}

/// Copies a short piece to the window, and says whether [`escape::is_plain`] holds for it.
#[inline(always)]
fn copy_plain(window: &mut [u8; WINDOW], piece: &[u8]) -> bool {
    let len = piece.len();
    if let (Some(first), Some(last)) = (piece.first_chunk::<16>(), piece.last_chunk::<16>()) {
        let mut found = [0; 16];
        escape::mark_16(&mut found, first);
        if let (true, Some(middle)) = (len > 32, piece[16..].first_chunk::<16>()) {
            escape::mark_16(&mut found, middle);
            window[16..32].copy_from_slice(middle);
        }
        escape::mark_16(&mut found, last);
        window[..16].copy_from_slice(first);
        window[..SHORT][len - 16..][..16].copy_from_slice(last);
        u128::from_le_bytes(found) == 0
    } else if let (Some(first), Some(last)) = (piece.first_chunk::<8>(), piece.last_chunk::<8>()) {
        copy_ends::<8>(&mut window[..16], piece);
        escape::marks(*first) | escape::marks(*last) == 0
    } else if let (Some([a, b, c, d]), Some([e, f, g, h])) = (piece.first_chunk::<4>(), piece.last_chunk::<4>()) {
        copy_ends::<4>(&mut window[..8], piece);
        escape::marks([*a, *b, *c, *d, *e, *f, *g, *h]) == 0
    } else {
        copy_short::<0>(window, piece);
        piece.iter().all(|byte| escape::is_plain_byte(*byte))
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
        let piece: Vec<u8> = (b'!'..=b'~').filter(|byte| !b"\"\\".contains(byte)).cycle().take(2_500).collect();
        for len in (0..=200).chain([900, 1_000, 1_023, 1_024, 1_025, 2_500]) {
            let piece = &piece[..len];
            let mut out = b"before".to_vec();
            append(&mut out, |line| {
                line.bytes(piece);
                line.fixed(b"|");
                line.text(piece);
                line.key(*b"<<", piece, *b">>");
                line.byte(b'.');
            });
            assert_eq!(out, [b"before", piece, b"|", piece, b"<<", piece, b">>."].concat(), "{len}");
        }
    }

    #[test]
    fn a_text_is_plain_while_it_is_copied_exactly_if_it_is_plain() {
        for len in 0..=SHORT {
            let plain: Vec<u8> = b"~ !#[]^a".iter().copied().cycle().take(len).collect();
            let mut window = [0; WINDOW];
            assert!(copy_plain(&mut window, &plain), "{len}");
            assert_eq!(window[..len], plain);
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = plain.clone();
                    text[at] = byte;
                    assert_eq!(copy_plain(&mut window, &text), escape::is_plain_byte(byte), "{byte} at {at} of {len}");
                }
            }
        }
    }

    #[test]
    fn many_short_pieces_make_a_long_line() {
        let mut out = Vec::new();
        append(&mut out, |line| (0..1_000).for_each(|_| line.key(*b"\" ", b"a_name", *b"=\"")));
        assert_eq!(out, b"\" a_name=\"".repeat(1_000));
    }

    #[test]
    fn a_line_goes_on_after_an_escape() {
        let mut out = Vec::new();
        append(&mut out, |line| {
            line.text(b"a\nb");
            line.byte(b' ');
            line.text(&[0; 1_000]);
            line.bytes(b"end");
        });
        assert_eq!(out, format!("a\\nb {}end", "\\u0000".repeat(1_000)).into_bytes());
    }

    #[test]
    fn a_line_inside_a_line_disturbs_neither() {
        let (mut outer, mut inner) = (Vec::new(), Vec::new());
        append(&mut outer, |line| {
            line.bytes(b"outer ");
            append(&mut inner, |line| line.bytes(b"inner"));
            line.bytes(b"end");
        });
        assert_eq!((outer, inner), (b"outer end".to_vec(), b"inner".to_vec()));
    }
}
