//! Credentials: wherever one comes in, it comes out nowhere.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::Code;
use tests::decoy::secret;
use tests::{Fault, Index, Outcome, Run, Running, Sdist, Wheel, World, release, search};

use crate::world;

/// A project whose build waits, so that argument lists can be read while it runs.
fn waiting() -> Sdist {
    Sdist::hello("thing", "1.0").hooks(
        "def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    \
         import hashlib, hold\n    hold.until_released()\n    \
         told = hashlib.sha256(os.environ.get('DECLARED', '').encode()).hexdigest()\n    \
         return wheel_file.write(wheel_directory, *project(), files={'told': told.encode()})",
    )
}

/// Returns what a request carries when it logs in as `user`.
fn login(password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("user:{password}"))
    )
}

/// Adds the argument lists and environments of all processes that the program started.
fn read_processes(running: &Running<'_, '_>, seen: &mut BTreeSet<Vec<u8>>) {
    let read = |pid: i32, file: &str| std::fs::read(format!("/proc/{pid}/{file}")).ok();
    let supervisor = read(running.pid(), "cmdline");
    // Within its exec a process has no argument list for a moment.
    if supervisor.as_ref().is_none_or(Vec::is_empty) {
        return;
    }
    for process in running.family() {
        let words = read(process.pid, "cmdline");
        // The supervisor itself, or a child of it that has not yet become a worker: it still has
        // the supervisor's memory, which is what the user gave to the supervisor.
        if words.is_none() || words == supervisor {
            continue;
        }
        seen.extend(words);
        seen.extend(read(process.pid, "environ"));
    }
}

/// Runs a build of one wheel with a credential in it and sees that the credential appears nowhere.
fn keeps<'world, 'site>(run: Run<'world, 'site>, marker: &str) -> Outcome<'world, 'site> {
    let done = keeps_all(run, marker);
    done.built("thing-1.0-py3-none-any.whl");
    done
}

/// The same for any number of wheels.
fn keeps_all<'world, 'site>(run: Run<'world, 'site>, marker: &str) -> Outcome<'world, 'site> {
    let mut running = run.args(["-v", "-v"]).start();
    let mut seen = BTreeSet::new();
    let folder = running.wait_until_ready_looking(|running| read_processes(running, &mut seen));
    read_processes(&running, &mut seen);
    assert!(seen.len() > 1, "argument lists were seen");
    release(&folder, "{}");
    let done = running.finish();
    done.succeeds();
    is_kept(&done, marker);
    let repeated = seen
        .iter()
        .find(|words| search::holds(words, marker.as_bytes()));
    assert!(
        repeated.is_none(),
        "a worker was told: {:?}",
        repeated.map(|words| String::from_utf8_lossy(words))
    );
    done
}

#[track_caller]
fn is_kept(done: &Outcome<'_, '_>, marker: &str) {
    assert_eq!(done.tells(marker), None, "{done}");
    assert_eq!(
        done.tells(&BASE64_STANDARD.encode(format!("user:{marker}"))),
        None,
        "{done}"
    );
}

fn index_is<'world, 'site>(world: &'world World<'site>, url: &str) -> Run<'world, 'site> {
    let default = ["--default-index", &world.index.url()];
    world
        .wheel("thing==1.0")
        .without(&default)
        .args(["--default-index", url])
}

#[test]
fn the_password_of_an_index_url_appears_nowhere() {
    let (world, marker) = (world(), secret());
    world
        .index
        .sdist(&waiting())
        .wants_login(login(&marker).trim_start_matches("Basic "));
    keeps(
        index_is(&world, &world.index.with_login("user", &marker)),
        &marker,
    );
}

#[test]
fn a_password_of_netrc_appears_nowhere() {
    let (world, marker) = (world(), secret());
    world
        .index
        .sdist(&waiting())
        .wants_login(login(&marker).trim_start_matches("Basic "));
    let netrc = world.file(
        "secrets/netrc",
        format!("machine 127.0.0.1\nlogin user\npassword {marker}\n"),
    );
    std::fs::set_permissions(&netrc, PermissionsExt::from_mode(0o600)).expect("an own file");
    keeps(world.wheel("thing==1.0").env("NETRC", &netrc), &marker);
}

/// Offers a wheel and the source that it depends on, to whom logs in alone.
fn offer_to_users(world: &World<'_>, marker: &str) {
    let top = Wheel::new("top", "1.0").header("Requires-Dist: thing");
    let index = world.index.wheel(&top).sdist(&waiting());
    index.wants_login(login(marker).trim_start_matches("Basic "));
}

/// Makes the wheel and what it depends on, from an index of this address.
fn whole<'world, 'site>(world: &'world World<'site>, url: &str) -> Run<'world, 'site> {
    let default = ["--default-index", &world.index.url()];
    let run = world.run(["wheel", "top"]).places().report();
    run.without(&default).args(["--default-index", url])
}

#[track_caller]
fn has_whole(done: &Outcome<'_, '_>) {
    let mut names: Vec<_> = done.report().wheels.into_iter().collect();
    names.sort_by(|one, other| one.filename.cmp(&other.filename));
    let names: Vec<_> = names.iter().map(|wheel| wheel.filename.as_str()).collect();
    let expected = ["thing-1.0-py3-none-any.whl", "top-1.0-py3-none-any.whl"];
    assert_eq!(names, expected, "{done}");
}

#[test]
fn logins_of_a_url_and_of_netrc_reach_dependencies_and_appear_nowhere() {
    let (world, marker) = (world(), secret());
    offer_to_users(&world, &marker);
    let url = world.index.with_login("user", &marker);
    has_whole(&keeps_all(whole(&world, &url), &marker));
    let (world, marker) = (crate::world(), secret());
    offer_to_users(&world, &marker);
    let netrc = world.file(
        "secrets/netrc",
        format!("machine 127.0.0.1 login user password {marker}\n"),
    );
    let run = whole(&world, &world.index.url()).env("NETRC", &netrc);
    has_whole(&keeps_all(run, &marker));
}

/// A program named keyring in a folder of PATH, which has the password of `user` and writes down what it
/// is asked and what it sees.
struct Keyring {
    path: OsString,
    told: PathBuf,
    seen: PathBuf,
}

impl Keyring {
    fn new(world: &World<'_>, folder: &str, marker: &str) -> Self {
        let password = world.file("secrets/password", format!("{marker}\n"));
        let [told, seen] = ["told", "seen"].map(|name| world.folder("secrets").join(name));
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>{}\ncat /proc/$$/environ /proc/$$/cmdline >>{}\n\
             [ \"$3\" = user ] && cat {}\n",
            told.display(),
            seen.display(),
            password.display()
        );
        let program = world.file(format!("{folder}/keyring"), script);
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("an own file");
        let mut path = OsString::from(world.folder(folder));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        Self { path, told, seen }
    }

    /// What it was asked, a line each.
    fn told(&self) -> String {
        std::fs::read_to_string(&self.told).unwrap_or_default()
    }
}

/// Names the user in the address of the index.
fn of_user(world: &World<'_>) -> String {
    world.index.url().replace("http://", "http://user@")
}

#[test]
fn a_password_of_the_keyring_is_asked_for_once_and_appears_nowhere() {
    let (world, marker) = (world(), secret());
    offer_to_users(&world, &marker);
    let keyring = Keyring::new(&world, "bin", &marker);
    let run = whole(&world, &of_user(&world))
        .args(["--keyring-provider", "subprocess"])
        .env("PATH", &keyring.path)
        .env("OTHER", &marker);
    has_whole(&keeps_all(run, &marker));
    let address = world.index.url();
    let expected = format!("get {} user\n", address.trim_end_matches('/'));
    assert_eq!(keyring.told(), expected);
    let seen = std::fs::read(&keyring.seen).expect("it was run");
    assert!(search::holds(&seen, b"HOME="), "it has a home");
    assert!(
        !search::holds(&seen, marker.as_bytes()),
        "no other variable, and no password among its arguments"
    );
    let refused = world.index.all_requests().into_iter();
    let refused =
        refused.filter(|request| request.header("authorization") != Some(&login(&marker)));
    assert_eq!(
        refused.count(),
        1,
        "later requests bring the password along"
    );
}

#[test]
fn a_keyring_without_a_password_is_an_error_that_names_no_user() {
    let (world, marker) = (world(), secret());
    offer_to_users(&world, &marker);
    let keyring = Keyring::new(&world, "bin", &marker);
    let url = of_user(&world).replace("user", "somebody");
    let run = whole(&world, &url).env("PATH", &keyring.path);
    let done = run.env("FUMEHOOD_KEYRING_PROVIDER", "subprocess").finish();
    done.exits_with(Code::Unauthorized);
    assert!(done.stderr.contains("keyring set"), "{done}");
    assert_eq!(done.tells("somebody"), None, "{done}");
    assert_eq!(keyring.told().lines().count(), 1, "{done}");
}

#[test]
fn no_keyring_is_run_by_the_word_of_a_project_or_from_its_folder() {
    let (world, marker) = (world(), secret());
    offer_to_users(&world, &marker);
    let keyring = Keyring::new(&world, "work/bin", &marker);
    world.file("work/fumehood.toml", "keyring-provider = \"subprocess\"\n");
    let run = || whole(&world, &of_user(&world)).env("PATH", &keyring.path);
    let done = run().finish();
    done.exits_with(Code::Unauthorized);
    assert!(done.stderr.contains("`keyring-provider`"), "{done}");
    let done = run().args(["--keyring-provider", "subprocess"]).finish();
    done.exits_with(Code::Unauthorized);
    assert!(done.stderr.contains("on PATH"), "{done}");
    assert_eq!(keyring.told(), "");
}

#[test]
fn the_password_of_a_proxy_appears_nowhere() {
    let (world, marker) = (world(), secret());
    world.index.sdist(&waiting());
    let proxy = world
        .index
        .with_login("user", &marker)
        .replace("/simple/", "");
    let run = index_is(&world, "http://index.example.invalid/simple/").env("HTTP_PROXY", &proxy);
    keeps(run.env("http_proxy", &proxy), &marker);
    let requests = world.index.all_requests();
    assert!(
        requests
            .iter()
            .all(|request| request.path.starts_with("http://index.example.invalid/"))
    );
    assert!(
        requests
            .iter()
            .all(|request| request.header("proxy-authorization") == Some(&login(&marker)))
    );
}

#[test]
fn the_value_of_a_declared_variable_reaches_the_build_and_appears_nowhere() {
    let (world, marker) = (world(), secret());
    world.index.sdist(&waiting());
    let mut running = world
        .wheel("thing==1.0")
        .args(["--allow-env", "DECLARED"])
        .env("DECLARED", &marker)
        .start();
    let folder = running.wait_until_ready();
    release(&folder, "{}");
    let done = running.finish();
    done.built("thing-1.0-py3-none-any.whl");
    is_kept(&done, &marker);
    let told = search::member(&world.out().join("thing-1.0-py3-none-any.whl"), "told");
    assert_eq!(
        String::from_utf8_lossy(&told),
        search::sha256(marker.as_bytes()),
        "{done}"
    );
}

#[test]
fn credentials_of_an_index_go_to_no_other_host() {
    let (world, marker) = (world(), secret());
    let sdist = Sdist::hello("thing", "1.0");
    let elsewhere = Index::start();
    elsewhere.sdist(&sdist);
    world.index.sdist(&sdist);
    let target = elsewhere.file_url("thing-1.0.tar.gz");
    world
        .index
        .fault("/files/thing-1.0.tar.gz", Fault::Redirect(target));
    let done = index_is(&world, &world.index.with_login("user", &marker)).finish();
    done.built(&sdist.wheel());
    let requests = elsewhere.all_requests();
    assert_eq!(requests.len(), 1, "{done}");
    assert_eq!(requests[0].header("authorization"), None, "{done}");
}

#[test]
fn an_error_about_an_index_does_not_show_its_password() {
    let (world, marker) = (world(), secret());
    world.index.fault("/simple/thing/", Fault::Status(403));
    let done = index_is(&world, &world.index.with_login("user", &marker))
        .args(["-v", "-v"])
        .finish();
    assert_eq!(done.code, Some(8), "{done}");
    is_kept(&done, &marker);
}

#[test]
fn a_public_host_can_not_send_the_supervisor_to_a_private_one() {
    let world = world();
    world.index.sdist(&Sdist::hello("thing", "1.0"));
    let page = "http://index.example.invalid/simple/thing/";
    world
        .index
        .fault(page, Fault::Redirect(world.index.at("/simple/thing/")));
    let proxy = world.index.at("");
    let run = index_is(&world, "http://index.example.invalid/simple/").env("HTTP_PROXY", &proxy);
    run.env("http_proxy", &proxy)
        .env("NO_PROXY", "127.0.0.1")
        .finish()
        .fails_with(Code::Redirect);
    assert_eq!(
        world.index.requests("/simple/thing/"),
        0,
        "the private host was asked"
    );
}
