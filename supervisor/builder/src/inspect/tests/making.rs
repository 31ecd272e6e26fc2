//! Makes wheels by code: an honest one, and whatever is bent of it.

use std::collections::BTreeMap;
use std::io::{Seek as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{PythonFacts, TagSet};
use sha2::Digest as _;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::inspect::{BadWheel, Expected, Inspected, inspect};

pub(super) const FILENAME: &str = "foo_bar-1.0-py3-none-any.whl";
pub(super) const DIST_INFO: &str = "foo_bar-1.0.dist-info";

/// A wheel that is about to be made.
pub(super) struct Making {
    filename: String,
    dist_info: String,
    files: BTreeMap<String, (Vec<u8>, u32)>,
    unrecorded: BTreeMap<String, Vec<u8>>,
    folders: Vec<String>,
    edit_record: Box<dyn Fn(String) -> String>,
    patch: Vec<(String, String)>,
    strict: bool,
}

/// An honest wheel of foo-bar 1.0.
pub(super) fn honest() -> Making {
    let making = Making {
        filename: FILENAME.to_owned(),
        dist_info: DIST_INFO.to_owned(),
        files: BTreeMap::new(),
        unrecorded: BTreeMap::new(),
        folders: Vec::new(),
        edit_record: Box::new(|text| text),
        patch: Vec::new(),
        strict: false,
    };
    making
        .file("foo_bar/__init__.py", "x = 1\n")
        .file("foo_bar/data.txt", &"data ".repeat(1000))
        .meta(
            "METADATA",
            "Metadata-Version: 2.1\nName: Foo.Bar\nVersion: 1.0.0\n\nText\n",
        )
        .meta(
            "WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
}

impl Making {
    pub(super) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), (text.into(), 0o100_644));
        self
    }

    pub(super) fn mode(mut self, name: &str, text: &str, mode: u32) -> Self {
        self.files.insert(name.to_owned(), (text.into(), mode));
        self
    }

    /// A file of the `.dist-info` folder.
    pub(super) fn meta(self, name: &str, text: &str) -> Self {
        let name = format!("{}/{name}", self.dist_info);
        self.file(&name, text)
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        let name = format!("{}/{name}", self.dist_info);
        self.files.remove(&name).expect("it was there");
        self
    }

    /// A file that RECORD does not list.
    pub(super) fn unrecorded(mut self, name: &str, text: &str) -> Self {
        self.unrecorded.insert(name.to_owned(), text.into());
        self
    }

    pub(super) fn folder(mut self, name: &str) -> Self {
        self.folders.push(name.to_owned());
        self
    }

    pub(super) fn record(mut self, edit: impl Fn(String) -> String + 'static) -> Self {
        self.edit_record = Box::new(edit);
        self
    }

    /// Replaces text in the finished zip, headers included.
    pub(super) fn patch(mut self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len());
        self.patch.push((from.to_owned(), to.to_owned()));
        self
    }

    pub(super) fn named(mut self, filename: &str) -> Self {
        filename.clone_into(&mut self.filename);
        self
    }

    pub(super) fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Makes the zip.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = |mode: u32| {
            SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .external_attributes(mode << 16)
        };
        for folder in &self.folders {
            zip.add_directory(folder.as_str(), SimpleFileOptions::default())
                .unwrap();
        }
        let mut record = String::new();
        for (name, (bytes, mode)) in &self.files {
            zip.start_file(name.as_str(), options(*mode)).unwrap();
            zip.write_all(bytes).unwrap();
            let digest = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes));
            record.push_str(&format!("{name},sha256={digest},{}\n", bytes.len()));
        }
        for (name, bytes) in &self.unrecorded {
            zip.start_file(name.as_str(), options(0o100_644)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        record.push_str(&format!("{}/RECORD,,\n", self.dist_info));
        let record = (self.edit_record)(record);
        if !record.is_empty() {
            zip.start_file(format!("{}/RECORD", self.dist_info), options(0o100_644))
                .unwrap();
            zip.write_all(record.as_bytes()).unwrap();
        }
        let mut bytes = zip.finish().unwrap().into_inner();
        for (from, to) in &self.patch {
            replace(&mut bytes, from.as_bytes(), to.as_bytes());
        }
        bytes
    }

    pub(super) fn inspect(&self) -> Result<Inspected, BadWheel> {
        inspect_bytes(&self.bytes(), &self.filename, self.strict)
    }

    /// The word of the rule that refuses the wheel.
    pub(super) fn rule(&self) -> &'static str {
        match self.inspect() {
            Ok(inspected) => panic!("it was taken: {inspected:?}"),
            Err(error) => {
                assert!(!error.to_string().chars().any(char::is_control), "{error}");
                error.rule()
            }
        }
    }

    /// The notes on a wheel that is taken.
    pub(super) fn notes(&self) -> Vec<String> {
        self.inspect()
            .unwrap_or_else(|error| panic!("{error} {error:?}"))
            .notes
    }
}

pub(super) fn inspect_bytes(
    bytes: &[u8],
    filename: &str,
    strict: bool,
) -> Result<Inspected, BadWheel> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let tags = tags();
    let expected = Expected {
        name: None,
        version: None,
        tags: Some(&tags),
        strict,
        token: None,
    };
    inspect(&file, filename, &expected)
}

/// The tags of a CPython 3.11 on glibc 2.36.
pub(super) fn tags() -> TagSet {
    let facts: PythonFacts = serde_json::from_value(serde_json::json!({
        "markers": {
            "implementation_name": "cpython", "implementation_version": "3.11.2", "os_name": "posix",
            "platform_machine": "x86_64", "platform_python_implementation": "CPython",
            "platform_release": "6.1", "platform_system": "Linux", "platform_version": "1",
            "python_full_version": "3.11.2", "python_version": "3.11", "sys_platform": "linux"
        },
        "version": [3, 11, 2], "implementation": "cpython", "cache_tag": "cpython-311",
        "soabi": "cpython-311-x86_64-linux-gnu", "abiflags": "", "debug": false,
        "free_threaded": false, "platform": "linux-x86_64", "machine": "x86_64",
        "libc": ["glibc", 2, 36], "executable": "/usr/bin/python3.11", "base_prefix": "/usr",
        "base_exec_prefix": "/usr", "library_folders": [], "pip_default_index": null,
        "pip_default_origin": null
    }))
    .unwrap();
    TagSet::of(&facts)
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let mut found = 0;
    for start in 0..=bytes.len() - from.len() {
        if &bytes[start..start + from.len()] == from {
            bytes[start..start + from.len()].copy_from_slice(to);
            found += 1;
        }
    }
    assert!(found > 0, "nothing to patch");
}
