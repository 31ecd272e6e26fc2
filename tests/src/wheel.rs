//! Wheels made in memory, for build requirements that a test invents.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A pure wheel.
#[derive(Clone, Debug)]
pub struct Wheel {
    name: String,
    version: String,
    headers: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Wheel {
    /// A wheel with one module of the project's name that knows its version.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        let module = name.replace('-', "_");
        let headers = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        let wheel = Self {
            name: name.into(),
            version: version.into(),
            headers,
            files: BTreeMap::new(),
        };
        wheel.file(&format!("{module}.py"), format!("version = {version:?}\n"))
    }

    /// Adds or replaces a file.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.into(), content.as_ref().to_vec());
        self
    }

    /// Takes a file back.
    ///
    /// # Panics
    /// When there is no such file.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        assert!(self.files.remove(name).is_some(), "no {name}");
        self
    }

    /// Adds a header of the metadata, such as `Requires-Dist: other`.
    #[must_use]
    pub fn header(mut self, line: &str) -> Self {
        self.headers.push_str(line);
        self.headers.push('\n');
        self
    }

    /// Returns the project's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file name.
    #[must_use]
    pub fn filename(&self) -> String {
        format!(
            "{}-{}-py3-none-any.whl",
            self.name.replace('-', "_"),
            self.version
        )
    }

    /// Returns the metadata.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        self.headers.as_bytes()
    }

    /// Packs it.
    ///
    /// # Panics
    /// Never: memory takes all.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let info = format!("{}-{}.dist-info", self.name.replace('-', "_"), self.version);
        let mut members = self.files.clone();
        members.insert(
            format!("{info}/METADATA"),
            self.headers.clone().into_bytes(),
        );
        let kind =
            "Wheel-Version: 1.0\nGenerator: fixture\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        members.insert(format!("{info}/WHEEL"), kind.as_bytes().to_vec());
        let rows = members.iter().map(|(name, content)| {
            let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(content));
            format!("{name},sha256={digest},{}\n", content.len())
        });
        let record = rows.collect::<String>() + &format!("{info}/RECORD,,\n");
        members.insert(format!("{info}/RECORD"), record.into_bytes());
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in members {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).expect("memory takes all");
            writer.write_all(&content).expect("memory takes all");
        }
        writer.finish().expect("memory takes all").into_inner()
    }
}
