//! What the user keeps by hand where the peer has no timings of its own: `Instant`s and sums.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::workload::{Input, REALISTIC};

/// The sums of one request's sections.
pub struct Sums {
    /// `None` where the peer times the whole itself.
    began: Option<Instant>,
    render: Duration,
    cache: Duration,
    database: Duration,
    pub queries: u64,
}

impl Sums {
    #[inline]
    pub fn begin() -> Sums {
        Sums { began: Some(Instant::now()), ..Sums::unbegun() }
    }

    /// For peers that time the whole themselves.
    #[inline]
    pub fn unbegun() -> Sums {
        let zero = Duration::ZERO;
        Sums { began: None, render: zero, cache: zero, database: zero, queries: 0 }
    }

    /// The sections of the request, and its queries: 14 readings of the clock.
    #[inline]
    pub fn work(&mut self, input: &Input) {
        for _ in 0..2 {
            let outer = Instant::now();
            let inner = Instant::now();
            self.cache += inner.elapsed();
            self.query(input.queries[0]);
            self.render += outer.elapsed();
        }
        self.query(input.queries[2]);
    }

    #[inline]
    fn query(&mut self, sql: &str) {
        let start = Instant::now();
        black_box(sql);
        self.queries += 1;
        self.database += start.elapsed();
    }

    #[inline]
    pub fn render(&self) -> u64 {
        micros(self.render)
    }
    #[inline]
    pub fn cache(&self) -> u64 {
        micros(self.cache)
    }
    #[inline]
    pub fn database(&self) -> u64 {
        micros(self.database)
    }
    /// Time since the beginning: reads the clock.
    #[inline]
    pub fn total(&self) -> u64 {
        micros(self.began.map_or(Duration::ZERO, |began| began.elapsed()))
    }
}

#[inline]
fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64 + REALISTIC
}
