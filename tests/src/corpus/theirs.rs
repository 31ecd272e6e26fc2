//! The attempt of `uv build`, with the same source: once with the network, once without.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::row::Made;

/// uv and where it works.
#[derive(Clone, Debug)]
pub struct Theirs {
    /// The program.
    pub program: PathBuf,
    /// Its cache.
    pub cache: PathBuf,
    /// Where logs of failures go.
    pub logs: PathBuf,
    /// The interpreter.
    pub python: Option<String>,
}

impl Theirs {
    /// Builds a source archive, of which only the bytes are known, in a folder of its own.
    ///
    /// # Errors
    /// When files can not be written or the program can not be started.
    pub fn attempt(
        &self,
        name: &str,
        requirement: &str,
        source: &Path,
        folder: &Path,
    ) -> Result<(Made, Option<PathBuf>), String> {
        let said = |error: std::io::Error| error.to_string();
        let out = folder.join("out");
        fs::create_dir_all(&out).map_err(said)?;
        let stem = requirement.replace("==", "-");
        let archive = folder.join(format!("{stem}.{}", extension(source).map_err(said)?));
        fs::copy(source, &archive).map_err(said)?;
        let mut made = self.build(name, &archive, &out, &[])?;
        if made.is_built() {
            made = self.build(name, &archive, &out, &["--offline"])?;
        }
        let wheel = fs::read_dir(&out)
            .map_err(said)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|end| end == "whl"));
        let filename = wheel.as_deref().and_then(Path::file_name);
        made.wheel = filename.map(|name| name.to_string_lossy().into_owned());
        Ok((made, wheel))
    }

    fn build(
        &self,
        name: &str,
        archive: &Path,
        out: &Path,
        flags: &[&str],
    ) -> Result<Made, String> {
        let mut command = Command::new(&self.program);
        command
            .args(["build", "--wheel", "--no-config"])
            .args(flags);
        command.arg("--cache-dir").arg(&self.cache);
        command.arg("--out-dir").arg(out);
        if let Some(python) = &self.python {
            command.args(["--python", python]);
        }
        let started = Instant::now();
        let output = command.arg(archive).output();
        let output = output.map_err(|error| error.to_string())?;
        let seconds = started.elapsed().as_secs_f64();
        if output.status.success() {
            return Ok(Made {
                result: "built".to_owned(),
                seconds,
                ..Made::default()
            });
        }
        let log = self.logs.join(format!("{name}.theirs"));
        fs::write(log, &output.stderr).map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stderr);
        Ok(Made {
            result: "failed".to_owned(),
            seconds,
            why: said.lines().last().map(ToOwned::to_owned),
            ..Made::default()
        })
    }
}

/// How the name of an archive has to end for what it begins with.
fn extension(path: &Path) -> std::io::Result<&'static str> {
    let mut magic = [0; 4];
    fs::File::open(path)?.read_exact(&mut magic)?;
    Ok(match &magic {
        b"PK\x03\x04" => "zip",
        [b'B', b'Z', b'h', _] => "tar.bz2",
        [0xfd, b'7', b'z', b'X'] => "tar.xz",
        _ => "tar.gz",
    })
}
