//! What a configuration makes beside emitters.

use super::*;
use crate::level::Level;
use crate::lookback::Lookback;

#[test]
fn features_fields_and_statuses_are_made_as_they_are_said() {
    let made = make(
        &of("features = ['process', 'thread']\nstatus = '5s'\n[fields]\nshard = 7\n[statuses.hourly]\nevery = '1h'"),
        &[("CANONLOG_SERVICE", "shop")],
    );
    let names: Vec<&str> = made.features.iter().map(Feature::name).collect();
    assert_eq!(names, ["process", "thread", "service", "fields"]);
    let periods: Vec<Duration> = made.statuses.iter().map(|status| status.period).collect();
    assert_eq!(periods, [Duration::from_secs(5), Duration::from_secs(3_600)]);
    let none = make(&program(), &[]);
    assert!(none.features.is_empty() && none.statuses.is_empty());
}

#[test]
fn quiet_messages_are_kept_as_it_is_said_and_only_then() {
    let kept = |text| make(&of(text), &[]).settings.lookback;
    assert_eq!((kept(""), kept("[lookback]\ncapacity = 5")), (None, None));
    assert_eq!(kept("lookback.enabled = true"), Some(Lookback::new()));
    let all = "[lookback]\nenabled = true\ncapacity = 5\nbytes = '1KiB'\nmax_age = '1m'\nflush_level = 'warning'\n\
               keep_below = 'info'\nslower_than = '2s'";
    let lookback = Lookback::new().capacity(5).bytes(1_024).max_age(Duration::from_secs(60));
    let lookback = lookback.flush_level(Level::Warning).keep_below(Level::Info).slower_than(Duration::from_secs(2));
    assert_eq!(kept(all), Some(lookback));
}
