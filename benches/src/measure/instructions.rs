//! Instructions a request, counted by callgrind: the steady figure on a shared machine.
//!
//! The program runs itself twice under callgrind, with two counts of requests, and callgrind forgets what came before
//! the first of them: neither start-up, where clocks are calibrated by spinning, nor the end is in the difference.

use std::env;
use std::process::{Command, Stdio};

use crate::peers::Entry;
use crate::peers::messages::{Cart, Speaker};
use crate::workload::Input;

const WARM_UP: u64 = 256;
const FEW: u64 = 256;
const BURST: u64 = 64;

/// Whether callgrind is here.
pub fn available() -> bool {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Instructions a request, of all threads. `nanos` is how long one takes: slow ones are run less often.
pub fn measure(entry: Entry, nanos: f64) -> Result<f64, String> {
    between("--callgrind-child", entry.name, if nanos > 5_000.0 { 256 } else { 4_096 })
}

/// The same of a message.
pub fn of_message(speaker: &str) -> Result<f64, String> {
    between("--callgrind-message", speaker, 4_096)
}

/// What more of them take, each.
fn between(child: &str, name: &str, more: u64) -> Result<f64, String> {
    let few = counted(child, name, FEW)?;
    let many = counted(child, name, FEW + more)?;
    Ok(many.saturating_sub(few) as f64 / more as f64)
}

fn counted(child: &str, name: &str, times: u64) -> Result<u64, String> {
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--zero-before=*counted_requests*"])
        .arg(program)
        .args([child, name, &times.to_string()])
        // Callgrind's processor does not announce an invariant time-stamp counter, so canonlog would fall back
        // to `Instant`, which is not what it does on the machine itself.
        .env("CANONLOG_CLOCK", "tsc")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    count.ok_or_else(|| format!("no count from callgrind: {}", said.lines().last().unwrap_or("it said nothing")))
}

/// What runs under callgrind.
pub fn child(entry: Entry, requests: u64) {
    let input = Input::example();
    let mut peer = (entry.make)();
    let mut run = |requests| {
        for _ in 0..requests / BURST {
            for _ in 0..BURST {
                peer.request(std::hint::black_box(&input));
            }
            peer.settle();
        }
    };
    run(WARM_UP);
    counted_requests(|| run(requests));
}

/// The same of messages.
pub fn child_of_message(speaker: &Speaker, messages: u64) {
    let cart = Cart::example();
    let run =
        |messages| (speaker.inside)(&mut || (0..messages).for_each(|_| (speaker.info)(std::hint::black_box(&cart))));
    run(WARM_UP);
    counted_requests(|| run(messages));
}

/// Callgrind's counts begin when this is entered.
#[inline(never)]
fn counted_requests(run: impl FnOnce()) {
    run();
}
