//! Where a field stands in an event, and what is known of the names that the program has.

/// Where a namespace stands in an event; equal ranks keep the order of their first write.
pub(crate) fn rank(namespace: &str) -> u8 {
    match namespace {
        // Of messages; behind the unit's id.
        "req" | "job" | "log" => 1,
        "app" => 2,
        "exc" => 3,
        "resp" => 4,
        "timeout" | "cancel" => 5,
        "db" => 6,
        "http" => 7,
        "rt" | "poll" => 8,
        "canonlog" => 15,
        _ => OTHER_RANK,
    }
}

/// The framework's own fields: the ranks of their namespaces, and the fields of each in the order of the reference. Fewer than 15, so
/// that each has an order of its own; the last of `db` is no field, but has a record's queries.
const KNOWN: [(u16, &[&str]); 6] = [
    (
        1,
        &[
            "req_id",
            "req_method",
            "req_path",
            "req_referrer",
            "req_user_agent",
            "req_route",
            "req_client_ip",
            "req_cancelled",
            "job_id",
            "job_name",
            "job_time",
            "job_cpu_time",
            "job_outcome",
        ],
    ),
    (
        3,
        &[
            "exc_template",
            "exc_type",
            "exc_msg",
            "exc_loc",
            "exc_cause_loc",
            "exc_cause_type",
            "exc_trace",
            "exc_panic",
            "exc_panic_loc",
            "exc_handled",
            "exc_panics_caught",
        ],
    ),
    (4, &["resp_view", "resp_time", "resp_cpu_time", "resp_status", "resp_size", "resp_ttfb"]),
    (
        5,
        &[
            "cancel_loc",
            "timeout_loc",
            "timeout_cause_loc",
            "timeout_for",
            "timeout_limit",
            "timeout_state",
            "timeout_stack",
        ],
    ),
    (6, &["db_queries", "db_time", "db_dup_queries", "db_dup_time", "db_dup_top", "db_dup_loc", "db_query"]),
    (8, &["rt_w_count", "rt_w_active", "rt_backlog", "poll_blocked_count", "poll_max_time", "poll_max_loc"]),
];

/// Where a field stands in an event: by its namespace, then, for the framework's own, in the order of the reference. Below 256.
pub(crate) fn order(name: &str) -> u16 {
    let namespace = name.split_once('_').map_or(name, |(namespace, _)| namespace);
    let known = KNOWN.iter().find_map(|(_, names)| names.iter().position(|known| *known == name));
    let within = known.and_then(|at| u16::try_from(at).ok()).unwrap_or(UNKNOWN);
    u16::from(rank(namespace)) << 4 | within
}

/// As [`order`], of one of the framework's own fields, while this is compiled.
pub(super) const fn known_order(name: &str) -> u16 {
    let mut group = 0;
    while group < KNOWN.len() {
        let (rank, names) = KNOWN[group];
        let mut at = 0;
        while at < names.len() {
            if is_same(names[at].as_bytes(), name.as_bytes()) {
                return rank << 4 | at as u16;
            }
            at += 1;
        }
        group += 1;
    }
    panic!("a name of the framework's own has a place among those known")
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// The namespace's rank in an [`order`].
pub(crate) const fn rank_of(order: u16) -> u8 {
    (order >> 4) as u8
}

/// Within its namespace, where a field stands that the framework does not know: last.
const UNKNOWN: u16 = 15;

/// Where `req_id` and `job_id` stand: first.
pub(crate) const ID_ORDER: u16 = 1 << 4;

/// Where canonlog's remarks on itself stand: last.
pub(crate) const CANONLOG_ORDER: u16 = 15 << 4 | UNKNOWN;

/// The rank of the namespaces that the framework does not know.
pub(crate) const OTHER_RANK: u8 = 9;

/// Whether a namespace is the framework's own, where users cannot write.
pub(crate) fn is_reserved(namespace: &str) -> bool {
    namespace == "event" || namespace == "trace" || !matches!(rank(namespace), 2 | OTHER_RANK)
}

/// The longest name, with the marks of a [`Label::token`], that is kept ready.
pub(super) const TOKEN: usize = 48;

/// The bit of all labels that are not the framework's own.
pub(super) const OTHER_BIT: u8 = 63;

/// What is known of a field's name that the program has.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// `namespace_key`, as it is written.
    pub(crate) name: &'static str,
    /// Where it stands in an event.
    pub(crate) order: u16,
    /// For the framework's own names, a number below 63; for all others 63.
    pub(super) bit: u8,
    /// Whether it lies in one of the framework's namespaces.
    pub(super) framework: bool,
    token_len: u8,
    token: [u8; TOKEN],
}

impl Label {
    pub(crate) const fn new(name: &'static str, order: u16, framework: bool, bit: u8) -> Label {
        let (bytes, mut token, mut at) = (name.as_bytes(), [0; TOKEN], 0);
        let len = bytes.len() + 4;
        if len <= TOKEN {
            (token[0], token[1]) = (b'"', b' ');
            while at < bytes.len() {
                token[2 + at] = bytes[at];
                at += 1;
            }
            (token[2 + at], token[3 + at]) = (b'=', b'"');
        }
        let token_len = if len <= TOKEN { len as u8 } else { 0 };
        Label { name, order, bit, framework, token_len, token }
    }

    /// Of no name, and without a token.
    pub(super) const fn nameless(framework: bool) -> Label {
        Label { token_len: 0, ..Label::new("", 0, framework, OTHER_BIT) }
    }

    /// `" name="`: the end of the value before, and the beginning of this one; and how long that is, 0 where it is too long.
    #[inline(always)]
    pub(crate) fn token(&self) -> (&[u8; TOKEN], usize) {
        (&self.token, usize::from(self.token_len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_frameworks_has_the_same_place_when_compiled_and_when_running() {
        for name in KNOWN.iter().flat_map(|(_, names)| names.iter()) {
            assert_eq!(known_order(name), order(name), "{name}");
        }
    }
}
