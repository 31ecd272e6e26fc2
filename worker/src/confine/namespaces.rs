//! Namespaces and the new root of level `ns`: what is not granted is not there.
//!
//! Mounts come before Landlock (a domain may not mount) and after the fork of the namespace's init
//! (`/proc` shows the namespace of the process that mounts it).

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{chdir, getegid, geteuid, pivot_root, sethostname};
use protocol::{Access, Assignment, Fault, Namespaces, Network, PathGrant, Step};

use super::privileges::end_with_parent;
use crate::error::{At, fault};
use crate::left_out::{Layer, stands};
use crate::rooms::{Room, temporary};
use crate::sys::{self, Fork};

/// Bytes of the private `/dev/shm`.
const SHARED_MEMORY: &str = "size=256m,mode=1777";

/// Files of `/proc` that speak of the host whatever the namespaces are.
const OF_THE_HOST: [&str; 8] = [
    "keys",
    "key-users",
    "timer_list",
    "sched_debug",
    "kallsyms",
    "kcore",
    "kmsg",
    "sys/kernel/random/boot_id",
];

/// Who goes on after [`enter`].
pub(crate) enum InNamespace {
    /// The process that becomes the reaper.
    Reaper,
    /// The process outside; the namespace has ended and this is its init's exit code.
    Outside(i32),
}

/// Enters the namespaces and forks their init, which goes on as the reaper.
pub(crate) fn enter(namespaces: Namespaces, network: Network) -> Result<InNamespace, Fault> {
    let mut all = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    // The names of control groups tell of units, containers and other builds. Not every kernel has groups.
    if Path::new("/proc/self/ns/cgroup").exists() {
        all |= CloneFlags::CLONE_NEWCGROUP;
    }
    if network == Network::None && stands(Layer::NetworkNamespace) {
        all |= CloneFlags::CLONE_NEWNET;
    }
    if !stands(Layer::IpcNamespace) {
        all.remove(CloneFlags::CLONE_NEWIPC);
    }
    if !stands(Layer::PidNamespace) {
        all.remove(CloneFlags::CLONE_NEWPID);
    }
    match namespaces {
        Namespaces::None => return Ok(InNamespace::Reaper),
        Namespaces::WithoutUser => unshare(all).at(Step::Namespaces, "unshare")?,
        Namespaces::WithUser => {
            let (uid, gid) = (geteuid(), getegid());
            unshare(all | CloneFlags::CLONE_NEWUSER).at(Step::Namespaces, "unshare")?;
            for (file, line) in [
                ("/proc/self/setgroups", "deny".to_owned()),
                ("/proc/self/uid_map", format!("{uid} {uid} 1")),
                ("/proc/self/gid_map", format!("{gid} {gid} 1")),
            ] {
                fs::write(file, line).at(Step::Namespaces, format!("write {file}"))?;
            }
        }
    }
    match sys::fork().at(Step::Namespaces, "fork the namespace's init")? {
        Fork::Child => {
            end_with_parent()?;
            Ok(InNamespace::Reaper)
        }
        Fork::Parent(init) => loop {
            match waitpid(init, None) {
                Ok(WaitStatus::Exited(_, code)) => return Ok(InNamespace::Outside(code)),
                Ok(WaitStatus::Signaled(..)) => return Ok(InNamespace::Outside(1)),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => {
                    return Err(errno).at(Step::Namespaces, "wait for the namespace's init");
                }
            }
        },
    }
}

/// One thing to bind into the new root.
struct Bind {
    source: OwnedFd,
    host: PathBuf,
    seen_as: PathBuf,
    kind: SFlag,
    writable: bool,
}

/// Builds a root that holds the grants, the rooms, a fresh `/proc` and a private `/dev/shm`, and
/// moves into it. The old root is gone afterwards.
pub(crate) fn new_root(assignment: &Assignment, rooms: &[Room]) -> Result<(), Fault> {
    let step = Step::Namespaces;
    mount(
        None::<&str>,
        "/",
        None::<&str>,
        MsFlags::MS_REC | MsFlags::MS_PRIVATE,
        None::<&str>,
    )
    .at(step, "make mounts private")?;
    let uid = assignment
        .confinement
        .build_uid
        .unwrap_or_else(|| geteuid().as_raw());
    let binds = open_grants(&assignment.confinement.grants)?;
    let root = assignment.rooms.scratch.as_path();
    let sources = open_rooms(root, rooms)?;
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(
        Some("fumehood"),
        root,
        Some("tmpfs"),
        plain,
        Some("size=4m,mode=0755"),
    )
    .at(step, "mount the new root")?;
    let mut done: Vec<(PathBuf, PathBuf)> = Vec::new();
    for bind in &binds {
        bind_one(root, bind, uid, &done)?;
        done.push((bind.seen_as.clone(), bind.host.clone()));
    }
    for (room, source) in rooms.iter().zip(&sources) {
        let target = inside(root, &room.seen_as);
        make_folder(&target)?;
        attach(source.as_fd(), &target)?;
        harden(&target, Hardness::Writable)?;
    }
    furnish(root, temporary(assignment, rooms).as_deref())?;
    if !stands(Layer::MountNamespace) {
        bind_the_rest(root)?;
    }
    chdir(root).at(step, "enter the new root")?;
    pivot_root(".", ".").at(step, "pivot the root")?;
    umount2(".", MntFlags::MNT_DETACH).at(step, "detach the old root")?;
    chdir("/").at(step, "enter the new root")?;
    sys::harden_mount(c"/", libc::MOUNT_ATTR_RDONLY, false)
        .at(step, "make the new root read-only")?;
    sethostname("fumehood").at(step, "set the host name")
}

/// Opens the rooms anew: a descriptor from before `unshare` belongs to a mount of the old namespace
/// and can not be bound.
fn open_rooms(scratch: &Path, rooms: &[Room]) -> Result<Vec<OwnedFd>, Fault> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    rooms
        .iter()
        .map(|room| {
            open(&scratch.join(&room.name), flags, Mode::empty())
                .at(Step::Namespaces, format!("open room `{}`", room.name))
        })
        .collect()
}

/// Opens what the grants name, before anything is mounted over; parents before children.
fn open_grants(grants: &[PathGrant]) -> Result<Vec<Bind>, Fault> {
    let mut binds = Vec::new();
    for grant in grants {
        let host = grant.path.as_path();
        let source = match open(host, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()) {
            Ok(source) => source,
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ELOOP)
                if grant.optional =>
            {
                continue;
            }
            Err(errno) => {
                return Err(errno).at(Step::Namespaces, format!("open grant `{}`", host.display()));
            }
        };
        let found = fstat(&source).at(Step::Namespaces, format!("look at `{}`", host.display()))?;
        binds.push(Bind {
            source,
            host: host.to_owned(),
            seen_as: grant
                .seen_as
                .as_ref()
                .unwrap_or(&grant.path)
                .as_path()
                .to_owned(),
            kind: SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT,
            writable: matches!(grant.access, Access::ReadWrite | Access::ReadWriteFile),
        });
    }
    binds.sort_by(|a, b| a.seen_as.cmp(&b.seen_as));
    Ok(binds)
}

/// The accounts that a build sees instead of the host's: root and itself, so that `getpwuid` works
/// for a uid that exists only for a while, and the host's users are nobody's business.
fn accounts(seen_as: &Path, uid: u32) -> Option<String> {
    match seen_as.to_str()? {
        "/etc/passwd" => Some(format!(
            "root:x:0:0:root:/:/bin/sh\nbuild:x:{uid}:{uid}:build:/:/bin/sh\n"
        )),
        "/etc/group" => Some(format!("root:x:0:\nbuild:x:{uid}:\n")),
        _ => None,
    }
}

/// Binds one grant. What an earlier bind shows already is not bound again, unless it is writable.
fn bind_one(root: &Path, bind: &Bind, uid: u32, done: &[(PathBuf, PathBuf)]) -> Result<(), Fault> {
    let covering = done.iter().rev().find_map(|(seen_as, host)| {
        bind.seen_as
            .strip_prefix(seen_as)
            .ok()
            .map(|rest| host.join(rest) == bind.host)
    });
    let target = inside(root, &bind.seen_as);
    match covering {
        Some(true) if !bind.writable => return Ok(()),
        Some(true) => {}
        Some(false) => {
            let doing = format!(
                "`{}` lies below another place of the build",
                bind.seen_as.display()
            );
            return Err(fault(Step::Namespaces, doing));
        }
        None if bind.kind == SFlag::S_IFDIR => make_folder(&target)?,
        None => {
            make_folder(target.parent().unwrap_or(root))?;
            let accounts = accounts(&bind.seen_as, uid);
            fs::write(&target, accounts.as_deref().unwrap_or_default())
                .at(Step::Namespaces, format!("make `{}`", target.display()))?;
            if accounts.is_some() {
                return Ok(());
            }
        }
    }
    attach(bind.source.as_fd(), &target)?;
    if bind.kind == SFlag::S_IFCHR {
        // A device has to stay one, and is written through whatever its mount says; read-only keeps
        // its mode and times.
        return harden(&target, Hardness::Device);
    }
    harden(
        &target,
        if bind.writable {
            Hardness::Writable
        } else {
            Hardness::ReadOnly
        },
    )
}

/// Puts in what no grant names: `/proc`, `/dev/shm`, `/dev/fd`, `/tmp`.
fn furnish(root: &Path, temporary: Option<&Path>) -> Result<(), Fault> {
    let step = Step::Namespaces;
    let proc = root.join("proc");
    make_folder(&proc)?;
    let still = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    if stands(Layer::PidNamespace) {
        mount(
            Some("proc"),
            &proc,
            Some("proc"),
            still | MsFlags::MS_RDONLY,
            None::<&str>,
        )
        .at(step, "mount /proc")?;
    } else {
        bind_host("proc".as_ref(), &proc)?;
    }
    for name in OF_THE_HOST {
        let file = proc.join(name);
        if file.exists() {
            let bound = mount(
                Some("/dev/null"),
                &file,
                None::<&str>,
                MsFlags::MS_BIND,
                None::<&str>,
            );
            bound.at(step, format!("cover /proc/{name}"))?;
        }
    }
    let shared = root.join("dev/shm");
    make_folder(&shared)?;
    mount(
        Some("shm"),
        &shared,
        Some("tmpfs"),
        still,
        Some(SHARED_MEMORY),
    )
    .at(step, "mount /dev/shm")?;
    for (name, to) in [
        ("dev/fd", "/proc/self/fd"),
        ("dev/stdin", "/proc/self/fd/0"),
        ("dev/stdout", "/proc/self/fd/1"),
        ("dev/stderr", "/proc/self/fd/2"),
    ] {
        symlink(to, root.join(name)).at(step, format!("link /{name}"))?;
    }
    // Programs that ignore TMPDIR find their room all the same.
    if let Some(room) = temporary.filter(|_| stands(Layer::MountNamespace)) {
        match symlink(room, root.join("tmp")) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).at(step, "link /tmp");
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Binds what the new root does not hold, as the host has it: for tests of what the root keeps away.
fn bind_the_rest(root: &Path) -> Result<(), Fault> {
    let entries = fs::read_dir("/").at(Step::Namespaces, "list the host's root")?;
    for entry in entries.flatten() {
        let target = root.join(entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !target.exists() {
            make_folder(&target)?;
            bind_host(entry.path().strip_prefix("/").unwrap_or(&target), &target)?;
        }
    }
    Ok(())
}

/// Binds a folder of the host's root with all that is mounted below it.
fn bind_host(name: &Path, target: &Path) -> Result<(), Fault> {
    let source = Path::new("/").join(name);
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(&source), target, None::<&str>, flags, None::<&str>)
        .at(Step::Namespaces, format!("bind `{}`", source.display()))
}

fn inside(root: &Path, seen_as: &Path) -> PathBuf {
    root.join(seen_as.strip_prefix("/").unwrap_or(seen_as))
}

fn make_folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).at(Step::Namespaces, format!("make `{}`", path.display()))
}

fn attach(source: BorrowedFd<'_>, target: &Path) -> Result<(), Fault> {
    let source = format!("/proc/self/fd/{}", source.as_raw_fd());
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(
        Some(source.as_str()),
        target,
        None::<&str>,
        flags,
        None::<&str>,
    )
    .at(Step::Namespaces, format!("bind `{}`", target.display()))
}

/// What a mount may still be used for.
#[derive(Clone, Copy)]
enum Hardness {
    /// Writing files, but no devices and no set-id.
    Writable,
    /// Reading.
    ReadOnly,
    /// One device, whose own mode and times stay as they are.
    Device,
}

fn harden(target: &Path, hardness: Hardness) -> Result<(), Fault> {
    let path = CString::new(target.as_os_str().as_bytes())
        .map_err(|_| fault(Step::Namespaces, "a path holds a NUL byte"))?;
    let attributes = match hardness {
        Hardness::Writable => libc::MOUNT_ATTR_NODEV,
        Hardness::ReadOnly => libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_RDONLY,
        Hardness::Device => libc::MOUNT_ATTR_RDONLY,
    };
    sys::harden_mount(&path, attributes | libc::MOUNT_ATTR_NOSUID, true).at(
        Step::Namespaces,
        format!("harden the mount `{}`", target.display()),
    )
}
