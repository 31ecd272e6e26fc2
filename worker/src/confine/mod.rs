//! The order of the steps that turn a fresh process into a reaper of a confined domain.
//!
//! ```text
//! session       setsid, nothing inherited but link and log, umask
//! namespaces    (level ns) unshare, fork the namespace's init, new root, own /proc
//! privileges    the build's uid, no capability, no_new_privs, child subreaper
//! sentinel      a process beside the domain that can be signalled now ...
//! domain A      Landlock with scopes: everything that any stage of this worker may do
//! probe         ... and can not be any more
//! ```
//!
//! The later stages ([`crate::unpack`], [`crate::program`]) are forked children in domains of
//! their own, nested in A: they can neither signal nor trace the reaper, while one `kill(-1)` from
//! the reaper reaches every process of the build and no other.

mod boundary;
mod landlock;
mod limits;
mod namespaces;
mod privileges;
mod probe;
mod report;
mod selftest;
mod session;

pub(crate) use boundary::Boundary;
pub(crate) use landlock::{Domain, Support, restrict};
pub(crate) use limits::{OomScore, become_nice, processes_now, raise_open_files, set_limits};
pub(crate) use namespaces::{InNamespace, enter, new_root};
pub(crate) use privileges::{drop_privileges, end_with_parent, hand_over, hide};
pub(crate) use probe::Sentinel;
pub(crate) use report::{Stage, report};
pub(crate) use selftest::self_test;
pub(crate) use session::{assert_one_thread, begin};
