//! The user's file of approved grants: where it is, whose it may be, and how it is replaced.
//!
//! It widens, so no variable says where it is, only the account database: a project that sets `HOME` must not
//! become the user. An entry counts for one source each, named by its bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use builder::Approval;
use model::Code;
use nix::fcntl::OFlag;
use nix::unistd::{User, geteuid};
use policies::{Extra, OffLimits};

use crate::render::{Problem, Talk};
use crate::settings::{Ceiling, SettingsError};

/// Bytes of the file that are read; one more than any may have shows that it is too large.
const MOST: u64 = 1024 * 1024;

/// Returns the file's path; none for a user without an entry in the account database.
pub(crate) fn approvals_file() -> Option<PathBuf> {
    let home = account_home()?;
    (home != Path::new("/")).then(|| home.join(".config/fumehood/approvals.toml"))
}

/// Returns the home of the account that this runs as, by the account database: `HOME` may say anything.
pub(crate) fn account_home() -> Option<PathBuf> {
    let account = User::from_uid(geteuid()).ok().flatten()?;
    account.dir.is_absolute().then_some(account.dir)
}

/// Returns what the user approved, but for what the system's ceiling does not allow: that is noted.
///
/// # Errors
/// If the file is not valid, or others could have written it.
pub(crate) fn approvals(
    off_limits: &OffLimits,
    ceiling: Option<&Ceiling>,
    talk: &Talk,
) -> Result<Vec<Approval>, Problem> {
    let mut approvals = match approvals_file() {
        Some(file) => read(&file, off_limits)?,
        None => Vec::new(),
    };
    approvals.retain(|one| {
        let allowed = approvable(&one.grant, ceiling);
        if let Err(error) = &allowed {
            let why = error.why().unwrap_or_default();
            talk.note(&format!("{error}, so it is not heard: {why}"));
        }
        allowed.is_ok()
    });
    Ok(approvals)
}

/// Refuses a grant that the system's ceiling does not allow.
///
/// # Errors
/// If it does not.
pub(crate) fn approvable(grant: &Extra, ceiling: Option<&Ceiling>) -> Result<(), SettingsError> {
    match ceiling {
        Some(ceiling) => ceiling.grant(&"an approval", grant.path.as_path(), grant.access),
        None => Ok(()),
    }
}

/// Adds approvals to the file, which appears whole or not at all.
///
/// # Errors
/// If it can not be read or written.
pub(crate) fn approve(new: &[Approval], off_limits: &OffLimits) -> Result<PathBuf, Problem> {
    let file = approvals_file().ok_or_else(|| {
        Problem::new(Code::BadPolicy, "there is no place for approvals")
            .why("this user has no home in the account database")
            .fix("give the grant by its flag, for one run at a time")
    })?;
    let failed = |error: io::Error| unusable(&file, &error.to_string());
    let folder = file.parent().unwrap_or(&file);
    ::cache::make_dirs(folder, 0o700).map_err(failed)?;
    // Whoever approves at the same time waits, and then reads what this one wrote.
    let lock = File::open(folder).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut all = read(&file, off_limits)?;
    all.retain(|old| {
        let same = |one: &Approval| one.source == old.source && one.grant == old.grant;
        !new.iter().any(same)
    });
    all.extend_from_slice(new);
    let text = Approval::write(&all).map_err(|why| unusable(&file, &why))?;
    replace(&file, &text).map_err(failed)?;
    lock.sync_all().map_err(failed)?;
    Ok(file)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one file outside cache and output directory that is written"
)]
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let fresh = file.with_extension("toml.new");
    // What a run left that was killed here; nobody else writes under the lock.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut to = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    to.write_all(text.as_bytes())?;
    to.sync_all()?;
    fs::rename(&fresh, file)
}

fn read(file: &Path, off_limits: &OffLimits) -> Result<Vec<Approval>, Problem> {
    let text = match content(file) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unusable(file, &error.to_string())),
    };
    Approval::read(&text, off_limits).map_err(|why| unusable(file, &why))
}

/// A home that is not there, or not for this user to look into, holds no approval of theirs.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ENOTDIR)
}

fn content(file: &Path) -> io::Result<String> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits())
        .open(file)?;
    let found = opened.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if found.uid() != geteuid().as_raw() && found.uid() != 0 {
        return Err(io::Error::other(format!(
            "it belongs to uid {}, who would decide what your builds may touch",
            found.uid()
        )));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!(
            "others may write it (mode {:o})",
            found.mode() & 0o7777
        )));
    }
    if found.len() > MOST {
        return Err(io::Error::other(
            "it is larger than any such file has to be",
        ));
    }
    let mut text = String::new();
    opened.take(MOST + 1).read_to_string(&mut text)?;
    Ok(text)
}

fn unusable(file: &Path, why: &str) -> Problem {
    Problem::new(
        Code::BadPolicy,
        format!("the approvals in `{}` can not be used", file.display()),
    )
    .why(why)
    .fix("mend the file or take it away; `fumehood policy approve BUILD` writes it anew")
}
