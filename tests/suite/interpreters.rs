//! Which Python a wheel is built for: by version, name or path, the active environment, PATH; what changed is asked again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::{Outcome, Sdist};

use crate::{site, world};

/// What one Python says of itself.
#[derive(Debug, PartialEq)]
struct Known {
    path: PathBuf,
    /// `3.11`
    version: String,
    /// `cpython`
    implementation: String,
}

/// The code that prints what a build prints, too.
const TELL: &str = "import sys; print('told:', '%d.%d' % sys.version_info[:2], sys.implementation.name, flush=True)";

impl Known {
    fn of(path: &Path) -> Self {
        let output = Command::new(path).args(["-I", "-c", TELL]).output();
        let said = String::from_utf8_lossy(&output.expect("it starts").stdout).into_owned();
        let words: Vec<_> = said.split_whitespace().collect();
        Self {
            path: path.to_owned(),
            version: words[1].to_owned(),
            implementation: words[2].to_owned(),
        }
    }

    fn built(&self, done: &Outcome<'_, '_>) {
        done.built("teller-1.0-py3-none-any.whl");
        let told = format!("told: {} {}", self.version, self.implementation);
        assert!(done.stderr.contains(&told), "{told}: {done}");
    }

    /// Makes an environment of it.
    fn environment(&self, folder: &Path) {
        let mut command = Command::new(&self.path);
        let made = command.args(["-I", "-m", "venv", "--without-pip"]);
        let made = made.arg(folder).current_dir("/").status();
        assert!(made.is_ok_and(|status| status.success()), "venv works");
    }
}

#[test]
fn a_version_a_name_a_path_the_active_environment_and_path_each_choose_the_interpreter() {
    let world = world();
    let Some(other) = site().other_python(world.setting.identity) else {
        return;
    };
    let (own, other) = (Known::of(&world.python().path), Known::of(&other));
    let bin = world.folder("bin");
    let version = match other.implementation.as_str() {
        "pypy" => format!("pypy{}", other.version),
        _ => other.version.clone(),
    };
    let versioned = match other.implementation.as_str() {
        "pypy" => version.clone(),
        _ => format!("python{version}"),
    };
    let links = [("python3", &own), (&versioned, &other), ("special", &other)];
    for (name, python) in links {
        symlink(&python.path, bin.join(name)).expect("a link");
    }
    let venv = world.folder("active");
    other.environment(&venv);
    let path = other.path.display().to_string();
    let cases: [(&[&str], bool, &Known); 6] = [
        (&[], false, &own),
        (&["-p", &version], false, &other),
        (&["-p", "special"], false, &other),
        (&["-p", &path], false, &other),
        (&[], true, &other),
        (&["-p", &own.version], true, &own),
    ];
    let default = world.python().path.display().to_string();
    let sdist = Sdist::hello("teller", "1.0").prologue(TELL);
    for (at, (words, active, python)) in cases.into_iter().enumerate() {
        let run = world.build(&sdist).without(&["-p", &default]).args(words);
        let run = run
            .args(["-v", "-C", &format!("at={at}")])
            .env("PATH", &bin);
        let run = match active {
            true => run.env("VIRTUAL_ENV", &venv),
            false => run,
        };
        python.built(&run.finish());
    }
}

#[test]
fn an_environment_that_was_made_anew_by_another_python_is_asked_again() {
    let world = world();
    let Some(other) = site().other_python(world.setting.identity) else {
        return;
    };
    let sdist = Sdist::hello("teller", "1.0").prologue(TELL);
    let venv = world.folder("active");
    let default = world.python().path.display().to_string();
    for python in [Known::of(&world.python().path), Known::of(&other)] {
        fs::remove_dir_all(&venv).expect("a folder");
        python.environment(&venv);
        let run = world.build(&sdist).without(&["-p", &default]);
        python.built(&run.args(["-v", "-p"]).args([&venv]).finish());
    }
}
