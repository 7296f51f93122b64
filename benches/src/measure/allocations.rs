//! Allocations a request, of all threads, after a warm-up.

use crate::peers::Entry;
use crate::sys::Counting;
use crate::workload::Input;

/// Allocations, and their bytes, a request.
#[derive(Clone, Copy, Debug)]
pub struct Allocations {
    pub count: f64,
    pub bytes: f64,
}

const WARM_UP: u32 = 2_048;
const REQUESTS: u32 = 1_024;
const BURST: u32 = 256;

pub fn measure(entry: Entry, input: &Input) -> Allocations {
    let mut peer = (entry.make)();
    let mut run = |requests: u32| {
        for _ in 0..requests / BURST {
            for _ in 0..BURST {
                peer.request(input);
            }
            peer.settle();
        }
    };
    run(WARM_UP);
    let (count, bytes) = Counting::during(|| run(REQUESTS));
    Allocations { count: count as f64 / f64::from(REQUESTS), bytes: bytes as f64 / f64::from(REQUESTS) }
}
