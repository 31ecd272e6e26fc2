//! Approvals: the narrowest grant, proved, pinned to the bytes of one source, in a file of the user's that nobody else writes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use model::Code;
use serde_json::Value;
use tests::{Run, Sdist, Setting, World};

use crate::retrace::{doing, given, of_cache, reading};
use crate::site;

/// Gives the user a home in the account database: the world's, so that no real one is touched.
fn at_home<'world, 'site>(
    world: &'world World<'site>,
    run: Run<'world, 'site>,
) -> Run<'world, 'site> {
    let uid = world.setting.identity.uid();
    let line = format!("me:x:{uid}:{uid}::{}:/bin/sh\n", world.home().display());
    let accounts = world.file("accounts", line);
    run.in_own_mounts(&format!(
        "mount --bind {} /etc/passwd || exit 71; exec \"$@\"",
        accounts.display()
    ))
}

/// The file of approvals.
fn file(world: &World<'_>) -> PathBuf {
    world.home().join(".config/fumehood/approvals.toml")
}

fn build<'world, 'site>(world: &'world World<'site>, sdist: &Sdist) -> Run<'world, 'site> {
    at_home(world, world.build(sdist))
}

fn approve<'world, 'site>(
    world: &'world World<'site>,
    build: &str,
    more: &[&str],
) -> Run<'world, 'site> {
    let run = world.run(["policy", "approve", build]).args(more).places();
    at_home(world, run)
}

/// Builds what must fail for want of a grant, and returns the build's id.
fn denied(world: &World<'_>, sdist: &Sdist) -> String {
    let done = build(world, sdist).finish();
    let failure = done.fails_with(Code::DeniedFile);
    failure.log.expect("a build has a log")
}

#[test]
fn an_approved_grant_is_shown_with_its_evidence_and_serves_that_source_alone() {
    for setting in Setting::all(site()) {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = reading(&path);
        let failed = denied(&world, &sdist);
        let tried = approve(&world, &failed, &["--dry-run"]).finish();
        tried.succeeds();
        assert!(!file(&world).exists(), "{tried}");
        let approved = approve(&world, &failed, &[]).finish();
        approved.succeeds();
        let shown = format!(
            "  --allow-read {0}  because: read {0} (1 time), build ",
            path.display()
        );
        assert!(approved.stdout.contains(&shown), "{approved}");
        assert!(approved.stdout.contains("proved"), "{approved}");
        let text = fs::read_to_string(file(&world)).expect("it was written");
        assert!(text.contains("name = \"kit\""), "{text}");
        assert!(text.contains("version = \"1.0\""), "{text}");
        assert_eq!(text.matches("[[approval]]").count(), 1, "{text}");
        let mode = fs::metadata(file(&world))
            .expect("it is there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);

        // The proof was made under the key that the user asks for.
        let done = build(&world, &sdist).finish();
        let wheel = done.cached(&sdist.wheel());
        let source = wheel.source.expect("it was built").sha256;
        assert!(text.contains(&format!("source = \"{source}\"")), "{text}");
        fs::remove_file(world.out().join(sdist.wheel())).expect("it was delivered");

        // Other bytes of the same name and version get nothing.
        denied(&world, &reading(&path).file("more.txt", "more"));
        // Neither does anyone for whom it was taken out.
        fs::remove_file(file(&world)).expect("it is there");
        denied(&world, &sdist);
    }
}

#[test]
fn all_that_one_source_needs_is_found_one_after_the_other_and_no_more() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let first = given(&world);
        let second = world.file("given/other.txt", "x");
        let second = second.canonicalize().expect("it was just written");
        let sdist = doing(&format!(
            "open({:?})\nopen({:?})",
            first.display().to_string(),
            second.display().to_string()
        ));
        let approved = approve(&world, &denied(&world, &sdist), &[]).finish();
        approved.succeeds();
        let text = fs::read_to_string(file(&world)).expect("it was written");
        assert_eq!(text.matches("[[approval]]").count(), 2, "{text}");
        build(&world, &sdist).finish().cached(&sdist.wheel());
    }
}

#[test]
fn a_grant_that_does_not_cure_the_build_is_not_approved() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = doing(&format!(
            "open({:?})\nraise TypeError('for another reason')",
            path.display().to_string()
        ));
        let failed = denied(&world, &sdist);
        let refused = approve(&world, &failed, &[]).finish();
        refused.says(Code::Backend);
        assert!(refused.stderr.contains("nothing was approved"), "{refused}");
        assert!(!file(&world).exists(), "{refused}");
    }
}

#[test]
fn what_a_build_does_not_want_any_more_is_not_approved() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = doing(&format!(
            "import os\nif os.path.exists('PKG-INFO'): open({:?})",
            path.display().to_string()
        ));
        let failed = denied(&world, &sdist);
        let flag = ["--allow-read", &path.display().to_string()].map(str::to_owned);
        let words: Vec<_> = flag.iter().map(String::as_str).collect();
        let refused = approve(&world, &failed, &words).finish();
        refused.says(Code::BadFlag);
        assert!(
            refused.stderr.contains("without any new grant"),
            "{refused}"
        );
        let unknown = approve(&world, "nosuch", &[]).finish();
        unknown.says(Code::BadFlag);
    }
}

#[test]
fn a_source_that_changed_since_is_not_approved_in_the_place_of_the_old_one() {
    let world = World::new(site(), Setting::PLAIN);
    let path = given(&world);
    let failed = denied(&world, &reading(&path));
    // The archive stands at the same path.
    world.archive(&reading(&path).file("more.txt", "more"));
    let refused = approve(&world, &failed, &[]).finish();
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(!file(&world).exists(), "{refused}");
}

#[test]
fn a_file_of_approvals_that_others_may_write_or_that_goes_too_far_is_refused() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let sdist = reading(&path);
        approve(&world, &denied(&world, &sdist), &[])
            .finish()
            .succeeds();
        let good = fs::read_to_string(file(&world)).expect("it was written");
        let own = path.display().to_string();
        let secret = world.home().join("secret").display().to_string();
        for wrong in [
            good.replace(&own, &secret),
            good.replace(&own, "/proc/1/environ"),
            good.replace("\"read\"", "\"write\""),
            format!("{good}\nanything = true\n"),
        ] {
            fs::write(file(&world), &wrong).expect("an own file");
            refused(&world, &sdist);
        }
        fs::write(file(&world), &good).expect("an own file");
        let open = fs::Permissions::from_mode(0o666);
        fs::set_permissions(file(&world), open).expect("an own file");
        refused(&world, &sdist);
    }
}

/// Nothing is built while the file can not be used.
fn refused(world: &World<'_>, sdist: &Sdist) {
    let done = build(world, sdist).finish();
    done.exits_with(Code::BadPolicy);
    let report: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(report["failures"][0]["code"], Code::BadPolicy.text());
    let logs = of_cache(world, &["log"]);
    logs.succeeds();
}

#[test]
fn what_failed_is_what_is_run_again_whether_an_sdist_or_metadata() {
    for setting in [Setting::PLAIN, Setting::DENIED] {
        let world = World::new(site(), setting);
        let path = given(&world);
        let open = format!("open({:?})", path.display().to_string());
        // A wheel of it is built without the file: only the hook that failed reads it.
        let sdist = Sdist::hello("kit", "1.0").hooks(&format!(
            "def build_sdist(sdist_directory, config_settings=None):\n    \
             {open}\n    \
             import io, tarfile\n    \
             with tarfile.open(os.path.join(sdist_directory, 'kit-1.0.tar.gz'), 'w:gz') as archive:\n        \
                 for name in sorted(os.listdir('.')):\n            \
                     if os.path.isfile(name): archive.add(name, 'kit-1.0/' + name)\n    \
             return 'kit-1.0.tar.gz'\n\n\
             def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):\n    \
             {open}\n    \
             folder = os.path.join(metadata_directory, 'kit-1.0.dist-info')\n    \
             os.makedirs(folder)\n    \
             with open(os.path.join(folder, 'METADATA'), 'wb') as file:\n        \
                 file.write(wheel_file.metadata(*project()))\n    \
             return 'kit-1.0.dist-info'"
        ));
        let tree = world.lay("work/tree", &sdist).display().to_string();
        let archive = world.archive(&sdist).display().to_string();
        for (words, code_source) in [
            (["build", &tree, "--sdist"], "sdist"),
            (["metadata", &archive, "--quiet"], "metadata"),
        ] {
            let run = || at_home(&world, world.run(words).places().report());
            let failure = run().finish().fails_with(Code::DeniedFile);
            let build = failure.log.expect("a run has a log");
            let approved = approve(&world, &build, &[]).finish();
            approved.succeeds();
            let shown = format!("--allow-read {}", path.display());
            assert!(approved.stdout.contains(&shown), "{approved}");
            run().finish().succeeds();
            let text = fs::read_to_string(file(&world)).expect("it was written");
            assert_eq!(
                text.matches("[[approval]]").count(),
                1,
                "{code_source}: {text}"
            );
            fs::remove_file(file(&world)).expect("it is there");
            let _ = fs::remove_dir_all(world.out());
        }
    }
}
