//! What part of a system a message of syslog is from.

use std::fmt;
use std::str::FromStr;

use crate::nearest::nearest;

/// What part of a system a message of syslog is from (RFC 5424, 6.2.1).
///
/// ```
/// use canonlog::Facility;
///
/// assert_eq!("LOCAL0".parse(), Ok(Facility::Local0));
/// let error = "lokal0".parse::<Facility>().expect_err("misspelt");
/// assert!(error.to_string().ends_with("; the nearest is `local0`"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the RFC, and of `syslog(3)`")]
pub enum Facility {
    Kern,
    #[default]
    User,
    Mail,
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Cron,
    Authpriv,
    Ftp,
    Ntp,
    Audit,
    Alert,
    Clock,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

const NAMES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

impl Facility {
    /// Every facility, in the order of their codes.
    pub const ALL: [Facility; 24] = [
        Facility::Kern,
        Facility::User,
        Facility::Mail,
        Facility::Daemon,
        Facility::Auth,
        Facility::Syslog,
        Facility::Lpr,
        Facility::News,
        Facility::Uucp,
        Facility::Cron,
        Facility::Authpriv,
        Facility::Ftp,
        Facility::Ntp,
        Facility::Audit,
        Facility::Alert,
        Facility::Clock,
        Facility::Local0,
        Facility::Local1,
        Facility::Local2,
        Facility::Local3,
        Facility::Local4,
        Facility::Local5,
        Facility::Local6,
        Facility::Local7,
    ];

    /// Its code: 0 to 23.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Its name, in lower case: `local0`.
    pub const fn as_str(self) -> &'static str {
        NAMES[self as usize]
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Facility`].
///
/// ```
/// let error = "x".parse::<canonlog::Facility>().expect_err("there is no such facility");
/// assert!(error.to_string().starts_with("`x` is not a facility; expected one of kern, user, "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFacilityError {
    got: String,
}

impl fmt::Display for ParseFacilityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a facility; expected one of {}", self.got, NAMES.join(", "))?;
        nearest(&self.got, &NAMES).map_or(Ok(()), |nearest| write!(f, "; the nearest is `{nearest}`"))
    }
}

impl std::error::Error for ParseFacilityError {}

impl FromStr for Facility {
    type Err = ParseFacilityError;

    /// Reads a facility's name in any case.
    fn from_str(text: &str) -> Result<Self, ParseFacilityError> {
        let found = Facility::ALL.into_iter().find(|facility| facility.as_str().eq_ignore_ascii_case(text.trim()));
        found.ok_or_else(|| ParseFacilityError { got: text.chars().take(64).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_facility_is_read_back_from_its_name_and_has_the_code_of_its_place() {
        for (code, facility) in Facility::ALL.into_iter().enumerate() {
            assert_eq!(facility.as_str().parse(), Ok(facility));
            assert_eq!(usize::from(facility.code()), code);
        }
    }
}
