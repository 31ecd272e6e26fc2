//! uv, which looks at environments beside pip: pinned by the digest of its wheel, fetched once, then used offline.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::search::{member, members};
use crate::site::Python;
use crate::venv::Venv;

/// Returns the program, fetched and unpacked into `folder` the first time. Two suites at once wait for one another.
///
/// # Panics
/// When it can not be fetched or has another digest than the pinned one.
pub(crate) fn furnish(folder: &Path, python: &Python) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder below Cargo's target folder can be made");
    let lock = File::create(folder.join(".lock")).expect("a lock file can be made");
    lock.lock().expect("a file can be locked");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("inputs/uv.txt");
    let text = fs::read_to_string(&list).expect("the list is there");
    let pin = text.lines().last().expect("it has a line");
    let digest = pin.rsplit(':').next().expect("it has a digest");
    let program = folder.join(&digest[..12]);
    if program.exists() {
        return program;
    }
    let staged = tempfile::tempdir_in(folder).expect("a folder can be made in it");
    let status = Command::new(&python.path)
        .args(["-I", "-m", "pip", "--disable-pip-version-check", "download"])
        .args(["--quiet", "--no-deps", "--require-hashes"])
        .args(["--only-binary", ":all:", "--requirement"])
        .arg(&list)
        .arg("--dest")
        .arg(staged.path())
        .current_dir("/")
        .stdin(Stdio::null())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "uv could not be fetched"
    );
    let fetched = fs::read_dir(staged.path()).expect("it can be listed");
    let wheel = fetched.flatten().next().expect("pip fetched a wheel");
    let wheel = wheel.path();
    let name = members(&wheel)
        .into_iter()
        .find(|name| name.ends_with(".data/scripts/uv"))
        .expect("the wheel holds the program");
    let mut unpacked = tempfile::NamedTempFile::new_in(folder).expect("a file can be made in it");
    unpacked
        .write_all(&member(&wheel, &name))
        .expect("it can be written");
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(unpacked.path(), mode).expect("an own file");
    // Closed first: what is open for writing can not be started.
    unpacked
        .into_temp_path()
        .persist(&program)
        .expect("it can be moved beside itself");
    program
}

impl Venv<'_, '_> {
    /// Runs `uv pip` on it, without network and configuration, with a cache in the world.
    ///
    /// # Panics
    /// When it can not be started.
    #[must_use]
    pub fn uv<Word: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = Word>) -> Output {
        Command::new(self.world.site.uv())
            .args(["--offline", "--no-config", "--color", "never", "pip"])
            .args(words)
            .arg("--python")
            .arg(self.root.join("bin/python"))
            .env_clear()
            .env("HOME", self.world.home())
            .env("UV_CACHE_DIR", self.world.home().join("uv-cache"))
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .expect("uv starts")
    }
}
