//! What it costs to look at all requests in flight: the processor time of the monitor's own thread, for each of its looks.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use canonlog::{Context, Kind, begin};

use super::median;
use crate::peers::canonlog::operations;

/// How many requests are in flight.
pub const REQUESTS: usize = 10_000;
/// How often the monitor is watched, and for how many of its looks.
const TIMES: usize = 5;
const LOOKS: u64 = 10;

/// Microseconds that a look takes more with the requests in flight than with one.
pub fn measure() -> Result<f64, String> {
    operations::install();
    let request = || {
        let scope = begin(Kind::Request);
        // Far away: the monitor has nothing to report.
        scope.enter(|| Context::set_timeout(Duration::from_secs(3_600)));
        scope
    };
    let one = request();
    let monitor = Monitor::find()?;
    let alone = monitor.look()?;
    let others: Vec<_> = (1..REQUESTS).map(|_| request()).collect();
    let among = monitor.look()?;
    drop((one, others));
    Ok((among - alone) / 1_000.0)
}

/// The monitor's thread.
struct Monitor {
    folder: String,
}

impl Monitor {
    fn find() -> Result<Monitor, String> {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            for thread in fs::read_dir("/proc/self/task").map_err(|error| format!("no /proc: {error}"))?.flatten() {
                let folder = thread.path().display().to_string();
                // The system keeps 15 bytes of a name.
                if fs::read_to_string(format!("{folder}/comm")).is_ok_and(|name| name.starts_with("canonlog-monito")) {
                    return Ok(Monitor { folder });
                }
            }
            sleep(Duration::from_millis(10));
        }
        Err("there is no monitor's thread".to_owned())
    }

    fn read<T: std::str::FromStr>(&self, file: &str, find: impl Fn(&str) -> Option<&str>) -> Result<T, String> {
        let path = format!("{}/{file}", self.folder);
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        find(&text).and_then(|word| word.parse().ok()).ok_or_else(|| format!("{path} has another form"))
    }

    /// How often it went to sleep, which it does after each look; and its processor time in nanoseconds.
    fn now(&self) -> Result<(u64, f64), String> {
        let sleeps = self.read("status", |text| {
            let (_, count) = text.split_once("\nvoluntary_ctxt_switches:")?;
            count.lines().next().map(str::trim)
        })?;
        Ok((sleeps, self.read("schedstat", |text| text.split(' ').next())?))
    }

    /// Nanoseconds of a look.
    fn look(&self) -> Result<f64, String> {
        let mut looks = Vec::new();
        for _ in 0..TIMES {
            let before = self.now()?;
            let after = loop {
                sleep(Duration::from_millis(20));
                let now = self.now()?;
                if now.0 >= before.0 + LOOKS {
                    break now;
                }
            };
            looks.push((after.1 - before.1) / (after.0 - before.0) as f64);
        }
        Ok(median(&mut looks))
    }
}
