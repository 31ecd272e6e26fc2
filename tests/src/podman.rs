//! A real container engine: podman with crun, on the host's own files as the image.
//!
//! Only root can set it up, in mounts of its own. Nothing is written to the host but what a test mounts: the image is an
//! overlay of `/` that ends with the run. How it was found to run here is in the comments of the script.

mod image;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::world::World;
pub use image::IMAGE;

/// The engine's own filter, as Debian installs it.
const FILTER: &str = "/usr/share/containers/seccomp.json";

/// What Docker's default filter refuses to programs without capabilities and podman's does not.
const REFUSED: [&str; 18] = [
    "add_key",
    "keyctl",
    "request_key",
    "clone",
    "clone3",
    "unshare",
    "setns",
    "mount",
    "umount",
    "umount2",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "fsconfig",
    "fspick",
    "pivot_root",
];
/// The flags of `clone` that make namespaces.
const NAMESPACE_FLAGS: u64 = 0x7E02_0000;

/// Which system-call filter a container gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The engine's default.
    Default,
    /// The engine's default without namespaces, mounts and keyrings, as Docker has it.
    LikeDocker,
}

/// An engine that can run containers on this world's folders.
#[derive(Debug)]
pub struct Podman<'world, 'site> {
    world: &'world World<'site>,
    folder: PathBuf,
}

/// What came of a container.
#[derive(Debug)]
pub struct Contained(Output);

impl<'world, 'site> Podman<'world, 'site> {
    /// Returns the engine; where there is none, or nobody to run it, that is noted as not run.
    ///
    /// # Panics
    /// When its files can not be written.
    #[must_use]
    pub fn find(world: &'world World<'site>) -> Option<Self> {
        if !["podman", "crun", "unshare"]
            .iter()
            .all(|name| world.has_program(name))
        {
            return None;
        }
        if nix::unistd::geteuid().as_raw() != 0 {
            world.site.unrun.note("root, for podman");
            return None;
        }
        let folder = world.folder("podman");
        for name in ["image", "overlay"] {
            world.folder(format!("podman/{name}"));
        }
        fs::write(folder.join("filter.json"), like_docker().to_string()).expect("an own file");
        Some(Self { world, folder })
    }

    /// Runs a shell script in which `docker` is this engine and `IMAGE` its image. The script sees the world's working
    /// folder, and the index on the loopback unless it says `--network none`.
    ///
    /// # Panics
    /// When the engine can not be started.
    #[must_use]
    pub fn script(&self, text: &str, filter: Filter) -> Contained {
        let folder = self.folder.display();
        let profile = match filter {
            Filter::Default => String::new(),
            Filter::LikeDocker => format!("--security-opt seccomp={folder}/filter.json"),
        };
        let network = if text.contains("--network") {
            ""
        } else {
            "--network host"
        };
        let variables = self.variables();
        // Hybrid control groups are refused by crun, and the default limits are above those of small hosts.
        let docker = format!(
            "docker() {{ shift; podman run --cgroups=disabled --read-only-tmpfs=false --ulimit nofile=1024:1024 \
             --ulimit nproc=4096:4096 {network} {profile} {variables} \"$@\"; }}"
        );
        let text = text.replace("IMAGE", &format!("--rootfs {folder}/image"));
        let whole = format!(
            "set -e\n\
             mount -t tmpfs tmpfs {folder}/overlay\n\
             mkdir {folder}/overlay/upper {folder}/overlay/work\n\
             mount -t overlay -o lowerdir=/,upperdir={folder}/overlay/upper,workdir={folder}/overlay/work \
             overlay {folder}/image\n\
             if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi\n\
             cp {program} {folder}/image/usr/local/bin/fumehood\n\
             chmod 755 {folder}/image/usr/local/bin/fumehood\n\
             {docker}\n{text}\n",
            program = self.world.program().display(),
        );
        self.run(&whole)
    }

    /// Runs a shell script in mounts of its own.
    fn run(&self, whole: &str) -> Contained {
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", whole])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.world.folder("work"))
            .output()
            .expect("unshare starts");
        Contained(output)
    }

    /// The container's environment: no home, and what a test decides instead of the page's reader.
    fn variables(&self) -> String {
        let python = self.world.python().path.display().to_string();
        let folder = Path::new(&python).parent().unwrap_or(Path::new("/usr/bin"));
        format!(
            "--unsetenv-all --env PATH=/usr/local/bin:{}:/usr/bin:/bin --env HOME= --env FUMEHOOD_DEFAULT_INDEX={}",
            folder.display(),
            self.world.index.url()
        )
    }
}

/// Returns the engine's filter without what Docker's refuses.
fn like_docker() -> Value {
    let text = fs::read_to_string(FILTER).expect("the engine's filter");
    let mut filter: Value = serde_json::from_str(&text).expect("the filter is JSON");
    let rules = filter["syscalls"].as_array_mut().expect("a list of rules");
    for rule in rules.iter_mut() {
        let names = rule["names"].as_array_mut().expect("a list of names");
        names.retain(|name| name.as_str().is_none_or(|name| !REFUSED.contains(&name)));
    }
    // What tracing asks for besides stays refused to whoever may trace: that is the judge alone.
    let is_for_tracers = |rule: &Value| {
        let capabilities = rule["includes"]["caps"].as_array();
        capabilities.is_some_and(|all| all.iter().any(|one| one == "CAP_SYS_PTRACE"))
    };
    rules.retain(|rule| {
        let names = rule["names"].as_array();
        names.is_some_and(|names| !names.is_empty()) && !is_for_tracers(rule)
    });
    rules.push(json!({
        "names": ["clone"], "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 0, "value": NAMESPACE_FLAGS, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
    }));
    rules
        .push(json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "args": []}));
    filter
}

impl Contained {
    /// It ended well; returns its standard output.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    #[must_use]
    pub fn succeeds(&self) -> String {
        assert!(self.0.status.success(), "{self}");
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    /// What it said.
    #[must_use]
    pub fn talk(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }
}

impl fmt::Display for Contained {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        write!(
            out,
            "\n{}\n--- standard output\n{}\n--- standard error\n{}",
            self.0.status,
            text(&self.0.stdout),
            text(&self.0.stderr)
        )
    }
}
