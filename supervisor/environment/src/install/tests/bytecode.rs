//! Bytecode: compiled by the base interpreter, taken over by name only.

use std::fs;
use std::os::unix::fs::symlink;

use model::Code;

use super::world::{Wheel, World, run};
use crate::install::{InstallError, site_packages};

fn wheel() -> Wheel {
    Wheel::new("pkg", "1.0")
        .with(
            "pkg/__init__.py",
            "def fail():\n    raise ValueError('here')\n",
        )
        .with("pkg/odd.name.py", "x = 1\n")
        .with("pkg/py2.py", "print 'old'\n")
        .with("pkg/null.py", "x = 1\0\n")
        .with("pkg/warns.py", "x = 1 is 1\ny = '\\d'\n")
        .with("top.py", "y = 2\n")
}

#[test]
fn sources_are_compiled_and_used_and_hold_no_path_of_this_machine() {
    let world = World::new();
    let mut staged = world.stage(&[&wheel()]).unwrap();
    assert_eq!(staged.bytecode().len(), 6);
    let root = staged.root().to_owned();
    let out = world.compile(&root, 3);
    assert_eq!(
        staged.adopt(&out).unwrap(),
        4,
        "what does not compile is left out"
    );
    let environment = staged.publish(&world.cache).unwrap();
    let python = environment.path.join("bin/python");
    // A changed source shows whether the bytecode is used: it is unchecked.
    let site = environment.path.join(site_packages(&world.facts));
    fs::write(site.join("top.py"), "y = 3\n").unwrap();
    assert_eq!(run(&python, &["-c", "import top; print(top.y)"]), "2");
    let script = "import pkg, traceback\ntry:\n    pkg.fail()\nexcept ValueError:\n    print(traceback.format_exc())";
    let printed = run(&python, &["-c", script]);
    assert!(
        printed.contains(&format!("{}/pkg/__init__.py", site.display())),
        "{printed}"
    );
    let staging = root.to_str().unwrap().as_bytes();
    let tag = world.facts.cache_tag.clone().unwrap();
    for name in ["__init__", "odd.name", "warns"] {
        let bytes = fs::read(site.join(format!("pkg/__pycache__/{name}.{tag}.pyc"))).unwrap();
        assert!(
            !bytes.windows(staging.len()).any(|part| part == staging),
            "{name}"
        );
    }
}

#[test]
fn nothing_of_the_wheels_runs_while_they_are_installed_and_compiled() {
    let world = World::new();
    let ran = world.path("ran");
    let code = format!("open({:?}, 'w').close()\n", ran.to_str().unwrap());
    let planted = wheel()
        .with("evil.pth", &format!("import os; {code}"))
        .with("sitecustomize.py", &code)
        .with("usercustomize.py", &code)
        .with("os.py", &code)
        .with("py_compile.py", &code);
    let mut staged = world.stage(&[&planted]).unwrap();
    let out = world.compile(staged.root(), 2);
    staged.adopt(&out).unwrap();
    let environment = staged.publish(&world.cache).unwrap();
    assert!(!ran.exists(), "planted code ran");
    // The control: the environment's own Python would run it.
    run(&environment.path.join("bin/python"), &["-c", ""]);
    assert!(ran.exists());
}

#[test]
fn only_expected_names_are_taken_and_a_missing_folder_is_no_bytecode() {
    let world = World::new();
    let mut staged = world.stage(&[&wheel()]).unwrap();
    let out = world.compile(staged.root(), 1);
    let cache_folder = out
        .join(site_packages(&world.facts))
        .join("pkg/__pycache__");
    fs::write(cache_folder.join("planted.pyc"), [0; 32]).unwrap();
    fs::write(out.join("pyvenv.cfg"), "home = /evil\n").unwrap();
    fs::remove_dir_all(out.join(site_packages(&world.facts)).join("__pycache__")).unwrap();
    let root = staged.root().to_owned();
    assert_eq!(staged.adopt(&out).unwrap(), 3);
    assert!(
        !root
            .join(site_packages(&world.facts))
            .join("pkg/__pycache__/planted.pyc")
            .exists()
    );
    assert!(
        !fs::read_to_string(root.join("pyvenv.cfg"))
            .unwrap()
            .contains("evil")
    );
}

#[test]
fn links_pipes_and_other_bytes_in_place_of_bytecode_are_refused() {
    type Fault = fn(&std::path::Path);
    let faults: [(&str, Fault); 5] = [
        ("a link", |it| symlink("/etc/hostname", it).unwrap()),
        ("a hard link", |it| {
            let other = it.with_extension("other");
            fs::write(&other, [0; 32]).unwrap();
            fs::hard_link(other, it).unwrap();
        }),
        ("a pipe", |it| {
            rustix::fs::mknodat(
                rustix::fs::CWD,
                it,
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR,
                0,
            )
            .unwrap();
        }),
        ("bytes", |it| fs::write(it, "no bytecode").unwrap()),
        ("checked bytecode", |it| {
            let mut bytes = vec![0; 32];
            bytes[4] = 3;
            fs::write(it, bytes).unwrap();
        }),
    ];
    for (what, fault) in faults {
        let world = World::new();
        let mut staged = world.stage(&[&wheel()]).unwrap();
        let out = world.compile(staged.root(), 1);
        let first = out.join(&staged.bytecode()[0]);
        fs::remove_file(&first).ok();
        fault(&first);
        let error = staged.adopt(&out).expect_err(what);
        assert!(
            matches!(error, InstallError::Bytecode { .. }),
            "{what}: {error}"
        );
        assert_eq!(error.code(), Code::WorkerLost);
    }
    let world = World::new();
    let mut staged = world.stage(&[&wheel()]).unwrap();
    let out = world.compile(staged.root(), 1);
    let folder = out.join(site_packages(&world.facts)).join("pkg");
    fs::remove_dir_all(&folder).unwrap();
    symlink("/usr", &folder).unwrap();
    let error = staged.adopt(&out).unwrap_err();
    assert!(matches!(error, InstallError::Bytecode { .. }), "{error}");
}

#[test]
fn a_source_that_kills_the_compiler_does_not_take_the_others_along() {
    let world = World::new();
    let deep = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let nested = format!("x = {}1\n", "-".repeat(500_000));
    let mut staged = world
        .stage(&[&wheel()
            .with("pkg/aaa.py", &deep)
            .with("pkg/aab.py", &nested)])
        .unwrap();
    let out = world.compile(staged.root(), 8);
    assert!(staged.adopt(&out).unwrap() >= 2);
}
