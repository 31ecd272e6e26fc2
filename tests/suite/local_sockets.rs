//! Unix sockets: a build reaches those that it owns itself, by the broker, and no others.

use std::collections::BTreeSet;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;

use protocol::Level;
use serde_json::{Value, json};
use tests::decoy::secret;
use tests::{Ear, Outcome, Prey, Sdist, Setting, World, hostile_in, release};

use crate::site;

#[test]
fn a_build_may_use_the_fork_server_of_multiprocessing() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::fixture("serves_forks").targets(&json!({}));
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        assert!(wheel.denials.is_empty(), "{done}");
    }
}

#[test]
fn a_build_that_connects_to_its_own_sockets_finds_them_as_it_would_outside() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        // The filter that denies namespaces denies what takes a copy of a descriptor as well.
        let copied = setting.level() == Level::Ns;
        let targets = json!({"options are copied": copied});
        let sdist = Sdist::fixture("talks_to_itself").targets(&targets);
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        let refused: BTreeSet<_> = wheel
            .denials
            .iter()
            .map(|denial| (denial.what.as_str(), denial.count))
            .collect();
        let expected = BTreeSet::from([("connect", 1), ("socket", 1)]);
        assert_eq!(refused, expected, "the link and the datagram: {done}");
    }
}

#[test]
fn a_full_backlog_holds_up_nobody_but_its_own_callers() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let sdist = Sdist::fixture("fills_a_backlog").targets(&json!({}));
        world.build(&sdist).finish().built(&sdist.wheel());
    }
}

/// Two sockets of the user's, one in a folder of its own.
struct Lures {
    ears: [Ear; 2],
    targets: Value,
}

impl Lures {
    fn lay(world: &World<'_>, ground: &Path) -> Self {
        let folder = world.folder(ground.join("folder"));
        let paths = [ground.join("socket"), folder.join("socket")];
        let ears = paths.each_ref().map(|path| Ear::stream(path));
        for path in &paths {
            world.give(path);
        }
        Self {
            ears,
            targets: json!({"socket": paths[0], "folder": folder}),
        }
    }
}

impl Prey for Lures {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        ["socket", "folder"].map(str::to_owned).into()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        let names = ["socket", "folder"];
        let heard = names
            .into_iter()
            .zip(&self.ears)
            .filter(|(_, ear)| ear.heard());
        heard.map(|(name, _)| name.to_owned()).collect()
    }
}

#[test]
fn a_socket_that_is_exchanged_for_a_link_in_ten_thousand_connects_never_leads_outside() {
    // Elsewhere no broker acts for a build.
    let settings = Setting::all(site());
    hostile_in(site(), &settings, "swaps_sockets", Lures::lay);
}

#[test]
fn a_refused_connect_is_reported_with_its_address_and_its_count() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let ground = world.folder("a");
        let paths = ["docker.sock", "bus", "agent.1234"].map(|name| ground.join(name));
        let ears: Vec<_> = paths.iter().map(|path| Ear::stream(path)).collect();
        for path in &paths {
            world.give(path);
            drop(UnixStream::connect(path).expect("the control gets through"));
        }
        for ear in &ears {
            assert!(ear.heard(), "the control was heard");
        }
        let knock = format!(
            "import socket\nfor path in {}:\n    for _ in range(3):\n        try:\n            \
             socket.socket(socket.AF_UNIX).connect(path)\n        except (PermissionError, FileNotFoundError):\n            continue\n        \
             raise AssertionError(path)",
            json!(paths)
        );
        let sdist = Sdist::hello("curious", "1.0").prologue(&knock);
        let done = world.build(&sdist).finish();
        let wheel = done.built(&sdist.wheel());
        for path in &paths {
            let target = format!("unix {}", path.display());
            let told = wheel
                .denials
                .iter()
                .find(|denial| denial.what == "connect" && denial.target == target);
            // The hooks that ask and that build import the backend each.
            let count = told.map_or(0, |denial| denial.count);
            assert!(count >= 3 && count % 3 == 0, "{target}: {done}");
        }
        assert!(ears.iter().all(|ear| !ear.heard()), "{done}");
    }
}

#[test]
fn a_build_can_not_call_a_socket_of_another_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let name = secret();
        let listening = Sdist::fixture("listens").targets(&json!({"name": name}));
        let mut listener = world.build(&listening).start();
        let folder = listener.wait_until_ready();
        let path = folder.join("open.sock");
        drop(UnixStream::connect(&path).expect("the control gets through by path"));
        let address = SocketAddr::from_abstract_name(&name).expect("a short name");
        // A network namespace has names of its own.
        let named = UnixStream::connect_addr(&address).is_ok();
        assert_eq!(named, setting.level() != Level::Ns, "{setting}");
        let calling = Sdist::fixture("connects_to_unix_sockets").targets(&json!({
            "stream": path, "stream through a link": path, "packets": path,
            "datagram": path, "datagram of a pair": path, "abstract": name,
        }));
        let other = World::new(site(), setting);
        let done = other.build(&calling).finish();
        done.built(&calling.wheel());
        release(&folder, "{}");
        let heard = listener.finish();
        heard.built(&listening.wheel());
        let callers = format!("callers: 1 by path, {} by name", u32::from(named));
        assert!(heard.tells(&callers).is_some(), "{callers}: {heard}{done}");
    }
}
