//! The order of the instrumenters: by number, then by what each says it must follow or precede, ties by name.
//!
//! ```text
//! Registration ──▶ checked: unique names, known neighbours, expected plugins present ──▶ sorted, or every Problem found
//! ```

use std::fmt;

use super::{Expectation, Registration};

/// One reason why the registered instrumenters cannot be put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Two instrumenters have one name.
    Clash { name: &'static str, first: &'static str, second: &'static str },
    /// An instrumenter names a neighbour that is not registered.
    UnknownNeighbour {
        name: &'static str,
        location: &'static str,
        relation: &'static str,
        unknown: &'static str,
        nearest: Option<&'static str>,
    },
    /// Instrumenters that must each come after the next one, and the last after the first.
    Cycle { members: Vec<(&'static str, &'static str)> },
    /// An instrumenter that the program expects was never linked.
    Missing { name: &'static str, location: &'static str, nearest: Option<&'static str> },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Clash { name, first, second } => {
                write!(f, "two instrumenters are named `{name}`, at {first} and at {second}; give one another name")
            }
            Problem::UnknownNeighbour { name, location, relation, unknown, nearest } => {
                write!(
                    f,
                    "instrumenter `{name}` ({location}) is to come {relation} `{unknown}`, which is not registered"
                )?;
                similar(f, *nearest)
            }
            Problem::Cycle { members } => {
                f.write_str("instrumenters wait for each other: ")?;
                for (name, location) in members {
                    write!(f, "`{name}` ({location}) comes after ")?;
                }
                let first = members.first().map_or("", |(name, _)| name);
                write!(f, "`{first}`; remove one `after` or `before`")
            }
            Problem::Missing { name, location, nearest } => {
                write!(
                    f,
                    "instrumenter `{name}` is expected at {location}, but not registered; \
                     name its crate in the program, as in `use the_crate as _;`"
                )?;
                similar(f, *nearest)
            }
        }
    }
}

fn similar(f: &mut fmt::Formatter<'_>, nearest: Option<&str>) -> fmt::Result {
    nearest.map_or(Ok(()), |name| write!(f, "; a similar name is registered: `{name}`"))
}

/// The registrations in the order of their calls, and what is wrong with them.
///
/// The order is whole whatever is wrong, so that a process which never asked for the errors still runs them all.
pub(crate) fn sort(
    registrations: impl IntoIterator<Item = &'static Registration>,
    expectations: impl IntoIterator<Item = &'static Expectation>,
) -> (Vec<&'static Registration>, Vec<Problem>) {
    let mut waiting: Vec<_> = registrations.into_iter().collect();
    // Collection follows link order, so everything that decides stands in this key.
    waiting.sort_by_key(|registration| (registration.order, registration.name, registration.location));
    let mut problems = clashes(&waiting);
    problems.extend(unknown_neighbours(&waiting));
    problems.extend(missing(&waiting, expectations));

    let mut sorted: Vec<&'static Registration> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|one| !waiting.iter().any(|other| precedes(other, one)));
        // In a cycle nobody is ready: the first by number goes, and the rest find their order.
        let next = ready.unwrap_or_else(|| {
            let members = cycle(&waiting);
            problems.push(Problem::Cycle { members: members.iter().map(|one| (one.name, one.location)).collect() });
            let first = members.first().map_or("", |one| one.name);
            waiting.iter().position(|one| one.name == first).unwrap_or(0)
        });
        sorted.push(waiting.remove(next));
    }
    (sorted, problems)
}

/// Whether `one` must be called before `other`.
fn precedes(one: &Registration, other: &Registration) -> bool {
    other.after.contains(&one.name) || one.before.contains(&other.name)
}

fn clashes(sorted: &[&'static Registration]) -> Vec<Problem> {
    let mut by_name = sorted.to_vec();
    by_name.sort_by_key(|registration| (registration.name, registration.location));
    by_name
        .windows(2)
        .filter(|pair| pair[0].name == pair[1].name)
        .map(|pair| Problem::Clash { name: pair[0].name, first: pair[0].location, second: pair[1].location })
        .collect()
}

fn unknown_neighbours(all: &[&'static Registration]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for one in all {
        let neighbours =
            one.after.iter().map(|name| ("after", name)).chain(one.before.iter().map(|name| ("before", name)));
        for (relation, unknown) in neighbours.filter(|(_, name)| !is_registered(all, name)) {
            problems.push(Problem::UnknownNeighbour {
                name: one.name,
                location: one.location,
                relation,
                unknown,
                nearest: nearest(all, unknown),
            });
        }
    }
    problems
}

fn missing(
    all: &[&'static Registration],
    expectations: impl IntoIterator<Item = &'static Expectation>,
) -> Vec<Problem> {
    let mut expected: Vec<_> = expectations.into_iter().collect();
    expected.sort_by_key(|expectation| expectation.location);
    expected
        .into_iter()
        .flat_map(|expectation| expectation.names.iter().map(|name| (*name, expectation.location)))
        .filter(|(name, _)| !is_registered(all, name))
        .map(|(name, location)| Problem::Missing { name, location, nearest: nearest(all, name) })
        .collect()
}

fn is_registered(all: &[&'static Registration], name: &str) -> bool {
    all.iter().any(|registration| registration.name == name)
}

/// Instrumenters that wait for each other, each for the next; `waiting` holds nobody who waits for nobody.
fn cycle(waiting: &[&'static Registration]) -> Vec<&'static Registration> {
    let mut path: Vec<&'static Registration> = Vec::new();
    let mut next = waiting.first().copied();
    while let Some(one) = next {
        if let Some(start) = path.iter().position(|seen| std::ptr::eq(*seen, one)) {
            return path.split_off(start);
        }
        path.push(one);
        next = waiting.iter().copied().find(|other| precedes(other, one));
    }
    path
}

/// The registered name that is most like `wanted`, if one is.
fn nearest(all: &[&'static Registration], wanted: &str) -> Option<&'static str> {
    all.iter()
        .map(|registration| (distance(registration.name, wanted), registration.name))
        .filter(|(distance, _)| *distance <= wanted.chars().count().max(3) / 3)
        .min()
        .map(|(_, name)| name)
}

/// How many characters must be added, removed, changed or swapped with their neighbour to turn one name into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    let mut last = None;
    for (row, a) in one.chars().enumerate() {
        let mut line = vec![row + 1];
        for (at, b) in other.iter().enumerate() {
            let changed = above[at] + usize::from(a != *b);
            let mut least = changed.min(above[at + 1] + 1).min(line[at] + 1);
            if at > 0 && last == Some(*b) && a == other[at - 1] {
                least = least.min(before[at - 1] + 1);
            }
            line.push(least);
        }
        last = Some(a);
        before = std::mem::replace(&mut above, line);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! registrations {
        ($($name:literal $order:literal $(after [$($after:literal),*])? $(before [$($before:literal),*])?;)*) => {{
            static ALL: &[Registration] = &[$(Registration {
                name: $name,
                order: $order,
                after: &[$($($after),*)?],
                before: &[$($($before),*)?],
                location: concat!($name, ".rs:", $order),
                make: || unreachable!("only sorted"),
            }),*];
            ALL
        }};
    }

    fn names(all: &'static [Registration]) -> Vec<&'static str> {
        let (sorted, problems) = sort(all, []);
        assert_eq!(problems, []);
        sorted.iter().map(|registration| registration.name).collect()
    }

    fn messages(all: &'static [Registration]) -> Vec<String> {
        let (sorted, problems) = sort(all, []);
        assert_eq!(sorted.len(), all.len(), "nobody is left out");
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn numbers_decide_and_names_break_ties() {
        assert_eq!(names(registrations! { "b" 5; "c" 1; "a" 5; }), ["c", "a", "b"]);
    }

    #[test]
    fn the_order_does_not_depend_on_the_order_of_collection() {
        let one = registrations! { "a" 9 after ["z"]; "m" 4; "z" 4 after ["m"]; "b" 4; };
        let other = registrations! { "b" 4; "z" 4 after ["m"]; "m" 4; "a" 9 after ["z"]; };
        assert_eq!(names(one), names(other));
    }

    #[test]
    fn neighbours_stand_above_numbers() {
        assert_eq!(names(registrations! { "a" 1 after ["b"]; "b" 2; "c" 3 before ["b"]; }), ["c", "b", "a"]);
    }

    #[test]
    fn only_what_is_held_back_moves() {
        assert_eq!(names(registrations! { "a" 1 after ["d"]; "b" 2; "c" 3; "d" 4; }), ["b", "c", "d", "a"]);
    }

    #[test]
    fn two_of_one_name_are_an_error_with_both_places() {
        let all = registrations! { "shop" 1; "cart" 2; "shop" 3; };
        assert_eq!(
            messages(all),
            ["two instrumenters are named `shop`, at shop.rs:1 and at shop.rs:3; give one another name"]
        );
    }

    #[test]
    fn an_unknown_neighbour_is_an_error_with_the_nearest_name() {
        let all = registrations! { "shop" 1 after ["databse"] before ["quite_other"]; "database" 2; };
        assert_eq!(
            messages(all),
            [
                "instrumenter `shop` (shop.rs:1) is to come after `databse`, which is not registered; \
                 a similar name is registered: `database`",
                "instrumenter `shop` (shop.rs:1) is to come before `quite_other`, which is not registered",
            ]
        );
    }

    #[test]
    fn a_cycle_is_an_error_that_names_its_members_only() {
        let all = registrations! { "a" 1 after ["c"]; "b" 2 after ["a"]; "c" 3 after ["b"]; "d" 4 after ["a"]; };
        assert_eq!(
            messages(all),
            ["instrumenters wait for each other: `a` (a.rs:1) comes after `c` (c.rs:3) comes after `b` (b.rs:2) \
              comes after `a`; remove one `after` or `before`"]
        );
    }

    #[test]
    fn one_that_follows_itself_is_a_cycle() {
        let all = registrations! { "a" 1 before ["a"]; };
        assert_eq!(
            messages(all),
            ["instrumenters wait for each other: `a` (a.rs:1) comes after `a`; remove one `after` or `before`"]
        );
    }

    #[test]
    fn an_expected_plugin_that_was_not_linked_is_an_error() {
        let all = registrations! { "shop_metrics" 1; };
        static EXPECTED: Expectation = Expectation { names: &["shop_metrics", "shop_metric"], location: "main.rs:3" };
        let (_, problems) = sort(all, [&EXPECTED]);
        let messages: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "instrumenter `shop_metric` is expected at main.rs:3, but not registered; name its crate in the program, \
              as in `use the_crate as _;`; a similar name is registered: `shop_metrics`"
            ]
        );
    }

    #[test]
    fn a_swap_is_one_step_and_other_words_are_far() {
        assert_eq!(distance("database", "databsae"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("shop", "shop"), 0);
        assert_eq!(distance("grüße", "grüsse"), 2);
    }
}
