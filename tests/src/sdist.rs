//! Source distributions: a fixture's folder, or files that a test names, packed in any of the formats.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::search;

/// A source tree with a name and a version.
#[derive(Clone, Debug)]
pub struct Sdist {
    name: String,
    version: String,
    top: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Sdist {
    /// A fixture: a folder of `tests/backends`, with the common in-tree backend under it.
    ///
    /// The project is named as the folder, in version 1.0.
    #[must_use]
    pub fn fixture(folder: &str) -> Self {
        Self::bare(folder, "1.0").folder("common").folder(folder)
    }

    /// A project whose build waits until the test lets it go on, and has nothing to attack.
    #[must_use]
    pub fn waiting() -> Self {
        Self::fixture("waits").targets(&serde_json::json!({}))
    }

    /// A project whose build starts threads until one is refused, and fails of that at once.
    #[must_use]
    pub fn stubborn() -> Self {
        Self::hello("stubborn", "1.0").prologue(
            "import threading, time\n\
             for _ in range(300):\n    \
                 threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        )
    }

    /// A project with nothing but its PKG-INFO.
    #[must_use]
    pub fn bare(name: &str, version: &str) -> Self {
        let top = format!("{}-{version}", name.replace('-', "_"));
        let sdist = Self {
            name: name.into(),
            version: version.into(),
            top,
            files: BTreeMap::new(),
        };
        let headers = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        sdist.file("PKG-INFO", headers)
    }

    /// A project like the fixture `hello`, of another name and version.
    #[must_use]
    pub fn hello(name: &str, version: &str) -> Self {
        Self::bare(name, version).folder("common").folder("hello")
    }

    /// Gives the project another name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        let fresh = Self::bare(name, &self.version);
        let files = [self.files, fresh.files.clone()].into_iter().flatten();
        Self {
            files: files.collect(),
            ..fresh
        }
    }

    /// Adds the files of a folder of `tests/backends`.
    #[must_use]
    pub fn folder(mut self, folder: &str) -> Self {
        let root = backends().join(folder);
        for path in search::files(&root) {
            let name = path.strip_prefix(&root).expect("a file below the folder");
            if !name.starts_with("__pycache__") {
                let content = fs::read(&path).expect("a fixture can be read");
                self.files
                    .insert(name.to_string_lossy().into_owned(), content);
            }
        }
        self
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.into(), content.as_ref().to_vec());
        self
    }

    /// Leaves a file out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.files
            .remove(name)
            .expect("the sdist has what shall be left out");
        self
    }

    /// Names the build requirements, keeping the in-tree backend.
    #[must_use]
    pub fn requires(self, requirements: &[&str]) -> Self {
        let list = serde_json::to_string(requirements).expect("strings are JSON");
        let text = format!(
            "[build-system]\nrequires = {list}\nbuild-backend = \"in_tree\"\nbackend-path = [\".\"]\n"
        );
        self.file("pyproject.toml", text)
    }

    /// Lets the in-tree backend do something when it is imported.
    #[must_use]
    pub fn prologue(self, python: &str) -> Self {
        let backend = String::from_utf8_lossy(&self.files["in_tree.py"]).into_owned();
        self.file("in_tree.py", format!("{python}\n{backend}"))
    }

    /// Lets the in-tree backend have other hooks than its own.
    #[must_use]
    pub fn hooks(self, python: &str) -> Self {
        let backend = String::from_utf8_lossy(&self.files["in_tree.py"]).into_owned();
        self.file("in_tree.py", format!("{backend}\n\n{python}\n"))
    }

    /// Tells the deed what it is after.
    #[must_use]
    pub fn targets(self, targets: &Value) -> Self {
        self.file("targets.json", targets.to_string())
    }

    /// Names the top folder of the archive otherwise.
    #[must_use]
    pub fn top(mut self, top: &str) -> Self {
        top.clone_into(&mut self.top);
        self
    }

    /// Returns the project's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the files, relative to the top folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_slice()))
    }

    /// Returns the file name that an index would give it.
    #[must_use]
    pub fn filename(&self, extension: &str) -> String {
        format!(
            "{}-{}.{extension}",
            self.name.replace('-', "_"),
            self.version
        )
    }

    /// Returns the name of the pure wheel that the in-tree backend makes.
    #[must_use]
    pub fn wheel(&self) -> String {
        format!(
            "{}-{}-py3-none-any.whl",
            self.name.replace('-', "_"),
            self.version
        )
    }

    /// Packs it as an uncompressed tar.
    ///
    /// # Panics
    /// Never: memory takes all.
    #[must_use]
    pub fn tar(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(1_600_000_000);
            builder
                .append_data(&mut header, self.inside(name), content.as_slice())
                .expect("memory takes all");
        }
        builder.into_inner().expect("memory takes all")
    }

    /// Packs it as `.tar.gz`.
    #[must_use]
    pub fn tar_gz(&self) -> Vec<u8> {
        gzip(&self.tar())
    }

    /// Packs it as `.tar.bz2`.
    ///
    /// # Panics
    /// Never: memory takes all.
    #[must_use]
    pub fn tar_bz2(&self) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(&self.tar()).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    /// Packs it as `.tar.xz`.
    ///
    /// # Panics
    /// Never: memory takes all.
    #[must_use]
    pub fn tar_xz(&self) -> Vec<u8> {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer =
            lzma_rust2::XzWriter::new(Vec::new(), options).expect("the preset is valid");
        writer.write_all(&self.tar()).expect("memory takes all");
        writer.finish().expect("memory takes all")
    }

    /// Packs it as `.zip`.
    ///
    /// # Panics
    /// Never: memory takes all.
    #[must_use]
    pub fn zip(&self) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o644);
        for (name, content) in &self.files {
            writer
                .start_file(self.inside(name), options)
                .expect("memory takes all");
            writer.write_all(content).expect("memory takes all");
        }
        writer.finish().expect("memory takes all").into_inner()
    }

    fn inside(&self, name: &str) -> String {
        if self.top.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.top)
        }
    }
}

/// Compresses bytes as gzip does.
///
/// # Panics
/// Never: memory takes all.
#[must_use]
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

/// Returns the folder of all fixtures.
#[must_use]
pub fn backends() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("backends")
}
