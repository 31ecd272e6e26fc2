//! Everything a worker is told, from the settings, the environment and the scratch. Pure.

use environment::{Environment, folders_to_run};
use model::PythonFacts;
use policies::{Compiled, Places};
use protocol::{
    AbsPath, Access, Assignment, Confinement, Limits, Namespaces, Network, PathGrant, Program,
    Rooms, Slot, Top, Unpack,
};

use crate::error::BuildError;
use crate::furnished::BOUNDARIES;
use crate::hook;
use crate::local::Host;

/// Where the rooms appear at level `ns`.
pub(crate) const ROOMS_AT: &str = "/b";
/// Where the environment appears at level `ns`.
pub(crate) const ENVIRONMENT_AT: &str = "/e";

/// The one room of a slot, at level `ns` seen at [`ROOMS_AT`].
pub(crate) const SLOT_ROOM: &str = "b";
/// Builds that one interpreter serves: each takes a thread of it, and a stack, from the start.
const BUILDS_OF_A_SLOT: u32 = 12;

/// The rooms of a build: source, temporary files, home, output.
pub(crate) const ROOMS: [char; 4] = ['s', 't', 'h', 'o'];

/// Where things are, as the host and as the build sees them.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) namespaces: Namespaces,
    pub(crate) landlock: bool,
    pub(crate) build_uid: Option<u32>,
    pub(crate) scratch: AbsPath,
    pub(crate) must_not_open: AbsPath,
    /// Whether what the program opens and starts is recorded.
    pub(crate) trace: bool,
    /// Whether the scratch is a slot's, whose one room the rooms of builds are moved into.
    pub(crate) in_slot: bool,
}

impl Layout {
    /// Lays a build out on `host`.
    pub(crate) fn new(
        host: &Host,
        build_uid: Option<u32>,
        scratch: &std::path::Path,
        root: &std::path::Path,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            namespaces: host.namespaces,
            landlock: host.landlock,
            build_uid,
            scratch: AbsPath::new(scratch)?,
            must_not_open: AbsPath::new(root.join("CACHEDIR.TAG"))?,
            trace: false,
            in_slot: false,
        })
    }

    /// Returns a room as the build sees it.
    pub(crate) fn room(&self, letter: char) -> Result<AbsPath, BuildError> {
        Ok(self.rooms()?.join(letter.to_string())?)
    }

    /// Returns the folder of the rooms as the build sees it.
    fn rooms(&self) -> Result<AbsPath, BuildError> {
        Ok(match self.namespaces {
            Namespaces::None if self.in_slot => self.scratch.join(SLOT_ROOM)?,
            Namespaces::None => self.scratch.clone(),
            Namespaces::WithUser | Namespaces::WithoutUser => AbsPath::new(ROOMS_AT)?,
        })
    }

    /// Returns where the build sees an environment that lies at `path`.
    pub(crate) fn environment(&self, path: &std::path::Path) -> Result<AbsPath, BuildError> {
        Ok(match self.namespaces {
            Namespaces::None => AbsPath::new(path)?,
            Namespaces::WithUser | Namespaces::WithoutUser => AbsPath::new(ENVIRONMENT_AT)?,
        })
    }

    /// Puts an assignment together.
    pub(crate) fn assignment(
        &self,
        grants: Vec<PathGrant>,
        limits: Limits,
        unpack: Option<Unpack>,
        program: Option<Program>,
    ) -> Result<Assignment, BuildError> {
        let names = ROOMS.iter().map(char::to_string).collect();
        let (writable, seen_as, slot) = if self.in_slot {
            let fixtures = match self.namespaces {
                Namespaces::None => BOUNDARIES.map(str::to_owned).to_vec(),
                Namespaces::WithUser | Namespaces::WithoutUser => Vec::new(),
            };
            let slot = Slot {
                builds: BUILDS_OF_A_SLOT,
                rooms: names,
                fixtures,
            };
            (vec![SLOT_ROOM.to_owned()], AbsPath::new("/")?, Some(slot))
        } else {
            (names, AbsPath::new(ROOMS_AT)?, None)
        };
        Ok(Assignment {
            rooms: Rooms {
                scratch: self.scratch.clone(),
                writable,
                seen_as,
            },
            confinement: Confinement {
                namespaces: self.namespaces,
                build_uid: self.build_uid,
                landlock: self.landlock,
                landlock_floor: 1,
                network: Network::None,
                grants,
                must_not_open: self.must_not_open.clone(),
                trace: self.trace,
            },
            limits,
            unpack,
            program,
            slot,
        })
    }

    /// The variables that every program of a worker gets, besides those of its policy.
    pub(crate) fn variables(&self) -> Result<Vec<(String, String)>, BuildError> {
        Ok(vec![
            ("HOME".to_owned(), self.room('h')?.to_string()),
            ("TMPDIR".to_owned(), self.room('t')?.to_string()),
            (
                "XDG_CACHE_HOME".to_owned(),
                self.room('h')?.join(".cache")?.to_string(),
            ),
            // Cargo climbs for settings and workspaces, and fails where it finds one that it may not read.
            // It has no other word for the folder above which it does not look.
            ("__CARGO_TEST_ROOT".to_owned(), self.rooms()?.to_string()),
            // A repository around the cache is none of the project's.
            (
                "GIT_CEILING_DIRECTORIES".to_owned(),
                self.rooms()?.to_string(),
            ),
        ])
    }
}

/// The paths that an interpreter consists of: its program and what it reads, never a whole prefix,
/// which may be a home.
pub(crate) fn interpreter_places(facts: &PythonFacts) -> Result<Vec<AbsPath>, BuildError> {
    let mut paths = folders_to_run(facts);
    paths.push(facts.executable.clone());
    paths
        .into_iter()
        .map(|path| AbsPath::new(path).map_err(BuildError::from))
        .collect()
}

/// Compiles a policy for `environment`.
pub(crate) fn compile(
    policy: &policies::Policy,
    extras: &[policies::Extra],
    facts: &PythonFacts,
    environment: Option<(AbsPath, AbsPath)>,
) -> Result<Compiled, BuildError> {
    let exists = |path: &std::path::Path| path.exists();
    let places = Places {
        interpreter: interpreter_places(facts)?,
        environment,
        exists: &exists,
    };
    Ok(policy.compile(&places, extras)?)
}

/// The order to unpack a source.
pub(crate) fn unpack_order(
    archive: &std::path::Path,
    top: archive::Top,
) -> Result<Unpack, BuildError> {
    let budget = archive::Budget::default();
    Ok(Unpack {
        archive: AbsPath::new(archive)?,
        room: "s".to_owned(),
        top: match top {
            archive::Top::OneFolder => Top::OneFolder,
            archive::Top::Any => Top::Any,
            archive::Top::Bare => Top::Bare,
        },
        max_bytes: budget.bytes,
        max_members: budget.members,
    })
}

/// The program that serves hook calls out of `environment`: for one build, or, where the layout is a
/// slot's, the one that builds with `backend` are branched off from.
pub(crate) fn hook_program(
    layout: &Layout,
    environment: &Environment,
    variables: Vec<(String, String)>,
    (backend, subdirectory): (&str, Option<&str>),
) -> Result<Program, BuildError> {
    let seen_as = layout.environment(&environment.path)?;
    let python = seen_as.join("bin")?.join("python")?;
    let mut arguments = [&python.to_string(), "-I", "-c"]
        .map(str::to_owned)
        .to_vec();
    let directory = if layout.in_slot {
        arguments.extend([hook::SLOT, backend].map(str::to_owned));
        arguments.push(BUILDS_OF_A_SLOT.to_string());
        // No folder of a build's is there yet.
        AbsPath::new("/")?
    } else {
        arguments.push(hook::SHIM.to_owned());
        let source = layout.room('s')?;
        match subdirectory {
            Some(subdirectory) => source.join(subdirectory)?,
            None => source,
        }
    };
    Ok(Program {
        arguments,
        path: python,
        environment: variables,
        directory,
        takes_calls: !layout.in_slot,
        input: None,
        output: None,
        talks: false,
    })
}

/// A grant to read (and execute) a folder of the host at its own place.
pub(crate) fn readable(path: &std::path::Path, access: Access) -> Result<PathGrant, BuildError> {
    Ok(PathGrant {
        path: AbsPath::new(path)?,
        seen_as: None,
        access,
        optional: false,
    })
}
