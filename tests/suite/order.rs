//! The order in which finished things appear, as system calls show it: bytes are synced, then get their name, then the
//! folder with the name is synced.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tests::decoy::{changes, states};
use tests::publication::{PUBLISHING, Publication, Publications, is_delivered, is_kept};
use tests::{Offer, Outcome, Run, Sdist, Setting, Venv, Wheel, World, forged, search};

use crate::site;
use crate::traced::needing;

/// As whom things are published: with namespaces and without.
fn settings() -> Vec<Setting> {
    let all = Setting::all(site()).into_iter();
    all.filter(|it| *it == Setting::PLAIN || *it == Setting::DENIED)
        .collect()
}

/// A world with a trace program, and something to build in it.
fn stocked(setting: Setting) -> Option<(World<'static>, Sdist)> {
    let world = World::new(site(), setting);
    let sdist = needing();
    world.index.wheel(&Wheel::new("base", "1.0")).sdist(&sdist);
    world.has_program("strace").then_some((world, sdist))
}

/// Runs something under a trace.
fn traced<'w>(world: &World<'_>, run: Run<'w, 'w>) -> (Outcome<'w, 'w>, Publications) {
    let log = world.folder("traces").join("order");
    let done = run.traced(&log, PUBLISHING).finish();
    done.succeeds();
    (done, Publications::read(&log))
}

/// Sees that everything that got a name in cache and output folder did so in order, and says in which buckets that was.
fn buckets(world: &World<'_>, trace: &Publications) -> BTreeSet<String> {
    let (cache, out) = (world.cache(), world.out());
    let is_last = |path: &Path| is_kept(&cache, path) || is_delivered(&out, path);
    let published = trace.in_order(is_last);
    let bucket = |one: &&Publication| match one.to.strip_prefix(&cache) {
        Ok(inside) => inside
            .components()
            .next()
            .map(|it| it.as_os_str().to_owned()),
        Err(_) => Some("out".into()),
    };
    let names = published.iter().filter_map(bucket);
    names.map(|it| it.to_string_lossy().into_owned()).collect()
}

#[track_caller]
fn has(buckets: &BTreeSet<String>, wanted: &[&str]) {
    for bucket in wanted {
        assert!(buckets.contains(*bucket), "{bucket} is not in {buckets:?}");
    }
}

#[test]
fn whatever_is_published_is_synced_before_it_has_its_name_and_its_folder_after() {
    for setting in settings() {
        let Some((world, sdist)) = stocked(setting) else {
            return;
        };
        let (done, trace) = traced(&world, world.wheel("needing==1.0"));
        done.built(&sdist.wheel());
        let wanted = [
            "sources-v1",
            "downloads-v1",
            "simple-v1",
            "pointers-v1",
            "revisions-v1",
            "environments-v1",
            "wheels-v1",
            "out",
        ];
        has(&buckets(&world, &trace), &wanted);
    }
}

#[test]
fn what_comes_from_a_url_is_synced_before_it_has_its_name_and_its_folder_after() {
    for setting in settings() {
        let Some((world, sdist)) = stocked(setting) else {
            return;
        };
        let url = world.index.file_url(&sdist.filename("tar.gz"));
        let (done, trace) = traced(&world, world.wheel(&url));
        done.built(&sdist.wheel());
        let wanted = ["sources-v1", "pointers-v1", "wheels-v1", "out"];
        has(&buckets(&world, &trace), &wanted);

        let wheel = Wheel::new("alone", "1.0");
        let name = wheel.filename();
        world.index.replace(Offer::new("x", &name, wheel.pack()));
        let (done, trace) = traced(&world, world.wheel(world.index.file_url(&name)));
        assert_eq!(done.wheel().origin, "downloaded", "{done}");
        let wanted = ["downloads-v1", "pointers-v1", "out"];
        has(&buckets(&world, &trace), &wanted);
    }
}

#[test]
fn what_is_fetched_or_built_of_a_folder_is_synced_before_it_has_its_name_and_its_folder_after() {
    let Some((world, sdist)) = stocked(Setting::DENIED) else {
        return;
    };
    let fetch = world.run(["fetch", "needing==1.0", "--no-binary", "needing"]);
    let (_, trace) = traced(&world, fetch.places());
    let wanted = ["sources-v1", "downloads-v1", "pointers-v1"];
    has(&buckets(&world, &trace), &wanted);
    let tree = world.lay("tree", &sdist);
    let build = world.run(["build".as_ref(), tree.as_os_str()]).places();
    let (done, trace) = traced(&world, build);
    assert_eq!(world.delivered().len(), 2, "an sdist and a wheel: {done}");
    has(&buckets(&world, &trace), &["wheels-v1", "out"]);
}

#[test]
fn what_is_made_above_a_lower_cache_is_synced_before_it_has_its_name_and_its_folder_after() {
    for setting in settings() {
        let Some((world, sdist)) = stocked(setting) else {
            return;
        };
        world.wheel("needing==1.0").finish().built(&sdist.wheel());
        let lower = world.move_cache("lower");
        // What is damaged below is healed above.
        forged::damage(&lower.join("sources-v1"));
        let before = states(&lower);
        let run = world.wheel("needing==1.0").flag("--cache-readonly", &lower);
        let (done, trace) = traced(&world, run.args(["-C", "other=1"]));
        done.built(&sdist.wheel());
        has(
            &buckets(&world, &trace),
            &["sources-v1", "wheels-v1", "out"],
        );
        assert_eq!(changes(&before, &states(&lower)), Vec::<String>::new());
        let below = trace.in_order(|path| path.starts_with(&lower));
        assert!(below.is_empty(), "{below:?}");
    }
}

#[test]
fn a_repair_syncs_what_it_publishes_before_it_has_its_name_and_its_folder_after() {
    for setting in settings() {
        let Some((world, sdist)) = stocked(setting) else {
            return;
        };
        world.wheel("needing==1.0").finish().built(&sdist.wheel());
        // As a kill leaves it between a wheel and its key; and a source that was damaged.
        fs::remove_dir_all(world.cache().join("wheels-v1/by-key")).expect("an own folder");
        forged::damage(&world.cache().join("sources-v1"));
        let check = world.run(["cache", "check", "--repair"]);
        let (done, trace) = traced(&world, check.flag("--cache-dir", world.cache()));
        assert_eq!(buckets(&world, &trace), ["wheels-v1".to_owned()].into());
        let keys = search::files(&world.cache().join("wheels-v1/by-key"));
        assert_eq!(keys.len(), 1, "{done}");
        let run = world.wheel("needing==1.0").args(["--offline"]);
        run.finish().cached(&sdist.wheel());
    }
}

#[test]
fn a_wheel_is_copied_to_another_file_system_synced_named_and_its_folder_synced() {
    let Some((world, sdist)) = stocked(Setting::DENIED) else {
        return;
    };
    world.wheel("needing==1.0").finish().built(&sdist.wheel());
    let (place, seen) = (world.folder("elsewhere"), world.folder("seen"));
    // A free name, an older file, and neither links nor files without a name; a folder that is there, and one that is not.
    for (is_there, faults) in [
        (false, &[][..]),
        (true, &[]),
        (false, &["link,linkat:error=EPERM"]),
        (true, &["link,linkat:error=EPERM"]),
    ] {
        let out = place.join("a/b");
        let older = match is_there {
            true => format!(
                "mkdir -p {0} && echo older >{0}/{1}",
                out.display(),
                sdist.wheel()
            ),
            false => "true".to_owned(),
        };
        let text = format!(
            "mount -t tmpfs -o mode=0755 tmpfs {place} || exit 71\n\
             {older} || exit 72\n\
             stat -c %d {place} {cache} >{seen}/devices\n\
             \"$@\" || exit\n\
             cp {out}/* {seen}",
            place = place.display(),
            cache = world.cache().display(),
            seen = seen.display(),
            out = out.display(),
        );
        let log = world.folder("traces").join("delivery");
        let run = world.wheel("needing==1.0").set("-o", &out);
        let run = run.in_own_mounts(&text);
        let done = run.traced_failing(&log, PUBLISHING, faults).finish();
        if done.code == Some(71) {
            return site().unrun.note("the right to mount");
        }
        done.succeeds();
        let wheel = done.report().wheels.remove(0);
        assert_eq!(wheel.origin, "cached", "{done}");
        let devices = fs::read_to_string(seen.join("devices")).expect("it was written");
        let devices: BTreeSet<_> = devices.lines().collect();
        assert_eq!(devices.len(), 2, "two file systems: {devices:?}");
        let content = fs::read(seen.join(sdist.wheel())).expect("it was delivered");
        assert_eq!(search::sha256(&content), wheel.sha256, "{done}");
        let trace = Publications::read(&log);
        let published = trace.in_order(|path| is_delivered(&place, path));
        let names: Vec<_> = published.iter().map(|one| &one.to).collect();
        assert_eq!(names, [&out.join(sdist.wheel())], "{faults:?}");
    }
}

/// A package of which parts lie in folders that others have as well.
fn rich(name: &str, version: &str) -> Wheel {
    let wheel = Wheel::new(name, version)
        .file(&format!("{name}/deep/__init__.py"), version)
        .file(&format!("shared/deep/of_{name}.py"), version)
        .file(
            &format!("{name}-{version}.data/data/share/doc/{name}.txt"),
            version,
        )
        .file(&format!("{name}-{version}.data/headers/{name}.h"), version)
        .file(
            &format!("{name}-{version}.data/scripts/run-{name}"),
            "#!python\n",
        );
    wheel.file(
        &format!("{name}-{version}.dist-info/entry_points.txt"),
        format!("[console_scripts]\n{name} = {name}.deep:main\n"),
    )
}

/// Sees that everything that got a name in an environment did so in order, before the journal went; returns the names.
fn installed(root: &Path, trace: &Publications) -> Vec<PathBuf> {
    let (work, lock) = (root.join(".fumehood"), root.join(".fumehood.lock"));
    let journal = work.join("journal.json");
    let is_inside =
        |path: &Path| path.starts_with(root) && !path.starts_with(&work) && path != lock;
    let published = trace.in_order(|path| is_inside(path) || path == work || path == journal);
    assert!(published.iter().any(|one| one.to == journal));
    trace.are_durable_before_removing(is_inside, &journal);
    published.into_iter().map(|one| one.to.clone()).collect()
}

#[test]
fn what_is_installed_is_synced_before_it_has_its_name_and_all_folders_before_the_journal_goes() {
    let Some((world, _)) = stocked(Setting::DENIED) else {
        return;
    };
    let venv = Venv::new(&world, "env");
    let site_packages = venv.site_packages();
    let place = world.folder("place");
    let target = place.join("new/target");
    for (version, more) in [("1.0", "--quiet"), ("2.0", "--compile-bytecode")] {
        let wheels = ["one", "two"].map(|name| venv.wheel(&rich(name, version)));
        let words = ["--no-deps", more, &wheels[0], &wheels[1]];
        let (_, trace) = traced(&world, venv.install(words));
        let names = installed(&venv.root, &trace);
        for inside in [
            format!("one-{version}.dist-info"),
            "one/deep".into(),
            "shared".into(),
        ] {
            let path = site_packages.join(inside);
            let is_there = |name: &PathBuf| name.starts_with(&path) || path.starts_with(name);
            assert!(names.iter().any(is_there), "{path:?}: {names:?}");
        }
        assert!(names.contains(&venv.root.join("bin/run-two")), "{names:?}");

        let run = world.run(["install"]).args(words).flag("--target", &target);
        let run = run.flag("--cache-dir", world.cache());
        let run = run.flag("--default-index", world.index.url());
        let (_, trace) = traced(&world, run.flag("-p", &world.python().path));
        let names = installed(&target, &trace);
        let info = target.join(format!("two-{version}.dist-info"));
        assert!(names.contains(&info), "{names:?}");
        // The folders that lead to it, of which the first run makes two.
        trace.in_order(|path| path.starts_with(&place) && target.starts_with(path));
    }
}
