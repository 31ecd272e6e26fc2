//! Containers for real: users of all kinds, a read-only root, no capabilities, no network; and every command of the page.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use tests::{Filter, Identity, Namespaces, Podman, Sdist, Setting, Wheel, World, search};

use crate::site;

const PAGE: &str = include_str!("../../docs/containers.md");

/// A world whose program and Python every user of a container can reach.
fn contained() -> World<'static> {
    let setting = Setting {
        identity: Identity::Unprivileged,
        namespaces: Namespaces::Denied,
    };
    World::new(site(), setting)
}

/// Makes a folder that belongs to a user of a container.
fn own(world: &World<'_>, name: &str, uid: u32) {
    let folder = world.folder(format!("work/{name}"));
    chown(&folder, Some(uid), Some(uid)).expect("root can give a folder away");
}

/// Gives everything below a folder to a user.
fn give(folder: &Path, uid: u32) {
    std::os::unix::fs::lchown(folder, Some(uid), Some(uid)).expect("root can give all away");
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            give(&entry.path(), uid);
        } else {
            std::os::unix::fs::lchown(entry.path(), Some(uid), Some(uid))
                .expect("root can give all away");
        }
    }
}

#[test]
fn every_user_builds_in_a_read_only_container_with_one_writable_mount() {
    // A user of the host, one without a line in passwd, and root without capabilities.
    for uid in [1000, 54321, 0] {
        for filter in [Filter::Default, Filter::LikeDocker] {
            let world = contained();
            let Some(podman) = Podman::find(&world) else {
                return;
            };
            own(&world, "v", uid);
            let sdist = Sdist::hello("hello", "1.0");
            let archive = world.file("work/v/hello-1.0.tar.gz", sdist.tar_gz());
            let before = search::files(&world.folder("work/v"));
            assert_eq!(before, [archive]);
            let done = podman.script(
                &format!(
                    "docker run --rm --read-only --cap-drop all --security-opt no-new-privileges --network none \
                     --user {uid}:{uid} -v \"$PWD/v:/mnt\" IMAGE \
                     sh -c '! touch /x /tmp/x /var/tmp/x 2>/dev/null && test -z \"$HOME\" && \
                     fumehood wheel /mnt/hello-1.0.tar.gz --no-deps --cache-dir /mnt/c -o /mnt/out --output-format json'"
                ),
                filter,
            );
            let report: serde_json::Value =
                serde_json::from_str(&done.succeeds()).expect("the report");
            let wheel = &report["wheels"][0];
            assert_eq!(wheel["origin"], "built", "{uid} {filter:?}: {done}");
            assert_eq!(
                wheel["isolation"]["level"], "confined",
                "{uid} {filter:?}: {done}"
            );
            assert!(world.folder("work/v/out").join(sdist.wheel()).is_file());
        }
    }
}

#[test]
fn what_is_cached_is_built_again_without_a_network_in_a_container() {
    let world = contained();
    let Some(podman) = Podman::find(&world) else {
        return;
    };
    world.index.wheel(&Wheel::new("base", "1.0"));
    let sdist = Sdist::hello("needing", "1.0")
        .requires(&["base"])
        .prologue("import base");
    world.index.sdist(&sdist);
    own(&world, "v", 1000);
    let run = |network: &str, words: &str| {
        let text = format!(
            "docker run --rm --read-only --cap-drop all --security-opt no-new-privileges --network {network} \
             --user 1000:1000 -v \"$PWD/v:/mnt\" IMAGE \
             fumehood wheel needing==1.0 --no-deps --no-binary needing --cache-dir /mnt/c -o /mnt/out \
             --output-format json {words}"
        );
        let done = podman.script(&text, Filter::LikeDocker);
        let report: serde_json::Value = serde_json::from_str(&done.succeeds()).expect("the report");
        report["wheels"][0]["origin"].clone()
    };
    assert_eq!(run("host", ""), "built");
    assert_eq!(run("none", "--offline"), "cached");
    assert_eq!(run("none", "--offline -C other=1"), "built");
}

/// Returns the blocks of the page in a language.
fn blocks(language: &str) -> Vec<String> {
    let open = format!("```{language}\n");
    PAGE.split(&open)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default().to_owned())
        .collect()
}

/// A world with what the page builds.
fn page_world() -> World<'static> {
    let world = contained();
    world.index.sdist(&Sdist::hello("docopt", "0.6.2"));
    for name in ["cache", "own", "dist"] {
        own(&world, name, 1000);
    }
    world
}

#[test]
fn the_page_has_no_block_that_is_not_run() {
    let fences = PAGE.lines().filter(|line| line.starts_with("```")).count();
    let known = ["dockerfile", "console", "yaml", "sh"].map(|language| blocks(language).len());
    assert_eq!(known, [1, 4, 1, 1]);
    assert_eq!(fences, 2 * known.iter().sum::<usize>());
}

#[test]
fn the_console_lines_of_the_page_run_one_after_the_other() {
    for filter in [Filter::Default, Filter::LikeDocker] {
        let world = page_world();
        let Some(podman) = Podman::find(&world) else {
            return;
        };
        for block in blocks("console") {
            let command = block.strip_prefix("$ ").expect("one command a block");
            let done = podman.script(command, filter);
            let said = done.succeeds();
            if command.contains("fumehood wheel") {
                let wheel = world
                    .folder("work/dist")
                    .join("docopt-0.6.2-py3-none-any.whl");
                assert_eq!(said.trim(), "/dist/docopt-0.6.2-py3-none-any.whl", "{done}");
                fs::remove_file(&wheel).expect("it was delivered");
            } else {
                assert!(said.contains("confined"), "{done}");
            }
            if command.contains("--cache-readonly") {
                assert!(
                    done.talk().contains("1 cached"),
                    "it came from the shared cache: {done}"
                );
            }
        }
    }
}

#[test]
fn the_dockerfile_of_the_page_has_a_step_that_runs() {
    let world = page_world();
    let Some(podman) = Podman::find(&world) else {
        return;
    };
    let file = blocks("dockerfile").remove(0);
    let step = file.split("RUN ").nth(1).expect("one step");
    let step = step
        .strip_prefix("--mount=type=cache,target=/cache \\\n")
        .expect("a cache mount");
    // An engine gives the step to a shell, as root with the default capabilities, and mounts the cache.
    own(&world, "cache", 0);
    let text = format!(
        "docker run --rm -v \"$PWD/cache:/cache\" -v \"$PWD/dist:/wheels\" IMAGE sh -c '{}'",
        step.trim()
    );
    let done = podman.script(&text, Filter::LikeDocker);
    assert_eq!(
        done.succeeds().trim(),
        "/wheels/docopt-0.6.2-py3-none-any.whl"
    );
    assert!(file.contains("COPY fumehood /usr/local/bin/fumehood"));
}

#[test]
fn the_manifest_of_the_page_runs() {
    let world = page_world();
    let Some(podman) = Podman::find(&world) else {
        return;
    };
    let manifest = blocks("yaml").remove(0);
    // Each line that restricts the container, and what it is on the engine's command line.
    let restrictions = [
        ("runAsUser: 1000", "--user 1000:1000"),
        ("runAsGroup: 1000", ""),
        ("readOnlyRootFilesystem: true", "--read-only"),
        (
            "allowPrivilegeEscalation: false",
            "--security-opt no-new-privileges",
        ),
        ("drop: [\"ALL\"]", "--cap-drop all"),
        ("type: RuntimeDefault", ""),
    ];
    let mut flags = String::new();
    for (line, flag) in restrictions {
        assert!(manifest.contains(line), "{line}");
        flags = format!("{flags} {flag}");
    }
    let command = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("command: "))
        .expect("a command");
    let words: Vec<String> = serde_json::from_str(command).expect("a list");
    // As an `emptyDir` with an `fsGroup` is: of root, writable by the group, which new files get.
    let volume = world.folder("work/volume");
    chown(&volume, Some(0), Some(1000)).expect("root can give a folder away");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o2775);
    fs::set_permissions(&volume, mode).expect("an own folder");
    let text = format!(
        "docker run --rm {flags} -v \"$PWD/volume:/work\" IMAGE {}",
        words.join(" ")
    );
    let done = podman.script(&text, Filter::LikeDocker);
    assert_eq!(
        done.succeeds().trim(),
        "/work/dist/docopt-0.6.2-py3-none-any.whl"
    );
}

#[test]
fn the_buildpack_of_the_page_runs() {
    let world = page_world();
    let Some(podman) = Podman::find(&world) else {
        return;
    };
    own(&world, "layers", 1000);
    world.file("work/pack/build", blocks("sh").remove(0));
    for origin in ["1 built", "1 cached"] {
        let done = podman.script(
            "docker run --rm --cap-drop all --user 1000:1000 -v \"$PWD/layers:/layers\" -v \"$PWD/pack:/mnt:ro\" \
             IMAGE sh /mnt/build /layers /platform /plan",
            Filter::LikeDocker,
        );
        assert_eq!(
            done.succeeds().trim(),
            "/layers/wheels/docopt-0.6.2-py3-none-any.whl"
        );
        assert!(done.talk().contains(origin), "{done}");
    }
    give(&world.folder("work/layers"), 0);
}
