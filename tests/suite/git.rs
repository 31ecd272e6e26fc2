//! Sources in git repositories: the right commit, the version that a clone would give, and nothing that a
//! repository's author or server could make git do.

use std::fs;

use model::Code;
use tests::{Ear, FileServer, Repository, Run, Sdist, Setting, World, search};

use crate::{site, world};

const DESCRIBED: &str = "[build-system]\nrequires = [\"setuptools==80.9.0\", \"setuptools-scm==8.3.1\"]\n\
    build-backend = \"setuptools.build_meta\"\n[project]\nname = \"described\"\ndynamic = [\"version\"]\n\
    [tool.setuptools]\npackages = [\"described\"]\n[tool.setuptools_scm]\n";

/// A repository of a project whose version git tells.
fn described(world: &World<'_>, name: &str) -> Repository {
    world.index.real(site().inputs());
    let repository = Repository::new(world, name);
    repository.write("pyproject.toml", DESCRIBED);
    repository.write("described/__init__.py", "");
    repository
}

/// A repository of a project like `hello`.
fn hello(world: &World<'_>, name: &str) -> Repository {
    let repository = Repository::new(world, name);
    repository.lay("", &Sdist::hello("hello", "1.0"));
    repository.commit("one");
    repository
}

/// A run that may also take wheels of build requirements.
fn run<'a>(world: &'a World<'static>, spec: &str) -> Run<'a, 'static> {
    world.wheel(spec)
}

#[test]
fn the_version_is_that_of_a_clone_in_every_setting() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = described(&world, "repository");
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
            let done = run(&world, &format!("described @ {url}{reference}")).finish();
            let wheel = done.wheel();
            assert_eq!(wheel.version, version, "{reference} {done}");
            assert_eq!(wheel.source.expect("a source").kind, "git", "{done}");
            done.is_tidy();
        }
        let newest = run(&world, &url).finish();
        assert!(
            newest.wheel().version.starts_with("1.2.1.dev2+g"),
            "{newest}"
        );
        // A new tag on the same commit is another version.
        repository.git(&["tag", "v2.0"]);
        assert_eq!(run(&world, &url).finish().wheel().version, "2.0");
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
    let done = run(&world, &repository.url()).args(["-vv"]).finish();
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
    run(&world, &spec)
        .finish()
        .built("two-2.0-py3-none-any.whl");
    let nowhere = format!("{}#subdirectory=packages/three", repository.url());
    assert!(run(&world, &nowhere).finish_anyhow().code != Some(0));
}

#[test]
fn submodules_are_in_place_also_below_one_another() {
    let world = world();
    let deep = Repository::new(&world, "deep");
    deep.write("deepest.txt", "here");
    deep.commit("one");
    let lib = Repository::new(&world, "lib");
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        "../deep",
        "below",
    ];
    lib.git(&[
        "remote",
        "add",
        "origin",
        &lib.folder().display().to_string(),
    ]);
    lib.git(&add);
    lib.commit("one");
    let repository = Repository::new(&world, "repository");
    let prologue = "assert open('vendor/lib/below/deepest.txt').read() == 'here'\n\
        import subprocess\n\
        said = subprocess.run(['git', 'describe', '--always', '--dirty'], check=True, capture_output=True, text=True).stdout\n\
        assert 'dirty' not in said, said\n";
    repository.lay("", &Sdist::hello("hello", "1.0").prologue(prologue));
    repository.git(&[
        "remote",
        "add",
        "origin",
        &repository.folder().display().to_string(),
    ]);
    let add = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        "../lib",
        "vendor/lib",
    ];
    repository.git(&add);
    repository.commit("with a submodule");
    run(&world, &repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
}

#[test]
fn submodules_lead_neither_to_programs_nor_into_this_machine() {
    let world = world();
    let marker = world.folder("marks").join("ran");
    let inner = hello(&world, "inner");
    let root = world.folder("www");
    let server = FileServer::start(root.clone());
    let commit = inner.git(&["rev-parse", "HEAD"]);
    let helper = format!("ext::sh -c touch% {}", marker.display());
    for (name, address, local_too) in [
        ("helper", helper.as_str(), true),
        ("option", "--upload-pack=touch", true),
        (
            "local",
            &format!("file://{}", inner.folder().display()),
            false,
        ),
        ("path", &inner.folder().display().to_string(), false),
    ] {
        let repository = hello(&world, name);
        let modules = format!("[submodule \"x\"]\n\tpath = x\n\turl = {address}\n");
        repository.write(".gitmodules", modules);
        repository.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{commit},x"),
        ]);
        repository.git(&["add", ".gitmodules"]);
        repository.git(&["commit", "--quiet", "-m", "two"]);
        repository.publish(&root, name);
        run(&world, &server.url("", name))
            .finish()
            .fails_with(Code::GitRefused);
        if local_too {
            run(&world, &repository.url())
                .finish()
                .fails_with(Code::GitRefused);
        }
    }
    assert!(!marker.exists());
}

#[test]
fn nothing_that_a_repository_names_is_run_or_kept() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let marks = world.folder("marks");
        let script = format!("#!/bin/sh\necho ran > {}/$(basename $0)\n", marks.display());
        let program = world.file("evil/program", &script);
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&program, everybody).expect("a mode can be set");
        let repository = hello(&world, "repository");
        repository.write(".gitattributes", "* filter=evil diff=evil merge=evil\n");
        repository.commit("two");
        let program = program.display().to_string();
        for name in [
            "core.fsmonitor",
            "core.sshCommand",
            "core.gitProxy",
            "uploadpack.packObjectsHook",
            "filter.evil.smudge",
            "filter.evil.process",
            "credential.helper",
        ] {
            repository.git(&["config", name, &program]);
        }
        repository.git(&[
            "config",
            "remote.origin.url",
            "https://t0ken-t0ken@example.invalid/x",
        ]);
        for hook in [
            "post-checkout",
            "post-index-change",
            "reference-transaction",
            "update",
        ] {
            let to = repository.folder().join(".git/hooks").join(hook);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder can be made");
            fs::copy(&program, to).expect("a hook can be written");
        }
        let done = run(&world, &repository.url()).finish();
        done.built("hello-1.0-py3-none-any.whl");
        assert_eq!(done.tells("t0ken-t0ken"), None, "{done}");
        let left: Vec<_> = search::files(&marks);
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn what_is_no_address_or_reference_is_refused_before_git_is_asked() {
    let world = world();
    for spec in [
        "git+ext::sh -c id",
        "git+ext::sh",
        "git+git://example.invalid/x",
        "git+http://example.invalid/x",
        "git+ssh://-oProxyCommand=id/x",
        "git+file:///srv/x@--upload-pack=id",
        "hello @ git+https://example.invalid/x@a..b",
    ] {
        run(&world, spec).finish().exits_with(Code::BadSpec);
    }
    let repository = hello(&world, "repository");
    let spec = format!("{}@nowhere", repository.url());
    run(&world, &spec).finish().fails_with(Code::NoReference);
    let spec = format!("git+file://{}/none", world.folder("marks").display());
    run(&world, &spec).finish().fails_with(Code::GitFailed);
}

#[test]
fn a_server_is_reached_by_git_and_never_by_the_build() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let ear = Ear::tcp();
        let prologue = format!(
            "import socket\ntry:\n    socket.create_connection(('127.0.0.1', {}), 2)\nexcept OSError:\n    pass\n",
            ear.port()
        );
        let repository = Repository::new(&world, "repository");
        repository.lay("", &Sdist::hello("hello", "1.0").prologue(&prologue));
        repository.commit("one");
        let root = world.folder("www");
        repository.publish(&root, "hello");
        let server = FileServer::start(root);
        server.wants("me:s3cret-s3cret");
        let done = run(&world, &server.url("me:s3cret-s3cret", "hello")).finish();
        let wheel = done.built("hello-1.0-py3-none-any.whl");
        assert!(server.requests() > 0);
        assert!(!ear.heard(), "{done}");
        let isolation = wheel.isolation.expect("a built wheel has one");
        assert_eq!(isolation.guarantees["ip-net"], "enforced", "{done}");
        assert_eq!(done.tells("s3cret-s3cret"), None);
        assert_eq!(done.tells("bWU6czNjcmV0LXMzY3JldA"), None);
    }
    let world = world();
    let root = world.folder("www");
    hello(&world, "repository").publish(&root, "hello");
    let server = FileServer::start(root);
    server.wants("me:s3cret-s3cret");
    let done = run(&world, &server.url("me:wr0ng-wr0ng", "hello")).finish();
    let failure = done.fails_with(Code::GitFailed);
    assert!(!format!("{failure:?}").contains("wr0ng"), "{done}");
    assert_eq!(done.tells("wr0ng-wr0ng"), None);
}

#[test]
fn credentials_stand_in_no_list_of_arguments() {
    let world = world();
    let root = world.folder("www");
    hello(&world, "repository").publish(&root, "hello");
    let server = FileServer::start(root);
    server.wants("me:s3cret-s3cret");
    let log = world.folder("work").join("calls");
    let spec = world.file("requirement", server.url("me:s3cret-s3cret", "hello"));
    let text = fs::read_to_string(spec).expect("it was written");
    run(&world, &text)
        .traced(&log, "execve")
        .finish()
        .succeeds();
    let calls = fs::read_to_string(&log).expect("strace wrote");
    let fetched: Vec<_> = calls
        .lines()
        .filter(|line| line.contains("\"fetch\""))
        .collect();
    assert!(!fetched.is_empty(), "{calls}");
    for line in calls.lines().filter(|line| line.contains("git")) {
        // The suite's own command line names the spec; everything behind it is the program's.
        let own = line.contains("fumehood") || line.contains("warden");
        assert!(own || !line.contains("s3cret"), "{line}");
        assert!(own || !line.contains("bWU6czNjcmV0"), "{line}");
    }
}

#[test]
fn what_is_known_needs_neither_network_nor_repository() {
    let world = world();
    let repository = hello(&world, "repository");
    let commit = repository.git(&["rev-parse", "HEAD"]);
    let spec = format!("{}@{commit}", repository.url());
    run(&world, &spec)
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    fs::remove_dir_all(repository.folder()).expect("a repository can be removed");
    run(&world, &spec)
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    let branch = format!("{}@main", repository.url());
    run(&world, &branch)
        .args(["--offline"])
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    // A wheel that is kept misses neither source nor repository.
    for bucket in ["sources-v1", "git-v1"] {
        fs::remove_dir_all(world.cache().join(bucket)).expect("a bucket can be removed");
    }
    run(&world, &spec)
        .finish()
        .cached("hello-1.0-py3-none-any.whl");
    run(&world, &branch)
        .args(["--offline"])
        .out("other")
        .finish()
        .exits_with(Code::Offline);
}

/// Damages every pack of the cache's repositories.
fn damage(world: &World<'_>) {
    let kept = world.cache().join("git-v1");
    for file in search::files(&kept) {
        let path = kept.join(&file);
        if path.extension().is_some_and(|ending| ending == "pack") {
            let writable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
            fs::set_permissions(&path, writable).expect("a mode can be set");
            fs::write(&path, "damaged").expect("a pack can be damaged");
        }
    }
}

#[test]
fn a_damaged_repository_of_the_cache_is_fetched_anew() {
    let world = world();
    let repository = hello(&world, "repository");
    run(&world, &repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    damage(&world);
    for bucket in ["sources-v1", "wheels-v1"] {
        fs::remove_dir_all(world.cache().join(bucket)).expect("a bucket can be removed");
    }
    run(&world, &repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
}

#[test]
fn two_processes_fetch_two_references_of_one_repository() {
    const ROUNDS: usize = 50;
    let world = world();
    let repository = hello(&world, "repository");
    let names = ["one", "two"];
    for name in names {
        repository.git(&["checkout", "--quiet", "-b", name]);
        repository.write("which", name);
        repository.commit(name);
        // Many names, so that both are at them for a while, and one must not take away what the
        // other is at when it finds the repository damaged.
        for at in 0..100 {
            repository.git(&["update-ref", &format!("refs/tags/{name}-{at}"), "HEAD"]);
        }
    }
    let start = |name: &str| {
        let spec = format!("{}@{name}", repository.url());
        run(&world, &spec).out(name).start()
    };
    for name in names {
        start(name).finish().succeeds();
    }
    for round in 0..ROUNDS {
        damage(&world);
        for running in names.map(start) {
            let done = running.finish_anyhow();
            done.succeeds();
            assert_eq!(done.report().wheels[0].origin, "cached", "{round} {done}");
        }
    }
}

#[test]
fn a_folder_has_its_history_and_nothing_private_of_its_repository() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let repository = described(&world, "repository");
        repository.write(".gitignore", "*.egg-info\n");
        repository.commit("one");
        repository.git(&["tag", "v1.2.0"]);
        repository.git(&[
            "remote",
            "add",
            "origin",
            "https://t0ken-t0ken@example.invalid/x",
        ]);
        repository.git(&["config", "core.fsmonitor", "/bin/false"]);
        repository.git(&["config", "user.signingkey", "t0ken-t0ken"]);
        let folder = repository.folder().display().to_string();
        let first = run(&world, &folder).finish();
        assert_eq!(first.wheel().version, "1.2.0", "{first}");
        first.is_tidy();
        assert_eq!(run(&world, &folder).finish().wheel().origin, "cached");
        repository.write("described/more.py", "");
        let second = repository.commit("two");
        let short = repository.git(&["rev-parse", "--short", &second]);
        let done = run(&world, &folder).finish();
        assert_eq!(
            done.wheel().version,
            format!("1.2.1.dev1+g{short}"),
            "{done}"
        );
        // The same files under another tag are another version.
        repository.git(&["tag", "v2.0"]);
        let done = run(&world, &folder).finish();
        assert_eq!(done.wheel().version, "2.0", "{done}");
        repository.write("described/__init__.py", "# not committed");
        let done = run(&world, &folder).finish();
        assert!(done.wheel().version.starts_with("2.1.dev0+g"), "{done}");
        assert_eq!(done.tells("t0ken-t0ken"), None);
    }
}

#[test]
fn a_folder_without_commits_or_with_a_broken_repository_is_built_all_the_same() {
    let world = world();
    let repository = Repository::new(&world, "repository");
    repository.lay("", &Sdist::hello("hello", "1.0"));
    let folder = repository.folder().display().to_string();
    run(&world, &folder)
        .finish()
        .built("hello-1.0-py3-none-any.whl");
    repository.commit("one");
    fs::remove_dir_all(repository.folder().join(".git/objects")).expect("objects can be removed");
    fs::create_dir(repository.folder().join(".git/objects")).expect("a folder can be made");
    let again = run(&world, &folder).args(["--refresh"]).finish();
    assert_eq!(
        again.wheel().filename,
        "hello-1.0-py3-none-any.whl",
        "{again}"
    );
}

#[test]
fn files_that_lfs_keeps_elsewhere_are_noted() {
    let world = world();
    let repository = hello(&world, "repository");
    repository.write(
        ".gitattributes",
        "*.bin filter=lfs diff=lfs merge=lfs -text\n",
    );
    repository.write(
        "big.bin",
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    );
    repository.commit("large");
    let done = run(&world, &repository.url()).finish();
    done.built("hello-1.0-py3-none-any.whl");
    assert!(done.stderr.contains("Git LFS"), "{done}");
}
