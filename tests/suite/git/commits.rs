//! The right commit, and the version that a clone would give.

use tests::{Repository, Sdist, Setting, World};

use crate::{site, world};

#[test]
fn the_version_is_that_of_a_clone_in_every_setting() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = Repository::described(&world, "repository");
        repository.commit("one");
        repository.git(&["tag", "--annotate", "v1.2.0", "-m", "release"]);
        repository.write("described/more.py", "");
        let second = repository.commit("two");
        repository.git(&["branch", "feature/x"]);
        repository.write("described/most.py", "");
        repository.commit("three");
        let url = repository.url();
        // As the clone abbreviates it.
        let short = repository.git(&["rev-parse", "--short", &second]);
        for (reference, version) in [
            ("@v1.2.0".to_owned(), "1.2.0".to_owned()),
            ("@feature/x".to_owned(), format!("1.2.1.dev1+g{short}")),
            (format!("@{second}"), format!("1.2.1.dev1+g{short}")),
            (format!("@{}", &second[..8]), format!("1.2.1.dev1+g{short}")),
        ] {
            let done = world
                .wheel(format!("described @ {url}{reference}"))
                .finish();
            let wheel = done.wheel();
            assert_eq!(wheel.version, version, "{reference} {done}");
            assert_eq!(wheel.source.expect("a source").kind, "git", "{done}");
            done.is_tidy();
        }
        let newest = world.wheel(&url).finish();
        assert!(
            newest.wheel().version.starts_with("1.2.1.dev2+g"),
            "{newest}"
        );
        // A new tag on the same commit is another version.
        repository.git(&["tag", "v2.0"]);
        assert_eq!(world.wheel(&url).finish().wheel().version, "2.0");
    }
}

#[test]
fn hatch_vcs_tells_the_version_of_a_commit_and_of_a_folder() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = Repository::described_by_hatch(&world, "repository");
        repository.commit("one");
        repository.git(&["tag", "--annotate", "v1.2.0", "-m", "release"]);
        repository.write("described/more.py", "");
        let second = repository.commit("two");
        let short = repository.git(&["rev-parse", "--short", &second]);
        let url = repository.url();
        let folder = repository.folder().display().to_string();
        let later = format!("1.2.1.dev1+g{short}");
        for (spec, version) in [
            (format!("{url}@v1.2.0"), "1.2.0"),
            (format!("{url}@main"), later.as_str()),
            (folder.clone(), later.as_str()),
        ] {
            let done = world.wheel(&spec).finish();
            assert_eq!(done.wheel().version, version, "{spec} {done}");
            done.is_tidy();
        }
        repository.git(&["tag", "v2.0"]);
        for spec in [&url, &folder] {
            assert_eq!(world.wheel(spec).finish().wheel().version, "2.0", "{spec}");
        }
    }
}

#[test]
fn git_itself_answers_in_a_build_as_in_the_clone() {
    let world = world();
    let repository = Repository::new(&world, "repository");
    repository.commit("before the tag");
    repository.git(&["tag", "--annotate", "pkg-1.0", "-m", "release"]);
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.commit("aside");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.commit("main");
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    repository.git(&["tag", "light"]);
    let asked = [
        "describe --tags --long --dirty",
        "describe --long --dirty --match pkg-*",
        "rev-list --count HEAD",
        "rev-parse HEAD",
        "status --porcelain --untracked-files=no",
        "ls-files",
        "log -1 --format=%cI",
    ];
    let prologue = "import json, subprocess\n\
        for words in json.load(open('asked.json')):\n    \
            print('answer:', words, '=', subprocess.run(['git', *words.split()], check=True, capture_output=True, text=True).stdout.split())\n\
        print('remotes:', subprocess.run(['git', 'remote', '-v'], capture_output=True, text=True).stdout)\n";
    repository.lay("", &Sdist::hello("hello", "1.0").prologue(prologue));
    repository.write("asked.json", serde_json::to_string(&asked).expect("JSON"));
    repository.commit("a project");
    repository.git(&[
        "remote",
        "add",
        "origin",
        "https://me:t0ken-t0ken@example.invalid/x",
    ]);
    let done = world.wheel(repository.url()).args(["-vv"]).finish();
    done.built("hello-1.0-py3-none-any.whl");
    for words in asked {
        let split: Vec<_> = words.split(' ').collect();
        let answer = repository.git(&split);
        let answer: Vec<_> = answer
            .split_whitespace()
            .map(|word| format!("'{word}'"))
            .collect();
        let line = format!("answer: {words} = [{}]", answer.join(", "));
        assert!(done.stderr.contains(&line), "{line} {done}");
    }
    assert_eq!(done.tells("t0ken-t0ken"), None);
}

#[test]
fn a_subdirectory_is_built_and_knows_the_repository() {
    let world = world();
    let repository = Repository::new(&world, "repository");
    repository.lay("packages/one", &Sdist::hello("one", "1.0"));
    repository.lay("packages/two", &Sdist::hello("two", "2.0"));
    repository.commit("both");
    let spec = format!("{}@main#subdirectory=packages/two", repository.url());
    world
        .wheel(&spec)
        .finish()
        .built("two-2.0-py3-none-any.whl");
    let nowhere = format!("{}#subdirectory=packages/three", repository.url());
    assert!(world.wheel(&nowhere).finish_anyhow().code != Some(0));
}

#[test]
fn files_that_lfs_keeps_elsewhere_are_noted() {
    let world = world();
    let repository = Repository::hello(&world, "repository");
    repository.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    repository.write(
        "big.bin",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    );
    repository.commit("large");
    let done = world.wheel(repository.url()).finish();
    done.built("hello-1.0-py3-none-any.whl");
    assert!(done.stderr.contains("Git LFS"), "{done}");
}
