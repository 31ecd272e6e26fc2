//! The same deeds inside a container: program, prey and judge share its processes, its network and its filter.
//!
//! The judge itself runs there, so that prey which is a process has a number that the deed knows, and what was done is
//! still seen from outside of the build. It alone may look at the processes of others; whom it starts has no more
//! capabilities than the engine gives by default. The engine is podman with the refusals of Docker's default filter.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::table::Column;
use crate::prey::Deed;
use crate::{Filter, Identity, Lacking, Namespaces, Podman, Runner, Setting, Site, World};

/// Where the suite's programs lie in the container.
const SUITE: &str = "/suite";

/// Tries deeds in a container; nothing where this host has no engine. `program` is the program `escape`.
///
/// # Panics
/// When the container does not come to its end.
#[must_use]
pub fn contained(site: &Site, program: &Path, deeds: &[Deed]) -> Option<Vec<Column>> {
    let setting = Setting {
        identity: Identity::Unprivileged,
        ..Setting::DENIED
    };
    let world = World::new(site, setting);
    let podman = Podman::find(&world)?;
    let shared = world.folder("work/t");
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o1777)).expect("an own folder");
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).display();
    let programs = program
        .parent()
        .expect("a program lies in a folder")
        .display();
    let only: Vec<_> = deeds
        .iter()
        .map(|deed| format!("--only {}", deed.fixture))
        .collect();
    let name = program.file_name().expect("a program has a name");
    let done = podman.script(
        &format!(
            "docker run --rm --network none --cap-add SYS_PTRACE -v {shared}:/tmp -v {programs}:{SUITE}:ro -v {tests}:{tests}:ro IMAGE \
             {SUITE}/{name} --inside /tmp/found.json {only}",
            shared = shared.display(),
            name = name.display(),
            only = only.join(" ")
        ),
        Filter::LikeDocker,
    );
    let _ = done.succeeds();
    let found = fs::read(shared.join("found.json")).expect("what was found inside");
    Some(serde_json::from_slice(&found).expect("columns as JSON"))
}

/// Tries deeds in the container in which this process is: the program as each user there is, and nothing at all.
///
/// # Panics
/// When what was found can not be written.
pub fn inside(site: &Site, deeds: &[Deed], file: &Path) {
    let root = Identity::Caller.uid() == 0;
    let identities = [Identity::Caller, Identity::Unprivileged];
    let identities = identities.into_iter().filter(|identity| {
        let fits = *identity == Identity::Caller || root;
        fits && site.find_python(*identity).is_some()
    });
    // The container refuses namespaces itself.
    let setting = |identity| Setting {
        identity,
        namespaces: Namespaces::Allowed,
        lacking: Lacking::Nothing,
    };
    let mut columns = Vec::new();
    let mut last = Identity::Caller;
    for identity in identities {
        let name = format!("uid {}, container", identity.uid());
        let tried = Column::try_all(site, &name, setting(identity), &Runner::Own, deeds);
        columns.push(tried);
        last = identity;
    }
    let alone = "container alone";
    let tried = Column::try_all(site, alone, setting(last), &Runner::Control, deeds);
    columns.push(tried);
    let found = serde_json::to_vec(&columns).expect("columns are JSON");
    fs::write(file, found).expect("what was found can be written");
}
