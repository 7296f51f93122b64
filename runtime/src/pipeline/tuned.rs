//! What a pipeline decides about its records, which may be decided anew while it runs.

use std::time::Duration;

use super::Parts;
use crate::clock;
use crate::lookback::Lookback;
use crate::monitor::{polls, timeout};
use crate::record::log::Limits;

/// What a pipeline decides about its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) cpu_time: bool,
    pub(crate) limits: Limits,
    /// Bytes of an event, escaped.
    pub(crate) event_limit: usize,
    /// The time limit of records that set none.
    pub(crate) timeout: Option<Duration>,
    /// Polls that take longer are counted.
    pub(crate) poll_limit: Option<Duration>,
    /// Quiet messages are kept so, if they are.
    pub(crate) lookback: Option<Lookback>,
    /// So many stacks of stuck threads are taken a second.
    pub(crate) stacks: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            cpu_time: true,
            limits: Limits::DEFAULT,
            event_limit: 64 * 1024,
            timeout: None,
            poll_limit: Some(Duration::from_millis(100)),
            lookback: None,
            stacks: 0,
        }
    }
}

/// Settings, with what is made of them once for all records.
#[derive(Debug)]
pub(crate) struct Tuned {
    pub(crate) settings: Settings,
    /// The limits, packed.
    pub(super) limits: u64,
    /// The time limit, in ticks; 0 for none.
    pub(super) timeout: u64,
    /// The limit of a poll, in ticks; 0 for none.
    pub(super) poll_limit: u64,
    /// Fields of the request that its messages show too, by their whole names.
    pub(crate) message_fields: Box<[Box<str>]>,
}

impl Tuned {
    /// For the rest of the process: a record asks without a lock, and may be at it still when others have come.
    pub(super) fn new(settings: Settings, message_fields: Vec<String>) -> &'static Tuned {
        let ticks = |limit: Option<Duration>| limit.map_or(0, |limit| clock::ticks(limit).max(1));
        Box::leak(Box::new(Tuned {
            limits: settings.limits.pack(),
            timeout: ticks(settings.timeout),
            poll_limit: ticks(settings.poll_limit),
            message_fields: message_fields.into_iter().map(String::into_boxed_str).collect(),
            settings,
        }))
    }

    /// Starts what looks for records that take too long, if any can.
    pub(super) fn start_monitors(&self) {
        if self.timeout != 0 {
            timeout::ensure_started(self.settings.timeout);
        }
        if let Some(limit) = self.settings.poll_limit {
            polls::ensure_started(limit);
        }
    }
}

impl Parts {
    /// What holds now. Whoever asks twice may get two answers.
    #[inline(always)]
    pub(crate) fn tuned(&self) -> &'static Tuned {
        self.tuned.load().expect("it was made with one")
    }

    #[inline(always)]
    pub(crate) fn settings(&self) -> &'static Settings {
        &self.tuned().settings
    }

    /// Decides anew, for records that begin from now on; what does not change costs nothing.
    pub(crate) fn tune(&self, settings: Settings, message_fields: Vec<String>) {
        let now = self.tuned();
        if now.settings != settings || !now.message_fields.iter().map(|name| &**name).eq(&message_fields) {
            let tuned = Tuned::new(settings, message_fields);
            self.tuned.store(Some(tuned));
            tuned.start_monitors();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Logger;
    use crate::testing::{self, Capture};
    use crate::{Context, EventType, Kind, begin};

    static LOG: Logger = Logger::new("tuned");

    fn names(capture: &Capture) -> Vec<String> {
        let name = |event: &crate::OwnedEvent| match event.view().get("log_msg") {
            Some(text) => text.to_string(),
            None => event.view().kind().to_string(),
        };
        let names = capture.events().iter().map(name).collect();
        capture.clear();
        names
    }

    #[test]
    fn what_is_decided_anew_holds_for_records_that_begin_later() {
        let capture = testing::capture();
        let parts = crate::pipeline::parts(capture.pipeline().number());
        let before = begin(Kind::Job);
        let limits = Limits { value: 8, ..Limits::DEFAULT };
        let timeout = Some(Duration::from_secs(3_000));
        parts.tune(Settings { limits, timeout, cpu_time: false, ..Settings::default() }, vec!["app_cart".to_owned()]);
        let after = begin(Kind::Job);
        assert_eq!(capture.tick_timeouts(Duration::from_secs(3_001)), 1, "the record before has no limit");
        after.finish();
        capture.clear();
        for scope in [before, begin(Kind::Job)] {
            scope.enter(|| Context::set("text", "x".repeat(20)));
            scope.finish();
        }
        let of = |at: usize, name: &str| capture.events()[at].view().get(name).map(|value| value.to_string().len());
        assert_eq!([of(0, "app_text"), of(1, "app_text").filter(|len| *len < 20).map(|_| 8)], [Some(20), Some(8)]);
        assert_eq!([0, 1].map(|at| of(at, "job_cpu_time").is_some()), [true, false]);
        begin(Kind::Job).enter(|| {
            Context::set("cart", 7);
            LOG.info("said");
        });
        let log = capture.events().into_iter().find(|event| event.view().kind() == EventType::Log);
        assert!(log.expect("it was said").view().get("app_cart").is_some());
    }

    #[test]
    fn messages_that_were_kept_are_written_if_nothing_is_kept_any_more() {
        let capture = testing::capture();
        let parts = crate::pipeline::parts(capture.pipeline().number());
        let keeps = |lookback| parts.tune(Settings { lookback, ..Settings::default() }, Vec::new());
        let job = begin(Kind::Job);
        job.enter(|| {
            LOG.info("before");
            keeps(Some(Lookback::new()));
            LOG.info("kept");
            keeps(None);
            LOG.info("at once");
        });
        job.finish();
        assert_eq!(names(&capture), ["before", "at once", "kept", "job"]);
        keeps(Some(Lookback::new()));
        begin(Kind::Job).enter(|| {
            LOG.info("kept");
            keeps(None);
            crate::flush_lookback();
        });
        assert_eq!(names(&capture), ["kept", "job"]);
    }

    #[test]
    fn what_stays_the_same_is_not_made_again() {
        let capture = testing::capture();
        let parts = crate::pipeline::parts(capture.pipeline().number());
        let before = parts.tuned();
        parts.tune(before.settings, Vec::new());
        assert!(std::ptr::eq(before, parts.tuned()));
    }
}
