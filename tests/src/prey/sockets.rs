//! Sockets of the host, and those that a build could open to it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use serde_json::{Value, json};

use crate::decoy::secret;
use crate::{Ear, Held, Outcome, Prey, World, processes};

/// Sockets of the host: the harm is that something arrives.
#[derive(Debug)]
pub struct Ears {
    by_way: BTreeMap<&'static str, Ear>,
    targets: Value,
}

impl Ears {
    /// Lays it out.
    pub fn unix(world: &World<'_>, ground: &Path) -> Self {
        let at = |name: &str| ground.join(name);
        let name = secret();
        let by_way = BTreeMap::from([
            ("stream", Ear::stream(&at("agent.sock"))),
            ("stream through a link", Ear::stream(&at("docker.sock"))),
            ("packets", Ear::packets(&at("packets.sock"))),
            ("datagram", Ear::datagram(&at("log"))),
            ("datagram of a pair", Ear::datagram(&at("notify"))),
            ("abstract", Ear::abstract_stream(&name)),
        ]);
        for socket in ["agent.sock", "docker.sock", "packets.sock", "log", "notify"] {
            world.give(&at(socket));
        }
        let targets = json!({
            "stream": at("agent.sock"),
            "stream through a link": at("docker.sock"),
            "packets": at("packets.sock"),
            "datagram": at("log"),
            "datagram of a pair": at("notify"),
            "abstract": name,
        });
        Self { by_way, targets }
    }

    /// Lays it out.
    pub fn ports(world: &World<'_>, _: &Path) -> Self {
        let mut by_way = BTreeMap::from([
            ("tcp", Ear::tcp()),
            ("fast open", Ear::tcp()),
            ("mptcp", Ear::tcp()),
            ("shell", Ear::tcp()),
            ("udp", Ear::udp()),
            ("udp connected", Ear::udp()),
        ]);
        if world.has("IPv6 loopback") {
            by_way.insert("tcp6", Ear::tcp6());
        }
        if !world.has("MPTCP") {
            by_way.remove("mptcp");
        }
        let ports: BTreeMap<_, _> = by_way.iter().map(|(way, ear)| (*way, ear.port())).collect();
        Self {
            by_way,
            targets: json!(ports),
        }
    }
}

impl Prey for Ears {
    fn targets(&self) -> Value {
        self.targets.clone()
    }

    fn possible(&self) -> BTreeSet<String> {
        self.by_way.keys().map(|way| (*way).to_owned()).collect()
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.by_way
            .iter()
            .filter(|(_, ear)| ear.heard())
            .map(|(way, _)| (*way).to_owned())
            .collect()
    }
}

/// Sockets that the deed itself holds open: the harm is that they are there, or that the test gets in.
#[derive(Debug, Default)]
pub struct Doors {
    found: BTreeSet<String>,
}

impl Prey for Doors {
    const HOLDS: bool = true;

    fn targets(&self) -> Value {
        json!({})
    }

    fn possible(&self) -> BTreeSet<String> {
        ["a netlink socket", "a listening socket", "an open port"]
            .map(str::to_owned)
            .into()
    }

    fn look(&mut self, held: &Held) {
        for process in &held.processes {
            if !processes::socket_rows(process.pid, "netlink", 9).is_empty() {
                self.found.insert("a netlink socket".into());
            }
            for row in processes::socket_rows(process.pid, "tcp", 9) {
                self.found.insert("a listening socket".into());
                let port = row[1]
                    .rsplit_once(':')
                    .and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
                let port = port.expect("the second column ends with a port");
                if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                    self.found.insert("an open port".into());
                }
            }
        }
    }

    fn harm(&mut self, _: &Outcome<'_, '_>) -> BTreeSet<String> {
        self.found.clone()
    }
}
