//! Containers for real: users of all kinds, a read-only root, no capabilities, no network; and every command of the page.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;

use tests::{Filter, Identity, Podman, Sdist, Setting, Wheel, World, search};

use crate::site;

const PAGE: &str = include_str!("../../docs/containers.md");

/// A world whose program and Python every user of a container can reach.
fn contained() -> World<'static> {
    let setting = Setting {
        identity: Identity::Unprivileged,
        ..Setting::DENIED
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
fn the_dockerfile_of_the_page_is_built_and_the_cache_mount_stays_out_of_the_image() {
    for filter in [Filter::Default, Filter::LikeDocker] {
        let world = page_world();
        let Some(podman) = Podman::find(&world) else {
            return;
        };
        world.file("work/context/Dockerfile", blocks("dockerfile").remove(0));
        let program = fs::read(world.program()).expect("the program");
        let copy = world.file("work/context/fumehood", program);
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(copy, executable).expect("an own file");
        let done = podman.with_image(
            "docker build --pull=never --network host -t localhost/built context >&2\n\
             docker run --rm --network none localhost/built sh -c 'echo /wheels/* /cache/*'",
            filter,
        );
        let Some(done) = done else { return };
        assert_eq!(
            done.succeeds(),
            "/wheels/docopt-0.6.2-py3-none-any.whl /cache/*\n"
        );
        assert!(done.talk().contains("1 built"), "{done}");
        assert!(done.talk().contains("lowest level confined"), "{done}");
    }
}

/// Returns the pod that the page's job makes: engines on one host know pods, and no jobs.
fn pod() -> String {
    let manifest = blocks("yaml").remove(0);
    let (_, template) = manifest.split_once("  template:\n").expect("a template");
    let lines = template.lines().map(|line| {
        let line = line
            .strip_prefix("    ")
            .expect("it is inside the template");
        format!("{line}\n")
    });
    let head = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: wheels\n";
    head.to_owned() + &lines.collect::<String>()
}

#[test]
fn the_manifest_of_the_page_runs_as_a_pod_with_all_its_restrictions() {
    for filter in [Filter::Default, Filter::LikeDocker] {
        let world = contained();
        // A real backend copies folders with their modes, which a volume of a group has to bear.
        world.index.real(site().inputs());
        let Some(podman) = Podman::find(&world) else {
            return;
        };
        world.file("work/pod.yaml", pod().replace("IMAGE", tests::IMAGE));
        // Pods leave their control groups behind.
        let done = podman.with_image(
            "docker kube play --network host pod.yaml >&2\n\
             code=$(docker wait wheels-fumehood)\n\
             docker inspect wheels-fumehood\n\
             docker logs wheels-fumehood >&2 2>&1\n\
             id=$(docker pod ps --quiet --no-trunc)\n\
             docker pod rm --all --force >&2\n\
             find /sys/fs/cgroup -depth -type d -path \"*/libpod_parent/$id*\" -exec rmdir {} + || true\n\
             rmdir /sys/fs/cgroup/libpod_parent /sys/fs/cgroup/*/libpod_parent 2>/dev/null || true\n\
             exit $code",
            filter,
        );
        let Some(done) = done else { return };
        let found: serde_json::Value = serde_json::from_str(&done.succeeds()).expect("one list");
        let talk = done.talk();
        assert!(
            talk.contains("/work/dist/docopt-0.6.2-py2.py3-none-any.whl"),
            "{done}"
        );
        assert!(
            talk.contains("1 built") && talk.contains("level confined"),
            "{done}"
        );
        let host = &found[0]["HostConfig"];
        assert_eq!(found[0]["Config"]["User"], "1000:1000", "{done}");
        assert_eq!(host["ReadonlyRootfs"], true, "{done}");
        assert_eq!(found[0]["EffectiveCaps"], serde_json::Value::Null, "{done}");
        assert_eq!(found[0]["BoundingCaps"], serde_json::Value::Null, "{done}");
        let options = host["SecurityOpt"].as_array().expect("a list");
        assert!(options.contains(&"no-new-privileges".into()), "{done}");
    }
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
