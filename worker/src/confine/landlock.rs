//! Grants to a Landlock ruleset: every right that the running ABI knows is handled, what is asked
//! is required hard, and the kernel's answer is checked.

use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use protocol::{Access, Fault, Network, Step};

use crate::error::{At, fault};
use crate::left_out::{Layer, stands};
use crate::sys;

/// What the kernel can do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Support {
    /// The ABI that the kernel runs; 0 without Landlock.
    pub(crate) abi: u32,
    /// Bits of fixed errata.
    pub(crate) errata: u32,
}

impl Support {
    /// Asks the kernel, and takes no more of it than the ABI `at_most` has.
    pub(crate) fn ask(at_most: u32) -> Self {
        Self {
            abi: sys::landlock_version(1).unwrap_or(0).min(at_most),
            errata: sys::landlock_version(2).unwrap_or(0),
        }
    }

    /// Whether signals and abstract sockets can be scoped (ABI 6).
    pub(crate) fn scopes(self) -> bool {
        self.abi >= 6 && stands(Layer::Scopes)
    }
}

/// The rules of one domain, opened before the first restriction.
pub(crate) struct Domain {
    rules: Vec<(OwnedFd, BitFlags<AccessFs>, String)>,
    abi: ABI,
    network: Network,
}

impl Domain {
    /// Begins a domain without any grant of files.
    pub(crate) fn new(support: Support, network: Network) -> Self {
        Self {
            rules: Vec::new(),
            abi: ABI::from(i32::try_from(support.abi).unwrap_or(0)),
            network,
        }
    }

    /// Opens `path` and grants `access` below it. A missing path is an error unless `optional`.
    pub(crate) fn grant(
        &mut self,
        path: &Path,
        access: Access,
        optional: bool,
    ) -> Result<(), Fault> {
        let descriptor = match open(path, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP) if optional => {
                return Ok(());
            }
            Err(errno) => {
                return Err(errno).at(
                    Step::Landlock,
                    format!("open rule path `{}`", path.display()),
                );
            }
        };
        let found =
            fstat(&descriptor).at(Step::Landlock, format!("look at `{}`", path.display()))?;
        let is_folder = SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR;
        let mut rights = rights(access, self.abi);
        if !is_folder {
            rights &= AccessFs::from_file(self.abi);
        }
        self.rules
            .push((descriptor, rights, path.display().to_string()));
        Ok(())
    }
}

/// Translates an access word into the rights of `abi`.
fn rights(access: Access, abi: ABI) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let wanted = match access {
        Access::Read => read,
        Access::ReadExecute => read | AccessFs::Execute,
        Access::ReadWriteFile => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate,
        Access::ReadWrite => {
            AccessFs::from_all(abi)
                & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev)
        }
    };
    wanted & AccessFs::from_all(abi)
}

/// Enforces `domain` on this process, for good. Needs `no_new_privs`.
pub(crate) fn restrict(domain: Domain) -> Result<(), Fault> {
    let abi = domain.abi;
    let failed = |doing: &str, error: &dyn std::fmt::Display| {
        fault(Step::Landlock, format!("{doing}: {error}"))
    };
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if stands(Layer::LandlockFiles) {
        ruleset = ruleset
            .handle_access(AccessFs::from_all(abi))
            .map_err(|error| failed("handle file rights", &error))?;
    }
    // A right that is not handled is not taken away: TCP stays for who may reach out.
    let ports = abi >= ABI::V4 && domain.network == Network::None && stands(Layer::LandlockPorts);
    if ports {
        ruleset = ruleset
            .handle_access(AccessNet::from_all(abi))
            .map_err(|error| failed("handle network rights", &error))?;
    }
    let scopes = abi >= ABI::V6 && stands(Layer::Scopes);
    if scopes {
        ruleset = ruleset
            .scope(Scope::from_all(abi))
            .map_err(|error| failed("scope", &error))?;
    }
    // A domain that takes nothing away is none; only a test build comes to one.
    if !stands(Layer::LandlockFiles) && !ports && !scopes {
        return Ok(());
    }
    let mut created = ruleset
        .create()
        .map_err(|error| failed("create the ruleset", &error))?;
    let rules = domain.rules.into_iter();
    for (descriptor, rights, path) in rules.filter(|_| stands(Layer::LandlockFiles)) {
        created = created
            .add_rule(PathBeneath::new(descriptor, rights))
            .map_err(|error| failed(&format!("add the rule for `{path}`"), &error))?;
    }
    let status = created
        .restrict_self()
        .map_err(|error| failed("restrict", &error))?;
    if status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs {
        Ok(())
    } else {
        Err(fault(
            Step::Landlock,
            format!("the kernel enforced less than asked: {status:?}"),
        ))
    }
}
