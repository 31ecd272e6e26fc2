//! The index that is asked when none is named: pip's, wherever it is set, else an error that names the fix.

use std::process::Command;

use model::Code;
use tests::{Sdist, World};

use crate::world;

/// Returns the folders from which pip's built-in index could be read.
fn folders_of_pip(world: &World<'_>) -> Vec<String> {
    let code = "import importlib.util as u, os\n\
                for name in ('pip', 'ensurepip'):\n    \
                found = u.find_spec(name)\n    \
                found and print(os.path.dirname(found.origin))";
    let output = Command::new(&world.python().path)
        .args(["-I", "-c", code])
        .current_dir("/")
        .output();
    let text = String::from_utf8(output.expect("Python starts").stdout).expect("paths are text");
    let bundled = "/usr/share/python-wheels";
    let bundled = std::path::Path::new(bundled)
        .is_dir()
        .then(|| bundled.to_owned());
    text.lines().map(str::to_owned).chain(bundled).collect()
}

#[test]
fn without_any_pip_the_error_names_the_flag_and_the_flag_helps() {
    let world = world();
    let sdist = Sdist::hello("thing", "1.0");
    world.index.sdist(&sdist);
    let hide: String = folders_of_pip(&world)
        .iter()
        .map(|folder| format!("mount -t tmpfs -o size=64k,mode=0755 tmpfs '{folder}' || exit 71; "))
        .collect();
    let text = format!("{hide} PATH=/nowhere exec \"$@\"");
    let url = world.index.url();
    let bare = world
        .wheel("thing==1.0")
        .without(&["--default-index", &url]);
    let done = bare.in_own_mounts(&text).finish();
    assert_ne!(done.code, Some(71), "pip could not be hidden: {done}");
    let failure = done.fails_with(Code::NoIndex);
    assert!(
        failure
            .hint
            .is_some_and(|hint| hint.contains("--default-index")),
        "{done}"
    );
    world
        .wheel("thing==1.0")
        .in_own_mounts(&text)
        .finish()
        .built(&sdist.wheel());
}

#[test]
fn the_built_in_index_is_pips_and_doctor_says_so() {
    let world = world();
    if folders_of_pip(&world).is_empty() {
        world.site.unrun.note("a Python with pip");
        return;
    }
    let cache = world.cache();
    let python = world.python().path.clone();
    let done = world
        .run(["doctor", "--output-format", "json"])
        .args([
            "--cache-dir".as_ref(),
            cache.as_os_str(),
            "-p".as_ref(),
            python.as_os_str(),
        ])
        .env("PIP_CONFIG_FILE", "/dev/null")
        .finish();
    done.succeeds();
    let code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";
    let output = Command::new(&python)
        .args(["-I", "-c", code])
        .current_dir("/")
        .output()
        .expect("Python starts");
    let url = String::from_utf8(output.stdout).expect("a URL is text");
    assert!(
        !url.trim().is_empty() && done.stdout.contains(url.trim()),
        "{done}"
    );
    assert!(
        done.stdout.contains("pip"),
        "it is said where the index comes from: {done}"
    );
}

#[test]
fn pips_own_settings_name_the_index() {
    let world = world();
    world.index.sdist(&Sdist::hello("thing", "1.0"));
    let url = world.index.url();
    let bare = || {
        world
            .wheel("thing==1.0")
            .without(&["--default-index", &url])
    };
    assert_eq!(
        bare().env("PIP_INDEX_URL", &url).finish().wheel().version,
        "1.0"
    );
    let file = world.file("pip.conf", format!("[global]\nindex-url = {url}\n"));
    let done = bare()
        .env("PIP_CONFIG_FILE", &file)
        .args(["--refresh"])
        .finish();
    assert_eq!(done.wheel().version, "1.0", "{done}");
}
