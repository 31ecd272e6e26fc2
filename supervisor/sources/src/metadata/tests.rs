//! Real and hostile metadata.

use proptest::prelude::*;

use super::*;

const REAL: &str = "Metadata-Version: 2.1
Name: Foo_Bar
Version: 1.0.0rc1
Summary: It does things.
Requires-Python: >=3.7, !=3.8.*
Requires-Dist: six >=1.5
Requires-Dist: sphinx ; extra == 'docs'
Requires-Dist: long-name
   (>=1.0);
\tpython_version < '4'
Provides-Extra: docs
Dynamic: License-File
Description: first
        second

Name: not-a-header-any-more
Requires-Dist: evil
";

fn with(lines: &str) -> Result<CoreMetadata, MetadataError> {
    CoreMetadata::parse(format!("Metadata-Version: 2.1\nName: a\nVersion: 1\n{lines}").as_bytes())
}

#[test]
fn a_real_file_is_read_and_its_body_is_not() {
    let read = CoreMetadata::parse(REAL.as_bytes()).unwrap();
    assert_eq!(read.metadata_version, "2.1");
    assert_eq!(read.name.to_string(), "foo-bar");
    assert_eq!(read.version.to_string(), "1.0.0rc1");
    assert_eq!(read.requires_python.unwrap().to_string(), ">=3.7, !=3.8.*");
    let names: Vec<_> = read
        .requires_dist
        .iter()
        .map(|requirement| requirement.name.to_string())
        .collect();
    assert_eq!(names, ["six", "sphinx", "long-name"]);
    assert_eq!(read.provides_extra.len(), 1);
    assert_eq!(read.dynamic, ["license-file"]);
}

#[test]
fn every_kind_of_line_end_ends_a_line_as_it_does_for_python() {
    for end in ["\r\n", "\r", "\n"] {
        let text = REAL.replace('\n', end);
        let read = CoreMetadata::parse(text.as_bytes()).unwrap();
        assert_eq!(read.requires_dist.len(), 3, "with {end:?}");
    }
    assert_eq!(
        with("Requires-Dist: x\rName: b\n"),
        Err(MetadataError::Repeated { field: "Name" })
    );
}

#[test]
fn headers_end_at_the_first_line_that_is_none() {
    let read = with("a line without the mark\nRequires-Dist: evil\n").unwrap();
    assert!(read.requires_dist.is_empty());
    let read = with("two words: x\nRequires-Dist: evil\n").unwrap();
    assert!(read.requires_dist.is_empty());
}

#[test]
fn real_sloppiness_is_repaired() {
    let read = with("Requires-Dist: setuptools>=40.8.*\nRequires-Python: >=3.6.*\n").unwrap();
    assert_eq!(read.requires_dist[0].to_string(), "setuptools>=40.8");
    assert_eq!(read.requires_python.unwrap().to_string(), ">=3.6");
    let read = with("Provides-Extra: not an extra\nProvides-Extra: one\n").unwrap();
    assert_eq!(read.provides_extra.len(), 1);
}

#[test]
fn each_fault_has_its_own_error() {
    let parse = |text: &str| CoreMetadata::parse(text.as_bytes()).unwrap_err();
    assert_eq!(
        parse(""),
        MetadataError::Missing {
            field: "Metadata-Version"
        }
    );
    assert_eq!(
        parse("Metadata-Version: 2.1\nVersion: 1\n"),
        MetadataError::Missing { field: "Name" }
    );
    assert_eq!(
        parse("Metadata-Version: 2.1\nName: a\nVersion:\n"),
        MetadataError::Missing { field: "Version" }
    );
    assert!(matches!(
        parse("Metadata-Version: 3.0\nName: a\nVersion: 1\n"),
        MetadataError::Unknown { .. }
    ));
    assert!(matches!(
        parse("Metadata-Version: 2.1\nName: ../a\nVersion: 1\n"),
        MetadataError::Name { .. }
    ));
    assert!(matches!(
        parse("Metadata-Version: 2.1\nName: a\nVersion: 2004d\n"),
        MetadataError::Version { .. }
    ));
    for (line, field) in [("Name: b", "Name"), ("version: 2", "Version")] {
        assert_eq!(with(line), Err(MetadataError::Repeated { field }));
    }
    assert!(matches!(
        with("Requires-Dist: ;;;\n"),
        Err(MetadataError::RequiresDist { .. })
    ));
    assert!(matches!(
        with("Requires-Python: three\n"),
        Err(MetadataError::RequiresPython { .. })
    ));
}

#[test]
fn too_much_of_anything_is_refused() {
    assert!(matches!(
        CoreMetadata::parse(&vec![b'a'; LONGEST + 1]),
        Err(MetadataError::TooLong { .. })
    ));
    assert!(matches!(
        with(&"Classifier: a\n".repeat(MOST_HEADERS)),
        Err(MetadataError::TooMany { .. })
    ));
    assert!(matches!(
        with(&"Requires-Dist: a\n".repeat(MOST_REQUIREMENTS + 1)),
        Err(MetadataError::TooMany { .. })
    ));
}

#[test]
fn messages_carry_no_control_characters() {
    let error =
        CoreMetadata::parse(b"Metadata-Version: 2.1\nName: \x1b[31mred\nVersion: 1\n").unwrap_err();
    assert!(!error.to_string().contains('\x1b'));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = CoreMetadata::parse(&bytes);
        let mut headed = b"Metadata-Version: 2.1\nName: a\nVersion: 1\n".to_vec();
        headed.extend(bytes);
        let _ = CoreMetadata::parse(&headed);
    }
}
