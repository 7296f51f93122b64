//! How long a server is waited for, and how often it is tried.

use std::time::Duration;

use crate::id;

/// How long a server is waited for, and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::output) struct LinkOptions {
    /// How long one attempt to reach it may take.
    pub(in crate::output) connect: Duration,
    /// How long lines wait for one that was lost, before they are lost too.
    pub(in crate::output) hold: Duration,
    /// The pause after the first attempt that failed, and the longest.
    pub(in crate::output) pauses: (Duration, Duration),
    /// A server that takes nothing for this long is as one that is gone.
    pub(in crate::output) stall: Duration,
}

impl Default for LinkOptions {
    fn default() -> Self {
        LinkOptions {
            connect: Duration::from_secs(5),
            hold: Duration::from_secs(1),
            pauses: (Duration::from_millis(100), Duration::from_secs(5)),
            stall: Duration::from_secs(30),
        }
    }
}

impl LinkOptions {
    /// The pause after so many failures in a row: each twice the one before, but for a part that is left to chance, so that the
    /// clients of a server that was restarted do not come all at once.
    pub(super) fn pause(&self, failures: u32) -> Duration {
        let (first, longest) = self.pauses;
        let whole = first.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(longest);
        let half = whole / 2;
        let chance = id::random() >> 11;
        half + half.mul_f64(chance as f64 / (1_u64 << 53) as f64)
    }
}

/// The methods of an output that has a link to a server.
macro_rules! link_options {
    () => {
        /// How long one attempt to reach the server may take: 5 s by default.
        ///
        /// It happens on a thread of its own. Lines wait for it, but those of a [`direct_within`](crate::Emitter::direct_within)
        /// emitter no longer than that limit.
        #[must_use]
        pub fn connect_within(mut self, limit: std::time::Duration) -> Self {
            self.link = self.link.with(|options| options.connect = limit.max(std::time::Duration::from_millis(1)));
            self
        }

        /// How long lines wait for a server that was lost, before they are counted as lost too: 1 s by default, so that a restart
        /// costs none.
        #[must_use]
        pub fn wait_for_server(mut self, time: std::time::Duration) -> Self {
            self.link = self.link.with(|options| options.hold = time);
            self
        }

        /// The pause after the first attempt to reach the server that failed, and the longest: 100 ms and 5 s by default. Each is
        /// about twice the one before.
        #[must_use]
        pub fn pauses(mut self, first: std::time::Duration, longest: std::time::Duration) -> Self {
            let first = first.max(std::time::Duration::from_millis(1));
            self.link = self.link.with(|options| options.pauses = (first, longest.max(first)));
            self
        }
    };
}
pub(in crate::output) use link_options;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_differ() {
        let options = LinkOptions::default();
        for (failures, millis) in [(1, 100), (2, 200), (3, 400), (6, 3_200), (7, 5_000), (1_000, 5_000)] {
            let whole = Duration::from_millis(millis);
            let pauses: Vec<Duration> = (0..20).map(|_| options.pause(failures)).collect();
            assert!(pauses.iter().all(|pause| (whole / 2..=whole).contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{failures}: {pauses:?}");
        }
    }
}
