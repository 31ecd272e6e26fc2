//! What would let a build do what it was refused: the narrowest grant, a policy that has it, or nothing.

use std::path::{Path, PathBuf};

use protocol::{AbsPath, Access, Touch};

use crate::guard;

/// What would allow a refused touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// This grant, and no narrower one.
    Grant {
        /// The path, in its one spelling.
        path: AbsPath,
        /// What it has to allow.
        access: Access,
    },
    /// The built-in policy of this name grants it.
    Policy(&'static str),
    /// Nothing that could be proposed; the reason.
    Never(&'static str),
}

/// What no proposed grant may reach, because of whose it is.
#[derive(Clone, Debug, Default)]
pub struct OffLimits {
    /// Homes, of the caller and others.
    pub homes: Vec<PathBuf>,
    /// Where caches and scratches are.
    pub caches: Vec<PathBuf>,
}

const HOMES: [&str; 3] = ["/root", "/home", "/Users"];
/// Where the sockets of the host's services lie.
const SOCKETS: [&str; 2] = ["/run", "/var/run"];
const FACTS: [&str; 5] = [
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
    "/sys/devices/system/cpu",
];

const HOME: &str =
    "it lies in a home, which holds its owner's secrets; give the build a copy outside of it";
const CACHE: &str = "the cache and its scratches hold other projects' files";

/// Says what would allow `touch` of `path`, whose links are resolved.
#[must_use]
pub fn remedy(touch: Touch, path: &Path, off_limits: &OffLimits) -> Remedy {
    let below = |folders: &[PathBuf]| folders.iter().any(|folder| path.starts_with(folder));
    let within = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    // A grant of a folder gives all below it, so one above what is off limits reaches it as well.
    let above = |folders: &[PathBuf]| folders.iter().any(|folder| folder.starts_with(path));
    if below(&off_limits.caches) || above(&off_limits.caches) {
        return Remedy::Never(CACHE);
    }
    if touch == Touch::Write && !path.starts_with(guard::SHARED_MEMORY) {
        return Remedy::Never("a build writes into its own rooms only; TMPDIR names one of them");
    }
    if within(&FACTS) || path.starts_with(guard::SHARED_MEMORY) {
        return match touch {
            Touch::Execute => Remedy::Never("nothing there is a program"),
            _ => Remedy::Policy("native"),
        };
    }
    if below(&off_limits.homes) || above(&off_limits.homes) || within(&HOMES) {
        return Remedy::Never(HOME);
    }
    if path.starts_with("/proc") {
        return Remedy::Never("/proc shows other processes and the machine");
    }
    if within(&["/sys", "/dev"]) {
        return Remedy::Never("it is the machine itself, not a file that a package is made from");
    }
    if within(&SOCKETS) {
        return Remedy::Never("the sockets and secrets of the host's services lie there");
    }
    let access = match touch {
        Touch::Execute => Access::ReadExecute,
        Touch::Read | Touch::Write => Access::Read,
    };
    match path.to_str().map(guard::path_of_a_policy) {
        Some(Ok(path)) => Remedy::Grant { path, access },
        Some(Err(_)) => Remedy::Never("it holds secrets, or other people's files"),
        None => Remedy::Never("its name is not UTF-8 text, so no policy can write it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(touch: Touch, path: &str) -> Remedy {
        let off_limits = OffLimits {
            homes: vec!["/srv/people/ada".into()],
            caches: vec!["/data/cache".into()],
        };
        remedy(touch, path.as_ref(), &off_limits)
    }

    fn grant(path: &str, access: Access) -> Remedy {
        Remedy::Grant {
            path: AbsPath::new(path).unwrap(),
            access,
        }
    }

    #[test]
    fn the_narrowest_grant_is_of_that_one_path() {
        for (touch, access) in [
            (Touch::Read, Access::Read),
            (Touch::Execute, Access::ReadExecute),
        ] {
            assert_eq!(of(touch, "/opt/kit/data"), grant("/opt/kit/data", access));
        }
    }

    #[test]
    fn facts_of_the_processor_are_granted_by_the_policy_native() {
        for path in [
            "/proc/cpuinfo",
            "/sys/devices/system/cpu/online",
            "/dev/shm/x",
        ] {
            assert_eq!(of(Touch::Read, path), Remedy::Policy("native"));
        }
        assert_eq!(of(Touch::Write, "/dev/shm/x"), Remedy::Policy("native"));
    }

    #[test]
    fn nothing_is_proposed_that_reaches_a_home_the_kernel_sockets_caches_or_secrets() {
        for path in [
            "/root/.config/x",
            "/home/ada/data",
            "/home",
            "/srv/people/ada/x",
            "/srv/people",
            "/proc/1/environ",
            "/proc/self/status",
            "/sys/kernel/x",
            "/dev/sda",
            "/run/docker.sock",
            "/var/run/x",
            "/data/cache/wheels-v1/x",
            "/data/cache/abcdef/s/x",
            "/data",
            "/",
            "/tmp",
            "/etc",
            "/etc/shadow",
            "/opt/x/.ssh/id",
        ] {
            for touch in [Touch::Read, Touch::Execute, Touch::Write] {
                let remedy = of(touch, path);
                assert!(matches!(remedy, Remedy::Never(_)), "{path}: {remedy:?}");
            }
        }
    }

    #[test]
    fn a_build_is_never_offered_to_write_outside() {
        let remedy = of(Touch::Write, "/opt/kit/data");
        assert!(matches!(remedy, Remedy::Never(_)), "{remedy:?}");
    }

    #[test]
    fn every_policy_that_is_named_grants_it() {
        for path in FACTS {
            let Remedy::Policy(name) = of(Touch::Read, path) else {
                panic!("{path} has no policy");
            };
            let text = crate::Policy::builtin(name).unwrap().explain();
            assert!(text.contains(path), "{name} does not speak of {path}");
        }
    }
}
