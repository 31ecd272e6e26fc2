//! What came of a run, with the promises that a test may hold it to.

use std::path::Path;
use std::time::Duration;

use model::Code;

use crate::report::{Failure, Report, Wheel};
use crate::search;
use crate::world::World;

/// A run that has ended.
#[derive(Debug)]
pub struct Outcome<'world, 'site> {
    world: &'world World<'site>,
    /// The exit code, or nothing when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Processes that outlived the program.
    pub left: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl<'world, 'site> Outcome<'world, 'site> {
    pub(crate) fn new(
        world: &'world World<'site>,
        ended: &str,
        output: [Vec<u8>; 2],
        left: Vec<String>,
        took: Duration,
    ) -> Self {
        let number = |prefix: &str| ended.strip_prefix(prefix)?.parse().ok();
        let [stdout, stderr] = output.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Self {
            world,
            code: number("code "),
            signal: number("signal "),
            stdout,
            stderr,
            left,
            took,
        }
    }

    /// Returns the JSON report.
    ///
    /// # Panics
    /// When standard output is not one JSON document of the promised shape.
    #[must_use]
    pub fn report(&self) -> Report {
        let report: Report = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("standard output is not the report ({error}): {self}");
        });
        assert_eq!(report.schema, "fumehood/1");
        report
    }

    /// Everything went well.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Exactly one wheel came of it, it lies in the output folder and is the one that the report describes.
    #[track_caller]
    #[must_use]
    pub fn wheel(&self) -> Wheel {
        self.succeeds();
        let mut wheels = self.report().wheels;
        assert_eq!(wheels.len(), 1, "{self}");
        let wheel = wheels.remove(0);
        self.holds(&wheel);
        wheel
    }

    /// A wheel lies in the output folder as the report says.
    #[track_caller]
    pub fn holds(&self, wheel: &Wheel) {
        let path = self.world.folder("work").join(&wheel.path);
        assert_eq!(
            path.file_name().and_then(|name| name.to_str()),
            Some(wheel.filename.as_str())
        );
        let content = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: {self}", path.display()));
        assert_eq!(content.len() as u64, wheel.size);
        assert_eq!(search::sha256(&content), wheel.sha256);
    }

    /// One wheel of this file name was built here.
    #[track_caller]
    pub fn built(&self, filename: &str) -> Wheel {
        self.came(filename, "built")
    }

    /// One wheel of this file name came from the cache.
    #[track_caller]
    pub fn cached(&self, filename: &str) -> Wheel {
        self.came(filename, "cached")
    }

    #[track_caller]
    fn came(&self, filename: &str, origin: &str) -> Wheel {
        let wheel = self.wheel();
        assert_eq!(
            (wheel.filename.as_str(), wheel.origin.as_str()),
            (filename, origin),
            "{self}"
        );
        wheel
    }

    /// It failed with this code and the exit code that belongs to it, and delivered nothing.
    #[track_caller]
    pub fn fails_with(&self, code: Code) -> Failure {
        self.exits_with(code);
        assert_eq!(self.world.delivered(), Vec::<String>::new(), "{self}");
        let mut report = self.report();
        assert_eq!(report.wheels.len(), 0, "{self}");
        assert_eq!(report.failures.len(), 1, "{self}");
        let failure = report.failures.remove(0);
        assert_eq!(failure.code, code.text(), "{self}");
        failure
    }

    /// It ended with the exit code that belongs to a code.
    #[track_caller]
    pub fn exits_with(&self, code: Code) -> &Self {
        assert_eq!(
            self.code,
            Some(code.exit() as i32),
            "{code} was expected: {self}"
        );
        self
    }

    /// It said an error of this code on standard error, and ended with its exit code.
    #[track_caller]
    pub fn says(&self, code: Code) -> &Self {
        self.exits_with(code);
        assert!(
            self.stderr.contains(&format!("error[{code}]")),
            "{code} was expected: {self}"
        );
        self
    }

    /// Nothing was left behind: no process, no scratch, nothing half written.
    #[track_caller]
    pub fn is_tidy(&self) -> &Self {
        assert!(
            self.left.is_empty(),
            "processes outlived the program: {:#?}{self}",
            self.left
        );
        let scratches = self.world.scratches();
        assert!(
            scratches.is_empty(),
            "scratch folders are left: {scratches:?}{self}"
        );
        let staged = search::files(&self.world.cache().join("staging-v1"));
        assert!(staged.is_empty(), "staged files are left: {staged:?}{self}");
        let partial: Vec<_> = self
            .world
            .delivered()
            .into_iter()
            .filter(|name| !is_finished(name))
            .collect();
        assert!(
            partial.is_empty(),
            "the output folder holds {partial:?}{self}"
        );
        self
    }

    /// Whether a text went anywhere: output, output folder, cache, also inside archives.
    #[must_use]
    pub fn tells(&self, secret: &str) -> Option<String> {
        if self.stdout.contains(secret) || self.stderr.contains(secret) {
            return Some("the program's own output".into());
        }
        let places = [self.world.out(), self.world.cache()];
        places
            .iter()
            .find_map(|place| search::find(place, secret.as_bytes()))
            .map(|path| path.display().to_string())
    }
}

impl std::fmt::Display for Outcome<'_, '_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "\n--- {} {}, exit {:?}, signal {:?}, {:?}\n--- standard output\n{}\n--- standard error\n{}",
            self.world.about,
            self.world.setting,
            self.code,
            self.signal,
            self.took,
            self.stdout,
            self.stderr
        )?;
        for log in search::files(&self.world.cache().join("logs-v1")) {
            let text = std::fs::read(&log).unwrap_or_default();
            write!(
                out,
                "\n--- {}\n{}",
                log.display(),
                String::from_utf8_lossy(&text)
            )?;
        }
        Ok(())
    }
}

/// Whether it is named as a wheel or an sdist.
fn is_finished(name: &str) -> bool {
    let path = Path::new(name);
    name.ends_with(".tar.gz") || path.extension().is_some_and(|extension| extension == "whl")
}
