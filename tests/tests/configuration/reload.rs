//! A file that is read again while the program runs. The set-up is the process's: one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use canonlog::tower::RequestLayer;
use canonlog::{Context, Feature, Guard, Kind, SetupError, begin};
use canonlog_tests::server::Server;

struct Trial {
    folder: tempfile::TempDir,
    guard: Arc<Guard>,
    jobs: u32,
}

impl Trial {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, text: &str) {
        write(self.folder.path(), text);
    }

    /// What a job of its own adds to these files.
    fn job<const N: usize>(&mut self, names: [&str; N]) -> [String; N] {
        self.jobs += 1;
        let name = format!("job_{}", self.jobs);
        begin(Kind::Job).enter(|| {
            Context::set("name", &name);
            Context::set("card", "4111");
            Context::set("long", "x".repeat(100));
        });
        assert!(self.guard.flush());
        names.map(|file| {
            let text = fs::read_to_string(self.path(file)).unwrap_or_default();
            text.lines().filter(|line| line.contains(&name)).collect::<Vec<_>>().join("\n")
        })
    }
}

/// Writes the configuration, in which `FOLDER` is this one.
fn write(folder: &Path, text: &str) {
    let text = text.replace("FOLDER", &folder.display().to_string());
    fs::write(folder.join("canonlog.toml"), text).expect("it can be written");
}

#[test]
fn a_file_is_read_again_by_a_call_or_a_signal_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "[emitters.one]\noutput = 'FOLDER/one.log'\n");
    let setup = canonlog::setup().config_file(folder.path().join("canonlog.toml"));
    let guard = setup.feature(Feature::global("fields").field("region", "eu")).init().expect("the only set-up");
    let mut trial = Trial { folder, guard: Arc::new(guard), jobs: 0 };
    let [one] = trial.job(["one.log"]);
    assert!(one.starts_with("event_type=\"job\"") && one.contains("app_card=\"4111\""), "{one}");

    trial.write("[emitters.two]\noutput = 'FOLDER/no/such/folder/two.log'\nlevel = 'info'\n");
    let error = trial.guard.reload().expect_err("there is no such folder");
    assert!(matches!(&error, SetupError::Config(errors) if errors.all()[0].path() == "emitters.two.output"), "{error}");
    trial.write("[emitters.two]\noutput = 'FOLDER/two.log'\nlevel = 'loud'\n[redact]\nkeys = ['card']\n");
    let error = trial.guard.reload().expect_err("there is no such level").to_string();
    assert!(error.contains("canonlog.toml: line 3: `emitters.two.level` is `loud`; expected `debug`"), "{error}");
    fs::remove_file(trial.path("canonlog.toml")).expect("it was there");
    assert!(trial.guard.reload().is_err(), "a file that is gone is a mistake too");
    let [one, two] = trial.job(["one.log", "two.log"]);
    assert!(one.contains("app_card=\"4111\"") && two.is_empty(), "the old one goes on: {one}{two}");

    trial.write("incremental = true\n[emitters.two]\noutput = 'FOLDER/two.log'\nformat = 'json'\n");
    trial.guard.reload().expect("it is right");
    let [one, two] = trial.job(["one.log", "two.log"]);
    assert!(one.starts_with("event_type=") && two.starts_with('{'), "{one}{two}");
    trial.guard.emitters().remove("one").expect("it is there");
    trial.guard.reload().expect("it is still right");
    let [one, two] = trial.job(["one.log", "two.log"]);
    assert!(one.is_empty() && !two.is_empty(), "what was taken away stays away: {one}{two}");
    let holds = trial.guard.config().to_string();
    assert!(holds.contains("[emitters.one]") && holds.contains("[emitters.two]"), "{holds}");

    canonlog::features::add(Feature::global("service").field("service", "shop"));
    let mut four = String::new();
    for fields in ["service = 'other'\n[fields]\nregion = 'us'\n", ""] {
        trial.write(&format!("{fields}[emitters.four]\noutput = 'FOLDER/four.log'\n"));
        trial.guard.reload().expect("it is right");
        [four] = trial.job(["four.log"]);
        assert!(four.contains("app_region=\"eu\""), "the program's feature of this name stays: {four}");
        assert!(four.contains("app_service=\"shop\""), "also one that came later: {four}");
    }

    let guard = Arc::downgrade(&trial.guard);
    canonlog::offers::output("asking", move |(): ()| {
        let held = guard.upgrade().expect("it runs").config();
        held.to_string().contains("[emitters.four]").then(canonlog::Memory::new).ok_or("what holds is another")
    });
    trial.write("[emitters.five]\noutput = 'asking'\n");
    trial.guard.reload().expect("what makes an output may ask what holds meanwhile");

    trial.write(
        "timeout = '5s'\nlimits.value = '80B'\ncpu_time = false\nstatus = '1h'\n[emitters.three]\noutput = 'FOLDER/three.log'\n\
         [redact]\nkeys = ['card']\nquery_strings = true\nsql_literals = true\n",
    );
    trial.guard.on_sighup().expect("a handler and a thread");
    let hup = Command::new("sh").arg("-c").arg(format!("kill -HUP {}", std::process::id())).status();
    assert!(hup.expect("a shell").success());
    let patience = Instant::now() + Duration::from_secs(10);
    while !trial.guard.config().to_string().contains("[emitters.three]") {
        assert!(Instant::now() < patience, "the signal was not heard");
        std::thread::yield_now();
    }
    let [one, two, three] = trial.job(["one.log", "two.log", "three.log"]);
    assert!(one.is_empty() && two.is_empty(), "{one}{two}");
    assert!(three.contains("app_card=\"[redacted]\""), "what was known before is hidden too: {three}");
    assert!(
        !three.contains(&"x".repeat(81)) && three.contains("canonlog_truncated"),
        "the limit holds at once: {three}"
    );
    assert!(four.contains("job_cpu_time=") && !three.contains("job_cpu_time="), "so does all else: {three}");
    assert!(trial.guard.config().to_string().contains("status = \"1h\""));
    what_was_asked_for_is_recorded();
}

/// Queries, without the values of hidden names, and literals.
fn what_was_asked_for_is_recorded() {
    let handler = async || {
        for _ in 0..2 {
            canonlog::db::record_query("select 'ada'", Duration::ZERO);
        }
    };
    let routes = |layer: RequestLayer| axum::Router::new().route("/reset", axum::routing::get(handler)).layer(layer);
    let server = Server::start(routes);
    let mut client = server.connect();
    client.send("GET /reset?token=abc&page=2 HTTP/1.1\r\nHost: a\r\nReferer: https://a/b?code=x&card=4111#top\r\n\r\n");
    assert_eq!(client.reply().status, 200);
    let event = server.only_event();
    let get = |name: &str| event.view().get(name).map(|value| value.to_string()).unwrap_or_default();
    assert_eq!(get("req_path"), "/reset");
    assert_eq!(get("req_query"), "token=[redacted]&page=2");
    assert_eq!(get("req_referrer"), "https://a/b?code=x&card=[redacted]");
    assert_eq!(get("db_dup_top"), "select 'ada'");
}
