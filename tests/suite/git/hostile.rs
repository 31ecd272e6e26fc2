//! What a repository's author could make git do.

use std::fs;

use model::Code;
use tests::{Repository, Setting, World, search};

use crate::{site, world};

#[test]
fn nothing_that_a_repository_names_is_run_or_kept() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let marks = world.folder("marks");
        let script = format!("#!/bin/sh\necho ran > {}/$(basename $0)\n", marks.display());
        let program = world.file("evil/program", &script);
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&program, everybody).expect("a mode can be set");
        let repository = Repository::hello(&world, "repository");
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
            "diff.evil.textconv",
            "credential.helper",
            "core.pager",
            "core.editor",
            "core.askPass",
            "core.alternateRefsCommand",
            "gpg.program",
            "alias.log",
            "alias.rev-list",
            "remote.origin.uploadpack",
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
        for (name, value) in [
            ("log.showSignature", "true"),
            ("core.hooksPath", ".git/hooks"),
            ("core.worktree", "/"),
            ("core.untrackedCache", "true"),
            ("fetch.recurseSubmodules", "true"),
            ("protocol.ext.allow", "always"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialCloneFilter", "blob:none"),
        ] {
            repository.git(&["config", name, value]);
        }
        let folder = repository.folder().display().to_string();
        for spec in [repository.url(), folder] {
            let done = world.wheel(&spec).finish();
            done.holds(&done.wheel());
            assert_eq!(done.tells("t0ken-t0ken"), None, "{done}");
            let left: Vec<_> = search::files(&marks);
            assert!(left.is_empty(), "{spec} {left:?}");
        }
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
        world.wheel(spec).finish().exits_with(Code::BadSpec);
    }
    let repository = Repository::hello(&world, "repository");
    let spec = format!("{}@nowhere", repository.url());
    world.wheel(&spec).finish().fails_with(Code::NoReference);
    let spec = format!("git+file://{}/none", world.folder("marks").display());
    world.wheel(&spec).finish().fails_with(Code::GitFailed);
}

#[test]
fn objects_that_a_repository_lacks_are_fetched_from_nowhere() {
    let world = world();
    let mark = world.folder("marks").join("ran");
    let repository = Repository::hello(&world, "repository");
    let blob = repository.git(&["rev-parse", "HEAD:pyproject.toml"]);
    let (first, rest) = blob.split_at(2);
    let object = repository
        .folder()
        .join(".git/objects")
        .join(first)
        .join(rest);
    fs::remove_file(object).expect("an object can be removed");
    let helper = format!("ext::sh -c touch% {}", mark.display());
    for (name, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", helper.as_str()),
        ("protocol.ext.allow", "always"),
    ] {
        repository.git(&["config", name, value]);
    }
    world
        .wheel(repository.url())
        .finish()
        .fails_with(Code::GitFailed);
    let folder = repository.folder().display().to_string();
    let done = world.wheel(&folder).finish();
    done.built("hello-1.0-py3-none-any.whl");
    assert!(done.stderr.contains("without its repository"), "{done}");
    assert!(!mark.exists(), "{done}");
}

#[test]
fn settings_that_a_repository_includes_are_not_read() {
    let world = world();
    let secret = world.file("elsewhere/settings", "[t0ken-t0ken\n");
    let repository = Repository::hello(&world, "repository");
    let path = secret.display().to_string();
    repository.git(&["config", "include.path", &path]);
    let folder = repository.folder().display().to_string();
    for spec in [repository.url(), folder] {
        let done = world.wheel(&spec).finish_anyhow();
        assert_eq!(done.tells("t0ken-t0ken"), None, "{done}");
        assert!(!done.stderr.contains("bad config line"), "{done}");
    }
}

#[test]
fn variables_of_the_caller_reach_no_git() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let marks = world.folder("marks");
        let script = format!("#!/bin/sh\necho ran > {}/$$\n", marks.display());
        let program = world.file("evil/git-upload-pack", &script);
        let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&program, everybody).expect("a mode can be set");
        let config = format!("[core]\n\tfsmonitor = {}\n", program.display());
        let config = world.file("evil/config", config);
        let repository = Repository::hello(&world, "repository");
        let trace = marks.join("trace");
        let folder = repository.folder().display().to_string();
        for spec in [repository.url(), folder] {
            let evil = program.parent().expect("a folder");
            let done = world
                .wheel(&spec)
                .env("GIT_EXEC_PATH", evil)
                .env("GIT_TRACE", &trace)
                .env("GIT_TRACE2_EVENT", &trace)
                .env("GIT_CONFIG_GLOBAL", &config)
                .env("GIT_CONFIG_SYSTEM", &config)
                .env("GIT_CONFIG_PARAMETERS", "'core.fsmonitor=/bin/false'")
                .env("GIT_DIR", "/nowhere")
                .env("GIT_WORK_TREE", "/nowhere")
                .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nowhere")
                .env("GIT_PROXY_COMMAND", &program)
                .env("GIT_ASKPASS", &program)
                .finish();
            done.holds(&done.wheel());
            let left: Vec<_> = search::files(&marks);
            assert!(left.is_empty(), "{spec} {left:?}");
        }
    }
}

/// Makes a commit of a tree that git itself would not make: mode, kind, object and name of each entry.
fn forged(repository: &Repository, entries: &[(&str, &str, &str, &str)]) {
    let list: String = entries
        .iter()
        .map(|(mode, kind, object, name)| format!("{mode} {kind} {object}\t{name}\0"))
        .collect();
    repository.write(".git/list", list);
    let tree = "git mktree -z < .git/list";
    repository.git(&["config", "alias.forge", &format!("!{tree}")]);
    let tree = repository.git(&["forge"]);
    let commit = repository.git(&["commit-tree", "-m", "forged", "-p", "HEAD", &tree]);
    repository.git(&["update-ref", "refs/heads/forged", &commit]);
}

#[test]
fn names_that_lead_elsewhere_are_not_laid_down() {
    let world = world();
    let outside = world.folder("outside");
    let repository = Repository::hello(&world, "repository");
    repository.write("link", "");
    let target = outside.display().to_string();
    repository.write("target", &target);
    let link = repository.git(&["hash-object", "-w", "target"]);
    let file = repository.git(&["rev-parse", "HEAD:pyproject.toml"]);
    repository.write("folder/evil", "import os\n");
    repository.git(&["add", "folder/evil"]);
    let tree = repository.git(&["write-tree", "--prefix=folder/"]);
    let cases: [&[(&str, &str, &str, &str)]; 10] = [
        &[("100644", "blob", &file, ".git")],
        &[("040000", "tree", &tree, ".git")],
        &[("100644", "blob", &file, "..")],
        &[("040000", "tree", &tree, "..")],
        &[("040000", "tree", &tree, ".")],
        &[("040000", "tree", &tree, "git~1")],
        &[("040000", "tree", &tree, ".git ")],
        &[("120000", "blob", &link, "out")],
        &[("120000", "blob", &link, ".gitmodules")],
        &[("100644", "blob", &file, "line\nbreak")],
    ];
    for case in cases {
        forged(&repository, case);
        let done = world.wheel(format!("{}@forged", repository.url())).finish();
        assert_ne!(done.code, Some(0), "{case:?} {done}");
        assert!(!done.stderr.contains("line\nbreak"), "{done}");
    }
    // A link, and a folder of the same name behind it.
    let both = [
        ("120000", "blob", link.as_str(), "a"),
        ("040000", "tree", tree.as_str(), "a"),
    ];
    forged(&repository, &both);
    assert_ne!(
        world
            .wheel(format!("{}@forged", repository.url()))
            .finish()
            .code,
        Some(0)
    );
    assert!(search::files(&outside).is_empty());
}

#[test]
fn a_small_commit_of_countless_files_ends_soon() {
    const LEVELS: usize = 10;
    let world = world();
    let repository = Repository::hello(&world, "repository");
    let mut object = repository.git(&["rev-parse", "HEAD:pyproject.toml"]);
    for level in 0..LEVELS {
        let (mode, kind) = if level == 0 {
            ("100644", "blob")
        } else {
            ("040000", "tree")
        };
        let names: Vec<_> = (0..LEVELS).map(|at| format!("n{at}")).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| (mode, kind, object.as_str(), name.as_str()))
            .collect();
        forged(&repository, &entries);
        object = repository.git(&["rev-parse", "forged^{tree}"]);
    }
    let spec = format!("{}@forged", repository.url());
    world.wheel(&spec).finish().fails_with(Code::GitFailed);
}
