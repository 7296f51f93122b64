//! What is wrong with a configuration, and how it is told.

use super::*;

#[test]
fn each_mistake_names_its_path_its_line_what_it_got_what_may_be_there_and_the_nearest() {
    assert_eq!(
        told("# a comment\n[emitters.slow]\nformat = 'jsno'\n"),
        [
            "line 3: `emitters.slow.format` is `jsno`; expected `logfmt`, `json`, `pretty`, `combined`, `talisker`, `line`, `shell`, \
          `template`, `gelf`, `otlp`; the nearest is `json`"
        ]
    );
    let [unknown] = &told("[limits]\nrecrod = '1KiB'")[..] else { panic!("one mistake") };
    assert_eq!(
        unknown,
        "line 2: `limits.recrod` is no key of the configuration; expected `record`, `value`, `fields`, `event`; the nearest is `record`"
    );
    assert_eq!(told("stacks = -1"), ["line 1: `stacks` is `-1`; expected a whole number from 0 to 1000000"]);
    assert_eq!(
        told("emitters.a.output = { type = 'file' }"),
        ["line 1: `emitters.a.output.path` is missing; expected a path"]
    );
    assert_eq!(
        told("emitters.a.output = 'file'"),
        ["line 1: `emitters.a.output`: `file` needs more: write { type = \"file\", path = .. }"]
    );
    assert_eq!(told("redact.keys = ['ok', '*']").len(), 1);
    assert!(
        told("redact.keys = ['ok', '*']")[0].starts_with("line 1: `redact.keys[1]`: `*` is no pattern; expected words")
    );
    assert!(
        told("emitters.a.output = { type = 'tcp', server = '::1' }")[0]
            .ends_with("`::1` has no port; write `[::1]:5170`")
    );
    assert!(
        told("emitters.a.output = { type = 'syslog', server = 'loghost' }")[0].contains("expected `udp://host:port`")
    );
    assert!(told("emitters.a.filter = 'resp_status => 500'")[0].ends_with("; the nearest is `>=`"));
    assert!(
        told("timeout = 1979-05-27")[0].starts_with("line 1: `timeout` is `1979-05-27`; expected a length of time")
    );
    assert!(
        told("emitters.a.format = { type = 'template', template = '{' }")[0]
            .starts_with("line 1: `emitters.a.format.template`: ")
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let told =
        told("level = 'loud'\ncpu_time = 'yes'\n[emitters.a]\nfromat = 'json'\n[emitters.b]\noutput = 'stdot'\n");
    let lines: Vec<&str> = told.iter().filter_map(|error| error.split_once(':')).map(|(line, _)| line).collect();
    assert_eq!(lines, ["line 1", "line 2", "line 4", "line 6"], "{told:?}");
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let [error] = &told("level = 'info'\nformat = \n")[..] else { panic!("one mistake") };
    assert!(error.starts_with("line 2: `format =` is no TOML: "), "{error}");
}

#[test]
fn each_mistake_is_told_with_what_was_meant() {
    for (text, want) in [
        // What is no TOML.
        (
            "level = info # all",
            "line 1: `level = info # all` is no TOML: a text stands in quotes; write `level = \"info\"`",
        ),
        ("timeout = 30s", "line 1: `timeout = 30s` is no TOML: a text stands in quotes; write `timeout = \"30s\"`"),
        ("level: info", "line 1: `level: info` is no TOML; write `level = \"info\"`"),
        ("stacks: 3", "line 1: `stacks: 3` is no TOML; write `stacks = 3`"),
        ("emitters:\n", "line 1: `emitters:` is no TOML; write `[emitters]`"),
        ("level = 'info'\nlevel = 'debug'", "line 2: `level` is given twice; remove one of them"),
        ("[limits]\n[limits]", "line 2: `limits` is given twice; remove one of them"),
        ("[emitters.a\nlevel = 'info'", "line 1: `[emitters.a` is no TOML: unclosed table, expected `]`"),
        (
            "output = \"C:\\logs\\x.log\"",
            "line 1: `output = \"C:\\logs\\x.log\"` is no TOML: a backslash is written `\\\\`, or as it is between single quotes",
        ),
        // Keys that stand in another place.
        (
            "[emitters.a]\ntimeout = '30s'",
            "line 2: `emitters.a.timeout` is no key of the configuration; expected `level`, `types`, `filter`, `format`, `output`; \
             `timeout` belongs to the top of the file, before the first `[table]`",
        ),
        (
            "[emitters.a]\nformat = { type = 'json', quote = 'needed' }",
            "line 2: `emitters.a.format.quote` is no key of the configuration; it is a key of the format `logfmt`",
        ),
        (
            "[outputs.main]\ntype = 'stdout'\nformat = 'json'",
            "line 3: `outputs.main.format` is no key of the configuration; expected `queue`, `direct`; it is a key of `emitters.NAME`",
        ),
        (
            "[limits]\ncapacity = 3",
            "line 2: `limits.capacity` is no key of the configuration; expected `record`, `value`, `fields`, `event`; \
             it is a key of `lookback`",
        ),
        // Values of another shape.
        ("cpu_time = 'true'", "line 1: `cpu_time` is `\"true\"`; expected `true`, `false`"),
        ("stacks = '10'", "line 1: `stacks` is `\"10\"`; expected a whole number from 0 to 1000000"),
        (
            "[[emitters]]",
            "line 1: `emitters` is a list; expected tables under names of your own, such as `[emitters.main]`",
        ),
        (
            "[emitters]\na = 'json'",
            "line 2: `emitters.a` is `json`; expected a table with `level`, `types`, `filter`, `format`, `output`",
        ),
        ("[statuses]\nhourly = '1h'", "line 2: `statuses.hourly` is `1h`; expected a table with `every`"),
        ("[fields]\nregion = { a = 1 }", "line 2: `fields.region` is a table; expected a text, a number or a boolean"),
        ("status = '0s'", "line 1: `status` is `0s`; expected more than no time, or `false` for none"),
        ("service = ''", "line 1: `service` is ``; expected a text of at least one character"),
        (
            "[emitters.a]\nfilter = 500",
            "line 2: `emitters.a.filter` is `500`; expected a condition, such as `resp_status >= 500`",
        ),
        (
            "message_fields = ['method']",
            "line 1: `message_fields[0]`: `method` is no whole name of a field; expected one with its namespace, such as `req_method` \
             or `app_method`",
        ),
        (
            "[emitters.a]\ntypes = []",
            "line 2: `emitters.a.types`: an empty list lets nothing pass; leave it out for everything",
        ),
        // Outputs.
        (
            "output = '~/events.log'",
            "line 1: `output` is `~/events.log`; expected the path itself; nobody replaces `~` and variables in it",
        ),
        (
            "debug_log = '$HOME/x'",
            "line 1: `debug_log` is `$HOME/x`; expected the path itself; nobody replaces `~` and variables in it",
        ),
        (
            "[emitters.a]\noutput = 'tcp://localhost:5170'",
            "line 2: `emitters.a.output`: `tcp://localhost:5170` is no path; write { type = \"tcp\", server = \"localhost:5170\" }",
        ),
        (
            "[emitters.a]\noutput = 'udp://loghost:514'",
            "line 2: `emitters.a.output`: `udp://loghost:514` is no path; write { type = \"syslog\", server = \"udp://loghost:514\" }",
        ),
        (
            "[emitters.a]\noutput = { type = 'syslog', server = 'localhost:514' }",
            "line 2: `emitters.a.output.server`: `localhost:514` is no server; expected `udp://host:port`, `tcp://host:port` or \
             `unix:/path`; write `udp://localhost:514`",
        ),
        (
            "[outputs.stdout]\ntype = 'stderr'",
            "line 1: `outputs.stdout`: there is an output of this name already; choose another one",
        ),
        (
            "[emitters.a]\noutput = { type = 'stdout', direct = true, queue = { events = 5 } }",
            "line 2: `emitters.a.output.queue`: it has no effect next to `direct`; remove one of them",
        ),
        (
            "[emitters.a]\noutput = { type = 'file', path = './a.log', keep = 3 }",
            "line 2: `emitters.a.output.keep`: it has no effect without `daily = true` or `max_size`, which make old files",
        ),
    ] {
        assert_eq!(told(text), [want], "{text}");
    }
}

#[test]
fn a_file_that_two_rotate_in_different_ways_is_a_mistake() {
    let folder = std::env::temp_dir().join(format!("canonlog-rotated-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |more: &str| format!("{{ type = 'file', path = './a.log'{more} }}");
    let two = |one: &str, two: &str| {
        let program = of(&format!("[emitters.one]\noutput = {one}\n[emitters.two]\nformat = 'json'\noutput = {two}\n"));
        let made = Program { folder: folder.clone(), ..program }.make(std::iter::empty(), None);
        made.map(drop).map_err(|errors| errors.to_string())
    };
    assert_eq!(
        two(&file(", daily = true"), &file(", max_size = '1MB'")),
        Err("line 5: `emitters.two.output`: `one` writes to `./a.log` too, and rotates it in another way; let one of `[outputs]` say how, \
             for both"
            .to_owned())
    );
    assert!(two(&file(", daily = true"), "'./a.log'").is_err());
    assert_eq!(two(&file(", daily = true"), &file(", daily = true, queue = { events = 8192 }")), Ok(()));
    std::fs::remove_dir_all(&folder).expect("it is there");
}
