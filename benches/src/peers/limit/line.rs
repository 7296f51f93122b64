//! The line of the hand-written limit: one buffer, one pass.

/// A line of logfmt under construction.
#[derive(Default)]
pub struct Line {
    bytes: Vec<u8>,
    second: u64,
    /// `event_time="` and the time of `second`, to the dot.
    prefix: Vec<u8>,
}

impl Line {
    /// Begins a line with its time. The part down to the second is made once a second.
    #[inline]
    pub fn start(&mut self, wall_ms: u64) {
        let (second, ms) = (wall_ms / 1_000, wall_ms % 1_000);
        if second != self.second {
            self.second = second;
            self.make_prefix();
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.prefix);
        let digit = |n: u64| b'0' + (n % 10) as u8;
        self.bytes.extend_from_slice(&[b'.', digit(ms / 100), digit(ms / 10), digit(ms), b'Z']);
    }

    #[cold]
    fn make_prefix(&mut self) {
        let time = jiff::Timestamp::from_second(self.second as i64).expect("a time of this age");
        let text = time.to_string();
        self.prefix = format!("event_time=\"{}", text.trim_end_matches('Z')).into_bytes();
    }

    #[inline(always)]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
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

    /// Ends the line; all of it.
    #[inline]
    pub fn end(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(b"\"\n");
        &self.bytes
    }

    #[cold]
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' | '\\' => self.bytes.extend_from_slice(&[b'\\', c as u8]),
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') => {
                    self.bytes.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
                }
                c => self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
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
