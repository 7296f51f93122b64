//! The line of the hand-written limit: one buffer, one pass.

/// The buffer of all lines, and the part of the time that changes once a second.
pub struct Buffer {
    bytes: Vec<u8>,
    second: u64,
    /// `event_time="` and the time of `second`, to the dot.
    prefix: [u8; PREFIX],
}

const PREFIX: usize = "event_time=\"2026-11-20T22:46:01.".len();

/// More than names, numbers and the time take.
const REST: usize = 512;

impl Default for Buffer {
    fn default() -> Buffer {
        Buffer { bytes: Vec::new(), second: u64::MAX, prefix: [0; PREFIX] }
    }
}

impl Buffer {
    /// Begins a line with its time. The part down to the second is made once a second.
    #[inline(always)]
    pub fn line(&mut self, wall_ms: u64, texts: usize) -> Line<'_> {
        let (second, ms) = (wall_ms / 1_000, wall_ms % 1_000);
        // An escaped byte has up to six.
        if self.second != second || self.bytes.len() < REST + 6 * texts {
            self.prepare(second, texts);
        }
        let all = self.bytes.len();
        let mut line = Line { rest: &mut self.bytes, all };
        line.raw(&self.prefix);
        let digit = |n: u64| b'0' + (n % 10) as u8;
        line.raw(&[digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
        line
    }

    #[cold]
    fn prepare(&mut self, second: u64, texts: usize) {
        self.second = second;
        self.bytes.resize(REST + 6 * texts, 0);
        let time = jiff::Timestamp::from_second(second as i64).expect("a time of this age");
        let text = format!("event_time=\"{time}");
        let to_the_second = text.strip_suffix('Z').expect("a time in UTC");
        self.prefix.copy_from_slice(format!("{to_the_second}.").as_bytes());
    }

    /// The first `length` bytes: a line that was ended.
    pub fn written(&self, length: usize) -> &[u8] {
        &self.bytes[..length]
    }
}

/// A line of logfmt under construction: what is left of the buffer.
pub struct Line<'a> {
    rest: &'a mut [u8],
    all: usize,
}

impl Line<'_> {
    #[inline(always)]
    pub fn raw(&mut self, bytes: &[u8]) {
        let (place, rest) = std::mem::take(&mut self.rest).split_at_mut(bytes.len());
        place.copy_from_slice(bytes);
        self.rest = rest;
    }

    /// A name, and a text that is escaped where it must be.
    #[inline(always)]
    pub fn text(&mut self, name: &[u8], text: &str) {
        self.raw(name);
        if is_plain(text.as_bytes()) { self.raw(text.as_bytes()) } else { self.escaped(text) }
    }

    #[inline(always)]
    pub fn integer(&mut self, name: &[u8], value: u64) {
        self.raw(name);
        self.raw(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline(always)]
    pub fn float(&mut self, name: &[u8], value: f64) {
        self.raw(name);
        self.raw(zmij::Buffer::new().format(value).as_bytes());
    }

    /// Ends the line; how long it is.
    #[inline(always)]
    pub fn end(mut self) -> usize {
        self.raw(b"\"\n");
        self.all - self.rest.len()
    }

    #[cold]
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' | '\\' => self.raw(&[b'\\', c as u8]),
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') => {
                    self.raw(format!("\\u{:04x}", c as u32).as_bytes());
                }
                c => self.raw(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
}

/// Whether all bytes are printable ASCII other than quote and backslash, eight at a time.
#[inline(always)]
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    /// Bits in `HIGH` for bytes that are below 0x20, a quote, a backslash, 0x7f or above.
    #[inline(always)]
    fn special(word: u64) -> u64 {
        let is = |byte: u8| {
            let x = word ^ (ONES * u64::from(byte));
            x.wrapping_sub(ONES) & !x
        };
        (word | word.wrapping_sub(ONES * 0x20) | is(b'"') | is(b'\\') | word.wrapping_add(ONES)) & HIGH
    }
    let (words, rest) = bytes.as_chunks::<8>();
    let mut found = 0;
    for word in words {
        found |= special(u64::from_le_bytes(*word));
    }
    if bytes.len() >= 8 {
        // The last eight bytes once more: cheaper than the rest one by one.
        let tail = bytes[bytes.len() - 8..].first_chunk::<8>().expect("eight bytes");
        found |= special(u64::from_le_bytes(*tail));
    } else {
        let mut tail = [b' '; 8];
        tail[..rest.len()].copy_from_slice(rest);
        found |= special(u64::from_le_bytes(tail));
    }
    found == 0
}
