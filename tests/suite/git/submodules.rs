//! Submodules: in place, and by the rules of any repository.

use model::Code;
use tests::{FileServer, Repository, Sdist};

use crate::world;

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
    world
        .wheel(repository.url())
        .finish()
        .built("hello-1.0-py3-none-any.whl");
}

#[test]
fn submodules_lead_neither_to_programs_nor_into_this_machine() {
    let world = world();
    let marker = world.folder("marks").join("ran");
    let inner = Repository::hello(&world, "inner");
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
        let repository = Repository::hello(&world, name);
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
        world
            .wheel(server.url("", name))
            .finish()
            .fails_with(Code::GitRefused);
        if local_too {
            world
                .wheel(repository.url())
                .finish()
                .fails_with(Code::GitRefused);
        }
    }
    assert!(!marker.exists());
}
