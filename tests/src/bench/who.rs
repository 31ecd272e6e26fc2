//! The programs that are compared, and what each is told for the same work.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub enum Who {
    /// This program, at the highest level that this machine gives.
    Ours,
    /// This program at `confined`: no namespaces.
    Confined,
    /// As [`Self::Confined`], with a worker that lacks every layer that can be left out.
    Open,
    /// `uv pip install --no-deps --target`
    Uv,
    /// `pip wheel --no-deps`
    Pip,
}

impl Who {
    /// Returns how a table calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "fumehood",
            Self::Confined => "fumehood at confined",
            Self::Open => "fumehood without isolation",
            Self::Uv => "uv",
            Self::Pip => "pip",
        }
    }

    /// Whether it is this program.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::Confined | Self::Open)
    }
}

/// Layers that the worker of [`Who::Open`] lacks. Capabilities are given up all the same: the supervisor asks the kernel
/// for them, and believes no worker that kept one.
const LAYERS: &str = "landlock-files+landlock-ports+nested-domain+network-namespace+ipc-namespace+limits\
+filter-sockets+filter-connects+filter-processes+filter-files+filter-requests+filter-host+filter-metadata";

/// Where the programs are.
#[derive(Debug)]
pub struct Peers {
    /// The program of this repository.
    pub ours: PathBuf,
    /// The program that denies namespaces to those it starts, and its first words.
    pub deny: Vec<String>,
    /// The Python that wheels are built for.
    pub python: PathBuf,
    /// A configuration file that names the worker of [`Who::Open`].
    open: PathBuf,
    /// A policy that gives each build an interpreter of its own: one that lacks its layers can not be shared, and what
    /// is compared does the same work.
    alone: PathBuf,
    venv: PathBuf,
}

impl Peers {
    /// Makes the environment of the peers in `folder`, if it is not there: uv and pip from the package index.
    ///
    /// # Panics
    /// When something can not be made.
    #[must_use]
    pub fn furnish(folder: &Path, programs: &Path, python: &Path, deny: Vec<String>) -> Self {
        let venv = folder.join("peers");
        let run = |command: &mut Command| {
            let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
            assert!(status.expect("it starts").success(), "{command:?} failed");
        };
        if !venv.join("bin/uv").exists() {
            run(Command::new(python).args(["-m", "venv"]).arg(&venv));
            run(Command::new(venv.join("bin/python")).args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--upgrade",
                "pip",
                "uv",
            ]));
        }
        // A worker finds what it lacks in its own name, and the kernel names the file, not a link to it.
        let worker = folder.join(format!("lacking-{LAYERS}"));
        std::fs::copy(programs.join("lacking-worker"), &worker).expect("the worker was built");
        let open = folder.join("open.toml");
        let text = format!("worker = {:?}\n", worker.display().to_string());
        std::fs::write(&open, text).expect("a file can be written");
        let alone = folder.join("alone.toml");
        let text = "name = \"alone\"\nextends = \"strict\"\nsummary = \"strict, and nothing is shared\"\nreuse = \"never\"\n";
        std::fs::write(&alone, text).expect("a file can be written");
        Self {
            ours: programs.join("fumehood"),
            deny,
            python: python.to_owned(),
            open,
            alone,
            venv,
        }
    }

    /// Returns the versions that a table names.
    #[must_use]
    pub fn versions(&self) -> Vec<String> {
        let of = |program: &str| {
            let output = Command::new(self.venv.join("bin").join(program))
                .arg("--version")
                .output();
            let text = output.map(|output| output.stdout).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let mut words = text.split_whitespace();
            format!(
                "{} {}",
                words.next().unwrap_or("?"),
                words.next().unwrap_or("?")
            )
        };
        vec![of("uv"), of("pip")]
    }

    /// Returns the command that has `who` make wheels of `specs` from `index` with the cache `cache`, into `out`.
    #[must_use]
    pub fn command(
        &self,
        who: Who,
        index: &str,
        [cache, out]: [&Path; 2],
        specs: &[String],
    ) -> Command {
        let mut command = match who {
            Who::Ours => Command::new(&self.ours),
            Who::Confined | Who::Open => {
                let mut command = Command::new(&self.deny[0]);
                command.args(&self.deny[1..]).arg(&self.ours);
                command
            }
            Who::Uv => Command::new(self.venv.join("bin/uv")),
            Who::Pip => Command::new(self.venv.join("bin/python")),
        };
        match who {
            Who::Ours | Who::Confined | Who::Open => {
                command.args(["wheel", "--no-deps", "--output-format", "json", "-o"]);
                command.arg(out).arg("--cache-dir").arg(cache);
                command.args(["--default-index", index, "-p"]);
                command.arg(&self.python);
                if who != Who::Ours {
                    command.arg("--policy").arg(&self.alone);
                }
                if who == Who::Open {
                    command.args(["--min-isolation", "none", "--config-file"]);
                    command.arg(&self.open);
                } else {
                    command.arg("--no-config");
                }
            }
            Who::Uv => {
                command.args(["pip", "install", "--no-deps", "--target"]);
                command.arg(out).arg("--cache-dir").arg(cache);
                command.args(["--default-index", index, "--no-config", "--python"]);
                command.arg(&self.python);
            }
            Who::Pip => {
                command.args(["-m", "pip", "--isolated", "wheel", "--no-deps", "-w"]);
                command.arg(out).arg("--cache-dir").arg(cache);
                command.args(["--index-url", index]);
            }
        }
        command.args(specs);
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("HOME", out.parent().unwrap_or(Path::new("/")));
        command.current_dir("/");
        command
    }
}
