//! A cache, a real Python, and wheels made to order.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cache::Cache;
use model::{PythonFacts, Sha256, WheelFilename};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::install::{
    COMPILE, Environment, InstallError, Soundness, Staged, WheelInput, look_for_environment, stage,
};
use crate::interpreter::tests::real_python;

/// A cache in a folder of its own, and a Python.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) cache: Cache,
    pub(crate) facts: PythonFacts,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let (_, facts) = real_python();
        Self {
            folder,
            cache,
            facts,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.folder.path())
            .unwrap()
            .join(name)
    }

    pub(crate) fn stage(&self, wheels: &[&Wheel]) -> Result<Staged, InstallError> {
        let inputs: Vec<_> = wheels.iter().map(|wheel| self.input(wheel)).collect();
        stage(&self.cache, &inputs, &self.facts)
    }

    pub(crate) fn install(&self, wheels: &[&Wheel]) -> Environment {
        self.stage(wheels).unwrap().publish(&self.cache).unwrap()
    }

    /// Whether an environment is there that nobody touched.
    pub(crate) fn is_untouched(&self, environment: &Environment) -> bool {
        let found = look_for_environment(&self.cache, &environment.name);
        matches!(found, Some((_, Soundness::Untouched)))
    }

    /// Writes a wheel under a name that tells nothing, as blobs have it.
    pub(crate) fn input(&self, wheel: &Wheel) -> WheelInput {
        let bytes = wheel.bytes();
        let sha256 = Sha256::of(&bytes);
        let path = self.path(&sha256.to_string());
        std::fs::write(&path, bytes).unwrap();
        WheelInput {
            path,
            filename: WheelFilename::parse(&wheel.filename).unwrap(),
            sha256,
        }
    }

    pub(crate) fn compile(&self, tree: &Path, workers: usize) -> PathBuf {
        let out = self.path("compiled");
        std::fs::create_dir_all(&out).unwrap();
        let done = Command::new(&self.facts.executable)
            .args(["-I", "-S", "-c", COMPILE])
            .arg(tree)
            .arg(&out)
            .arg(workers.to_string())
            .env_clear()
            .current_dir("/")
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        assert_eq!(
            (done.stdout, done.stderr),
            (Vec::new(), Vec::new()),
            "it says nothing"
        );
        out
    }
}

/// Runs a program with an empty environment but PATH, and returns what it printed.
pub(crate) fn run(program: &Path, arguments: &[&str]) -> String {
    let done = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        done.status.success(),
        "{}: {}",
        program.display(),
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout)
        .unwrap()
        .trim_end()
        .to_owned()
}

/// A wheel, sound unless it is told otherwise.
#[derive(Clone)]
pub(crate) struct Wheel {
    pub(crate) filename: String,
    pub(crate) stem: String,
    pub(crate) files: Vec<(String, Vec<u8>, u32)>,
    pub(crate) links: Vec<(String, String)>,
    /// Replaces rows of RECORD: a path and the rest of its row; none leaves the row out.
    pub(crate) rows: Vec<(String, Option<String>)>,
}

impl Wheel {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let stem = format!("{name}-{version}");
        let wheel = Self {
            filename: format!("{stem}-py3-none-any.whl"),
            stem: stem.clone(),
            files: Vec::new(),
            links: Vec::new(),
            rows: Vec::new(),
        };
        wheel
            .with(
                &format!("{stem}.dist-info/METADATA"),
                &format!(
                    "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: other\n"
                ),
            )
            .with(
                &format!("{stem}.dist-info/WHEEL"),
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
    }

    pub(crate) fn with(self, path: &str, content: &str) -> Self {
        self.raw(path, content.as_bytes(), 0o644)
    }

    pub(crate) fn raw(mut self, path: &str, content: &[u8], mode: u32) -> Self {
        self.files.retain(|(known, _, _)| known != path);
        self.files.push((path.to_owned(), content.to_vec(), mode));
        self
    }

    pub(crate) fn entry_points(self, text: &str) -> Self {
        let path = format!("{}.dist-info/entry_points.txt", self.stem);
        self.with(&path, text)
    }

    pub(crate) fn link(mut self, path: &str, target: &str) -> Self {
        self.links.push((path.to_owned(), target.to_owned()));
        self
    }

    pub(crate) fn row(mut self, path: &str, rest: Option<&str>) -> Self {
        self.rows.push((path.to_owned(), rest.map(str::to_owned)));
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Self {
        self.files.retain(|(known, _, _)| known != path);
        self
    }

    fn record(&self) -> String {
        let own = format!("{}.dist-info/RECORD", self.stem);
        let mut rows: Vec<(String, String)> = self
            .files
            .iter()
            .map(|(path, content, _)| {
                let digest = URL_SAFE_NO_PAD.encode(Sha256::of(content).as_bytes());
                (path.clone(), format!("sha256={digest},{}", content.len()))
            })
            .collect();
        rows.push((own, ",".to_owned()));
        for (path, rest) in &self.rows {
            rows.retain(|(known, _)| known != path);
            if let Some(rest) = rest {
                rows.push((path.clone(), rest.clone()));
            }
        }
        rows.iter()
            .map(|(path, rest)| format!("{path},{rest}\n"))
            .collect()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut buffer = std::io::Cursor::new(Vec::new());
        let mut zip = ZipWriter::new(&mut buffer);
        let own = format!("{}.dist-info/RECORD", self.stem);
        let mut files = self.files.clone();
        if !files.iter().any(|(path, _, _)| *path == own) {
            files.push((own, self.record().into_bytes(), 0o644));
        }
        for (path, content, mode) in &files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            zip.start_file(path.as_str(), options).unwrap();
            zip.write_all(content).unwrap();
        }
        for (path, target) in &self.links {
            zip.add_symlink(path.as_str(), target.as_str(), SimpleFileOptions::default())
                .unwrap();
        }
        zip.finish().unwrap();
        buffer.into_inner()
    }
}

/// Every file below a folder with mode and content, sorted; links with their target.
pub(crate) fn listing(root: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;
    let mut found = Vec::new();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = path.symlink_metadata().unwrap();
            let content = if about.is_dir() {
                todo.push(path.clone());
                Vec::new()
            } else if about.is_symlink() {
                std::fs::read_link(&path)
                    .unwrap()
                    .as_os_str()
                    .as_bytes()
                    .to_vec()
            } else {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut File::open(&path).unwrap(), &mut bytes).unwrap();
                bytes
            };
            found.push((
                path.strip_prefix(root).unwrap().to_owned(),
                about.mode(),
                content,
            ));
        }
    }
    found.sort();
    found
}
