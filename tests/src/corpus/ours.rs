//! The program's attempt: once with the network, so that sources and build requirements are in the cache, then
//! without it, after the wheel was dropped.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::row::Made;
use crate::{Denial, Report};

/// The program and where it works.
#[derive(Clone, Debug)]
pub struct Ours {
    /// The program; it is called `fumehood`, whatever its file is.
    pub program: PathBuf,
    /// Its cache.
    pub cache: PathBuf,
    /// Where logs of failures go.
    pub logs: PathBuf,
    /// The interpreter, as `-p` takes it.
    pub python: Option<String>,
    /// Further flags, such as a policy.
    pub flags: Vec<OsString>,
}

/// An attempt and what it left.
#[derive(Debug)]
pub struct Attempt {
    /// What came of it.
    pub made: Made,
    /// The wheel.
    pub wheel: Option<PathBuf>,
    /// The digest of what it was made of.
    pub source: Option<String>,
}

impl Ours {
    /// Warms the cache, drops the wheel and builds again offline; the second build is what is told. A source that
    /// does not build with the network is not tried without it.
    ///
    /// # Errors
    /// When the program can not be started, or its answer is none.
    pub fn attempt(&self, name: &str, requirement: &str, out: &Path) -> Result<Attempt, String> {
        let warm = self.wheel(name, requirement, out, &[])?;
        // A wheel of an earlier run is dropped as well; what did not build is told.
        if warm.wheel.is_none() {
            return Ok(warm);
        }
        let dropped = self.command(&["cache", "clean", name, "--built"]).output();
        let dropped = dropped.map_err(|error| error.to_string())?;
        if !dropped.status.success() {
            return Err(String::from_utf8_lossy(&dropped.stderr).into_owned());
        }
        let made = self.wheel(name, requirement, out, &["--offline"])?;
        Ok(Attempt {
            source: made.source.or(warm.source),
            ..made
        })
    }

    fn wheel(
        &self,
        name: &str,
        requirement: &str,
        out: &Path,
        flags: &[&str],
    ) -> Result<Attempt, String> {
        let mut command = self.command(&["wheel", "--no-deps", "--output-format", "json"]);
        command.args(["--no-binary", name]).args(flags);
        if let Some(python) = &self.python {
            command.args(["-p", python]);
        }
        command
            .args(&self.flags)
            .arg("-o")
            .arg(out)
            .arg(requirement);
        let started = Instant::now();
        let output = command.output().map_err(|error| error.to_string())?;
        let seconds = started.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        let report: Report = serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("its answer is no report: {error}\n{said}"))?;
        let attempt = attempt(report, seconds, out)?;
        if !attempt.made.is_built() {
            let mut text = said.clone().into_owned();
            if let Some(build) = said
                .lines()
                .find_map(|line| line.split_once("fumehood log "))
            {
                let log = self.command(&["log", build.1.trim()]).output();
                let log = log.map_err(|error| error.to_string())?;
                text.push_str(&String::from_utf8_lossy(&log.stdout));
            }
            fs::write(self.logs.join(format!("{name}.ours")), text)
                .map_err(|error| error.to_string())?;
        }
        Ok(attempt)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg0("fumehood").args(words).arg("--no-config");
        command.arg("--cache-dir").arg(&self.cache);
        let own = std::env::vars_os()
            .filter(|(name, _)| name.as_encoded_bytes().starts_with(b"FUMEHOOD_"));
        for (name, _) in own {
            command.env_remove(name);
        }
        command
    }
}

fn attempt(report: Report, seconds: Duration, out: &Path) -> Result<Attempt, String> {
    let seconds = seconds.as_secs_f64();
    if let Some(failure) = report.failures.into_iter().next() {
        let made = Made {
            result: failure.code,
            seconds,
            why: Some(failure.message),
            ..Made::default()
        };
        return Ok(Attempt {
            made,
            wheel: None,
            source: None,
        });
    }
    let wheel = report.wheels.into_iter().next();
    let wheel = wheel.ok_or("it made neither a wheel nor a failure")?;
    let made = Made {
        // A wheel that was not built proves nothing.
        result: wheel.origin,
        seconds,
        wheel: Some(wheel.filename.clone()),
        level: wheel.isolation.map(|isolation| isolation.level),
        denials: wheel.denials.iter().map(words).collect(),
        why: None,
    };
    Ok(Attempt {
        made,
        wheel: Some(out.join(wheel.filename)),
        source: wheel.source.map(|source| source.sha256),
    })
}

fn words(denial: &Denial) -> String {
    format!("{} {} ({})", denial.what, denial.target, denial.count)
}
