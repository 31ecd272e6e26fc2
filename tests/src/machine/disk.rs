//! The machine's disk: a root file system by debootstrap, kernels by apt, and the suite's programs.
//!
//! Everything lies below one folder of the caller's. The root file system is made once; the image, which has the programs
//! of this build in it, before every run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::found::Wish;

/// Where the suite's programs lie in the machine.
const SUITE: &str = "/suite";
/// The machine's first process.
pub(super) const PROGRAM: &str = "/suite/machines";
/// Programs of the host that are needed.
const NEEDED: [&str; 7] = [
    "debootstrap",
    "qemu-system-x86_64",
    "mke2fs",
    "chroot",
    "apt-get",
    "apt-cache",
    "nice",
];
/// Programs of the suite that are needed.
const PROGRAMS: [&str; 4] = ["machines", "fumehood-under-test", "warden", "older-worker"];
/// What the machine has besides the smallest system.
const PACKAGES: &str = "--include=ca-certificates,python3,kmod";
const SIZE: &str = "8G";

/// The names of what this host lacks to make and run a machine.
#[must_use]
pub fn lacking() -> Vec<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .collect();
    let is_there = |name: &&str| folders.iter().any(|folder| folder.join(name).is_file());
    let mut lacking: Vec<_> = NEEDED.into_iter().filter(|name| !is_there(name)).collect();
    if !nix::unistd::geteuid().is_root() {
        lacking.push("root, for debootstrap");
    }
    lacking
}

/// One archive of Debian packages that this host uses.
struct Archive {
    uri: String,
    release: String,
    components: Vec<String>,
}

/// A disk below a folder.
#[derive(Debug)]
pub struct Disk {
    work: PathBuf,
}

impl Disk {
    /// A disk below `work`, which is made.
    ///
    /// # Errors
    /// If it can not be made.
    pub fn below(work: &Path) -> Result<Self, String> {
        fs::create_dir_all(work).map_err(|error| format!("{}: {error}", work.display()))?;
        let work = fs::canonicalize(work).map_err(|error| error.to_string())?;
        Ok(Self { work })
    }

    /// The folder.
    #[must_use]
    pub fn work(&self) -> &Path {
        &self.work
    }

    fn root(&self) -> PathBuf {
        self.work.join("root")
    }

    /// Makes the root file system, unless it is there.
    ///
    /// # Errors
    /// With the last words of the program that failed.
    pub fn make_root(&self) -> Result<(), String> {
        let made = self.work.join("root.made");
        if made.exists() {
            return Ok(());
        }
        let root = self.root();
        if root.exists() {
            fs::remove_dir_all(&root).map_err(|error| error.to_string())?;
        }
        let archives = archives()?;
        let first = archives
            .first()
            .ok_or("apt of this host has no archive of Debian's")?;
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", PACKAGES, &first.release]);
        run(debootstrap.arg(&root).arg(&first.uri))?;
        let sources: String = archives
            .iter()
            .map(|one| {
                let components = one.components.join(" ");
                format!("deb {} {} {components}\n", one.uri, one.release)
            })
            .collect();
        fs::write(root.join("etc/apt/sources.list"), sources).map_err(|error| error.to_string())?;
        let inside = |words: &[&str]| {
            let mut command = Command::new("chroot");
            command.env("DEBIAN_FRONTEND", "noninteractive");
            run(command.arg(&root).args(words))
        };
        inside(&["apt-get", "-q", "update"])?;
        let names = inside(&["apt-cache", "pkgnames", "linux-image-"])?;
        let mut install = vec!["apt-get", "-qy", "--no-install-recommends", "install"];
        install.extend(["initramfs-tools", "iproute2"]);
        install.extend(names.lines().filter(|name| is_kernel(name)));
        inside(&install)?;
        inside(&["apt-get", "clean"])?;
        fs::write(made, "").map_err(|error| error.to_string())
    }

    /// The releases of the kernels that were installed, the oldest first.
    ///
    /// # Errors
    /// If the root file system can not be read.
    pub fn kernels(&self) -> Result<Vec<String>, String> {
        let boot = fs::read_dir(self.root().join("boot")).map_err(|error| error.to_string())?;
        let mut releases: Vec<_> = boot
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                Some(name.strip_prefix("vmlinuz-")?.to_owned())
            })
            .collect();
        releases.sort_by_key(|release| numbers(release));
        Ok(releases)
    }

    /// Makes the image: the root file system with the programs beside `program`, the suite's files where they are here,
    /// and what is wanted.
    ///
    /// # Errors
    /// If something can not be copied.
    pub fn make_image(&self, program: &Path, wish: &Wish) -> Result<(), String> {
        let root = self.root();
        let suite = root.join(SUITE.trim_start_matches('/'));
        drop(fs::remove_dir_all(&suite));
        fs::create_dir(&suite).map_err(|error| error.to_string())?;
        for name in PROGRAMS {
            let source = program.with_file_name(name);
            fs::copy(&source, suite.join(name))
                .map_err(|error| format!("{}: {error}", source.display()))?;
        }
        let wish = serde_json::to_vec(wish).map_err(|error| error.to_string())?;
        fs::write(suite.join("wish.json"), wish).map_err(|error| error.to_string())?;
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let there = root.join(tests.strip_prefix("/").map_err(|error| error.to_string())?);
        drop(fs::remove_dir_all(&there));
        fs::create_dir_all(&there).map_err(|error| error.to_string())?;
        for folder in ["backends", "scripts", "escape"] {
            run(Command::new("cp")
                .arg("-r")
                .arg(tests.join(folder))
                .arg(&there))?;
        }
        let image = self.work.join("image");
        drop(fs::remove_file(&image));
        let mut mke2fs = Command::new("mke2fs");
        mke2fs.args(["-q", "-t", "ext4", "-d"]).arg(&root);
        run(mke2fs.arg(&image).arg(SIZE)).map(drop)
    }
}

/// Whether a package is one that stands for the newest build of a kernel: `linux-image-6.12-amd64`.
fn is_kernel(name: &str) -> bool {
    let version = name
        .strip_prefix("linux-image-")
        .and_then(|rest| rest.strip_suffix("amd64"));
    version.is_some_and(|version| {
        let version = version.trim_end_matches('-');
        version
            .bytes()
            .all(|sign| sign.is_ascii_digit() || sign == b'.')
            && version.matches('.').count() <= 1
    })
}

/// The numbers that a release begins with.
fn numbers(release: &str) -> Vec<u32> {
    let plain = release.split(|sign: char| !sign.is_ascii_digit());
    plain.map_while(|number| number.parse().ok()).collect()
}

/// The archives of Debian's that apt of this host uses, in its order.
fn archives() -> Result<Vec<Archive>, String> {
    let mut indextargets = Command::new("apt-get");
    indextargets.args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
        "Origin: Debian",
    ]);
    let text = run(&mut indextargets)?;
    let mut archives: Vec<Archive> = Vec::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[uri, release, component] = words.as_slice() else {
            continue;
        };
        let same = |one: &&mut Archive| one.uri == uri && one.release == release;
        match archives.iter_mut().find(same) {
            Some(archive) => archive.components.push(component.to_owned()),
            None => archives.push(Archive {
                uri: uri.to_owned(),
                release: release.to_owned(),
                components: vec![component.to_owned()],
            }),
        }
    }
    Ok(archives)
}

/// Runs a command to its end and returns what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name} can not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<_> = text.lines().chain(said.lines()).collect();
    let last = last[last.len().saturating_sub(8)..].join("\n");
    Err(format!("{name}: {}\n{last}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_stand_for_kernels_are_told_from_those_that_are_one_build() {
        for name in ["linux-image-amd64", "linux-image-6.12-amd64"] {
            assert!(is_kernel(name), "{name}");
        }
        for name in [
            "linux-image-6.1.0-57-amd64",
            "linux-image-6.12-cloud-amd64",
            "linux-image-6.12-amd64-dbg",
            "linux-image-rt-amd64",
        ] {
            assert!(!is_kernel(name), "{name}");
        }
    }

    #[test]
    fn releases_are_ordered_by_their_numbers() {
        let mut releases = ["6.12.117+deb12-amd64", "6.1.0-57-amd64", "6.1.0-9-amd64"];
        releases.sort_by_key(|release| numbers(release));
        assert_eq!(
            releases,
            ["6.1.0-9-amd64", "6.1.0-57-amd64", "6.12.117+deb12-amd64"]
        );
    }
}
