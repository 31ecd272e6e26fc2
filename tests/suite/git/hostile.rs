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
        let done = world.wheel(&repository.url()).finish();
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
        world.wheel(spec).finish().exits_with(Code::BadSpec);
    }
    let repository = Repository::hello(&world, "repository");
    let spec = format!("{}@nowhere", repository.url());
    world.wheel(&spec).finish().fails_with(Code::NoReference);
    let spec = format!("git+file://{}/none", world.folder("marks").display());
    world.wheel(&spec).finish().fails_with(Code::GitFailed);
}
