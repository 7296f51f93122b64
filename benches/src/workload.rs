//! The request that every peer records, and what all of them share: the inputs, the id generator, the sink.
//!
//! One request has 17 fields (5 `req_*`, 3 `app_*`, 2 sums of sections, 2 of the database, 4 `resp_*`, the time)
//! and 7 timed sections: `render` twice, each with a `cache` inside, and 3 queries. With the request's own
//! beginning and end that is 16 readings of a monotonic clock, and one of the wall clock. The sections are empty:
//! what is measured is the instrumentation alone.

use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What one request brings and says. The texts of `req_*` are not `'static`, as in a server.
#[derive(Debug)]
pub struct Input {
    pub method: String,
    pub path: String,
    pub referrer: String,
    pub user_agent: String,
    pub cart_items: u64,
    pub cart_total: f64,
    pub plan: &'static str,
    pub view: &'static str,
    pub status: u64,
    pub size: u64,
    pub queries: [&'static str; 3],
}

impl Input {
    pub fn example() -> Input {
        Input {
            method: "POST".to_owned(),
            path: "/shop/cart/checkout".to_owned(),
            referrer: "https://shop.example/cart".to_owned(),
            user_agent: "Mozilla/5.0 (X11; Linux x86_64)".to_owned(),
            cart_items: 1_204,
            cart_total: 19.99,
            plan: "business-large",
            view: "shop::checkout",
            status: 200,
            size: 5_120,
            queries: [
                "SELECT id, price FROM items WHERE cart = ?",
                "SELECT name FROM customers WHERE id = ?",
                "UPDATE carts SET state = ? WHERE id = ?",
            ],
        }
    }
}

/// Added to every duration that a peer is handed by hand, in microseconds: empty sections would have one digit.
pub const REALISTIC: u64 = 1_234;

/// The next 128 random bits of this thread: wyrand, the same for all peers that can be handed an id.
#[inline]
pub fn id() -> u128 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0x5eed_cafe_f00d_d00d) };
    }
    #[inline]
    fn step(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0xa076_1d64_78bd_642f);
        let wide = u128::from(*state) * u128::from(*state ^ 0xe703_7ed1_a0b4_28db);
        (wide >> 64) as u64 ^ wide as u64
    }
    STATE.with(|cell| {
        let mut state = cell.get();
        let (high, low) = (step(&mut state), step(&mut state));
        cell.set(state);
        u128::from(high) << 64 | u128::from(low)
    })
}

/// Eight hexadecimal digits of `bits`, most significant first.
#[inline]
fn hex(bits: u32) -> [u8; 8] {
    // Spread the nibbles over the bytes, then turn all eight into digits at once.
    let mut x = u64::from(bits);
    x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (x + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    // `0` is 0x30; a letter is 0x27 further on than its number says.
    (x + 0x3030_3030_3030_3030 + letters * 0x27).to_be_bytes()
}

/// `id` as the text of a UUID of version 4, the same for all peers.
#[inline]
pub fn uuid(id: u128) -> [u8; 36] {
    let [a, b, c, d] = [96, 64, 32, 0].map(|shift| (id >> shift) as u32);
    let (a, b) = (hex(a), hex(b & 0xffff_0fff | 0x4000));
    let (c, d) = (hex(c & 0x3fff_ffff | 0x8000_0000), hex(d));
    let mut text = [b'-'; 36];
    text[..8].copy_from_slice(&a);
    text[9..13].copy_from_slice(&b[..4]);
    text[14..18].copy_from_slice(&b[4..]);
    text[19..23].copy_from_slice(&c[..4]);
    text[24..28].copy_from_slice(&c[4..]);
    text[28..].copy_from_slice(&d);
    text
}

/// [`uuid`] as text.
#[inline]
pub fn uuid_text(uuid: &[u8; 36]) -> &str {
    std::str::from_utf8(uuid).expect("hexadecimal digits and dashes")
}

static CAPTURES: AtomicBool = AtomicBool::new(false);
static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

thread_local! {
    static WRITTEN: Cell<u64> = const { Cell::new(0) };
}

/// The sink of all peers: counts the bytes, and keeps them only while [`captured`] runs.
#[inline]
pub fn sink(bytes: &[u8]) {
    WRITTEN.set(WRITTEN.get() + black_box(bytes).len() as u64);
    if CAPTURES.load(Ordering::Relaxed) {
        CAPTURED.lock().expect("no panic while it is held").extend_from_slice(bytes);
    }
}

/// What reaches the sink while `work` runs.
pub fn captured(work: impl FnOnce()) -> String {
    CAPTURED.lock().expect("no panic while it is held").clear();
    CAPTURES.store(true, Ordering::SeqCst);
    work();
    CAPTURES.store(false, Ordering::SeqCst);
    String::from_utf8_lossy(&CAPTURED.lock().expect("no panic while it is held")).into_owned()
}

/// [`sink`] for peers that want a writer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sink;

impl io::Write for Sink {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        sink(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
