//! What the suite stands on: the program under test, fetched inputs, the kernel and the Pythons of this host.
//!
//! Made once a process. What one test works with is a [`crate::World`].

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::inputs::Inputs;
use crate::setting::Identity;
use crate::unrun::Unrun;
use crate::uv;

/// The suite's surroundings.
#[derive(Debug)]
pub struct Site {
    /// The program under test.
    pub program: PathBuf,
    /// The parent of every program that the suite runs.
    pub warden: PathBuf,
    /// Where it is noted what could not run.
    pub unrun: Unrun,
    /// Whether the suite has the capability to look at everybody's processes apart from all others: then nobody whom
    /// it starts shall have it.
    pub watches: bool,
    target: PathBuf,
    inputs: OnceLock<Inputs>,
    uv: OnceLock<PathBuf>,
    pythons: [OnceLock<Option<Python>>; 2],
}

/// A Python that an identity can run, with what the kernel grants that identity.
#[derive(Clone, Debug)]
pub struct Python {
    /// The real executable, never a shim.
    pub path: PathBuf,
    /// Features of the kernel, as `scripts/kernel.py` found them.
    pub features: BTreeMap<String, serde_json::Value>,
}

impl Site {
    /// Makes a site of the paths that only Cargo knows. `target` is a folder that survives the run.
    #[must_use]
    pub fn new(program: &str, warden: &str, target: &str) -> Self {
        let target = PathBuf::from(target);
        Self {
            program: program.into(),
            warden: warden.into(),
            unrun: Unrun::fresh(&target),
            watches: false,
            target,
            inputs: OnceLock::new(),
            uv: OnceLock::new(),
            pythons: [OnceLock::new(), OnceLock::new()],
        }
    }

    /// Lists the words before a command so that it does not have what the suite alone has.
    pub(crate) fn without_watching(&self, identity: Identity) -> &'static [&'static str] {
        match self.watches && identity.uid() == 0 {
            true => &["setpriv", "--bounding-set=-sys_ptrace"],
            false => &[],
        }
    }

    /// Returns the worker that takes no more of Landlock than ABI 5; it lies beside the warden.
    #[must_use]
    pub fn older_worker(&self) -> PathBuf {
        self.warden.with_file_name("older-worker")
    }

    /// Returns the program that ends others at a system call; it lies beside the warden.
    #[must_use]
    pub fn killer(&self) -> PathBuf {
        self.warden.with_file_name("killer")
    }

    /// Returns the pinned wheels and sdists, fetched the first time.
    pub fn inputs(&self) -> &Inputs {
        self.inputs.get_or_init(|| {
            Inputs::fetch(&self.target.join("inputs"), self.python(Identity::Caller))
        })
    }

    /// Returns uv, fetched the first time.
    pub fn uv(&self) -> &Path {
        self.uv
            .get_or_init(|| uv::furnish(&self.target.join("uv"), self.python(Identity::Caller)))
    }

    /// Returns a Python that the identity can start, or nothing where there is none.
    pub fn find_python(&self, identity: Identity) -> Option<&Python> {
        self.pythons[identity as usize]
            .get_or_init(|| Python::find(identity))
            .as_ref()
    }

    /// Returns a second interpreter, of another implementation or version; a host that has none is
    /// noted as one where something was not run.
    pub fn other_python(&self, identity: Identity) -> Option<PathBuf> {
        let script =
            "import os, sys; print(sys.implementation.cache_tag, os.path.realpath(sys.executable))";
        let ask = |program: &Path| {
            let answer = Python::output(program, identity, ["-c".as_ref(), script.as_ref()])?;
            let (tag, path) = answer.trim().split_once(' ')?;
            Some((tag.to_owned(), PathBuf::from(path)))
        };
        let (own, _) = ask(&self.python(identity).path)?;
        let versions = (9..20).map(|minor| format!("python3.{minor}"));
        let names: Vec<_> = versions.chain(["pypy3".to_owned()]).collect();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .filter_map(|program| ask(&program))
            .find(|(tag, _)| *tag != own);
        if found.is_none() {
            self.unrun.note("a second Python interpreter");
        }
        found.map(|(_, path)| path)
    }

    /// Returns the Python of an identity that is known to have one.
    ///
    /// # Panics
    /// Where there is none: the suite can not run without a Python.
    pub fn python(&self, identity: Identity) -> &Python {
        self.find_python(identity).expect("a `python3` on PATH")
    }
}

impl Python {
    fn find(identity: Identity) -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find_map(|folder| Self::ask(&folder.join("python3"), identity))
    }

    /// Asks a candidate where it really lies and what the kernel grants.
    fn ask(candidate: &Path, identity: Identity) -> Option<Self> {
        let location = "import os, sys; print(os.path.realpath(sys.executable))";
        let answer = Self::output(candidate, identity, ["-c".as_ref(), location.as_ref()])?;
        let real = PathBuf::from(answer.trim());
        let facts = Self::output(
            &real,
            identity,
            ["-c".as_ref(), script("kernel.py").as_ref()],
        )?;
        let features = serde_json::from_str(&facts).expect("kernel.py prints JSON");
        Some(Self {
            path: real,
            features,
        })
    }

    fn output<'a>(
        program: &Path,
        identity: Identity,
        arguments: impl IntoIterator<Item = &'a OsStr>,
    ) -> Option<String> {
        let mut command = Command::new(program);
        command
            .args(["-I", "-B"])
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some(uid) = identity.other_uid() {
            command.uid(uid).gid(uid);
        }
        let output = command.output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether the kernel has a feature that is simply there or not.
    #[must_use]
    pub fn can(&self, feature: &str) -> bool {
        self.features[feature]
            .as_bool()
            .expect("a feature that kernel.py answers yes or no")
    }

    /// Returns the Landlock ABI, 0 without Landlock.
    #[must_use]
    pub fn landlock(&self) -> u64 {
        self.features["landlock"]
            .as_u64()
            .expect("kernel.py gives the ABI as a number")
    }
}

/// Returns one of the suite's scripts as the text of a program for `python -c`, with the module `calls` in it:
/// the user who runs it need not be able to reach this checkout.
#[must_use]
pub fn script(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).expect("the suite's own files can be read")
    };
    let quoted = |text: &str| serde_json::to_string(text).expect("text is JSON");
    format!(
        "import sys, types; calls = types.ModuleType('calls'); exec({}, calls.__dict__); \
         sys.modules['calls'] = calls; exec({}, {{'__name__': '__main__'}})",
        quoted(&read("backends/common/calls.py")),
        quoted(&read(&format!("scripts/{name}"))),
    )
}

/// Whether everybody can reach and read a file.
pub(crate) fn open_to_all(path: &Path) -> bool {
    let mode = |path: &Path| fs::metadata(path).map_or(0, |data| data.permissions().mode());
    mode(path) & 0o4 != 0
        && path
            .ancestors()
            .skip(1)
            .all(|folder| mode(folder) & 0o1 != 0)
}
