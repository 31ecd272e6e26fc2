//! Replays what fuzzing has gathered: every file of a corpus is handed to its target once.

use std::path::Path;

#[test]
fn every_input_of_the_corpora_keeps_the_promises() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for (name, target) in fuzz_targets::ALL {
        let folder = corpora.join(name);
        let inputs = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for input in inputs {
            let bytes = std::fs::read(input.unwrap().path()).unwrap();
            target(&bytes);
            count += 1;
        }
        assert!(count > 0, "the corpus of `{name}` is empty");
    }
}

#[test]
fn every_corpus_has_a_target_and_together_they_are_small() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    let mut bytes = 0;
    for folder in std::fs::read_dir(&corpora).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name();
        let known = |(target, _): &&(&str, fn(&[u8]))| name == *target;
        assert!(
            fuzz_targets::ALL.iter().any(|target| known(&target)),
            "{name:?}"
        );
        for input in std::fs::read_dir(folder.path()).unwrap() {
            bytes += input.unwrap().metadata().unwrap().len();
        }
    }
    assert!(bytes < 300_000, "{bytes} bytes");
}
