//! Lines of files that nobody follows: each refusal says where the line is, why, and what to do instead.

use model::Code;
use tests::Sdist;

use crate::world;

const SERVED: [&str; 2] = [
    "would decide where packages come from",
    "download it, look at it, and give the file",
];
const OTHER: [&str; 2] = [
    "of the systems of repositories git alone is spoken here",
    "check it out and give the folder",
];

#[test]
fn what_another_place_serves_and_other_repositories_are_refused_with_line_reason_and_way_out() {
    let world = world();
    let served = world.index.at("r.txt");
    let of_others = [
        "hg+https://code.invalid/thing",
        "HG+ssh://code.invalid/thing",
        "svn+https://code.invalid/thing@7#egg=thing",
        "bzr+lp:thing",
        "thing @ hg+https://code.invalid/thing",
        "thing[more] @ svn+https://code.invalid/thing ; python_version > '3'",
        "hg+https://${WORD}@code.invalid/thing",
    ];
    let of_files = [
        format!("-r {served}"),
        format!("--requirement={served}"),
        format!("-c {served}"),
        "-c ftp://files.invalid/c.txt".to_owned(),
    ];
    let files = of_files
        .iter()
        .map(|line| (line.as_str(), Code::BadRequirements, SERVED));
    let others = of_others.map(|line| (line, Code::BadSpec, OTHER));
    for (line, code, parts) in files.chain(others) {
        world.file("work/sub/lines.txt", format!("# a remark\n\n{line}\n"));
        world.file("work/r.txt", "-r sub/lines.txt\n");
        for words in [&["wheel"][..], &["wheel", "--no-deps"], &["fetch"]] {
            let run = world.run(words).args(["-r", "r.txt"]);
            let run = run.env("WORD", "s3cret-word").places();
            let done = run.report().finish_anyhow();
            done.says(code);
            assert_eq!(done.code, Some(2), "{line}: {done}");
            assert!(done.stderr.contains("sub/lines.txt:3"), "{line}: {done}");
            for part in parts {
                assert!(done.stderr.contains(part), "{line}: {part}: {done}");
            }
            assert!(done.stdout.contains(parts[1]), "{line}: {done}");
            assert_eq!(done.tells("s3cret-word"), None, "{line}: {done}");
        }
    }
    assert_eq!(world.index.all_requests().len(), 0, "nobody was asked");
}

#[test]
fn constraints_typed_files_and_locks_are_held_to_the_same() {
    let world = world();
    let served = world.index.at("r.txt");
    let refused = |words: &[&str], parts: &[&str]| {
        let run = world.run(["wheel"]).args(words).places();
        let done = run.report().finish_anyhow();
        done.says(Code::BadRequirements);
        for part in parts {
            assert!(done.stderr.contains(part), "{part}: {done}");
        }
    };
    world.file(
        "work/c.txt",
        "one<2\nthing @ hg+https://code.invalid/thing\n",
    );
    refused(
        &["one", "-c", "c.txt"],
        &["c.txt:2", "does not say where something comes from", "fix:"],
    );
    for flag in ["-r", "-c"] {
        refused(&["one", flag, &served], &SERVED);
    }
    let lock = "lock-version = '1.0'\ncreated-by = 'a test'\n[[packages]]\nname = 'thing'\nversion = '1.0'\n\
                [packages.vcs]\ntype = 'hg'\nurl = 'https://code.invalid/thing'\n\
                commit-id = '0123456789012345678901234567890123456789'\n";
    world.file("work/pylock.toml", lock);
    refused(
        &["-r", "pylock.toml"],
        &["pylock.toml:", OTHER[0], "fix:   lock an archive of it"],
    );
    assert_eq!(world.index.all_requests().len(), 0, "nobody was asked");
}

#[test]
fn commands_that_deliver_nothing_take_no_folder_for_it() {
    let world = world();
    world.index.sdist(&Sdist::hello("thing", "1.0"));
    for words in [
        &["metadata", "thing"][..],
        &["fetch", "thing"],
        &["lock-build", "thing"],
        &["install", "thing"],
        &["policy", "approve", "0123"],
    ] {
        for flag in ["-o", "--out-dir", "-w", "--wheel-dir"] {
            let run = world.run(words).args([flag, "dist"]).places();
            let done = run.finish_anyhow();
            assert_eq!(done.code, Some(2), "{flag}: {done}");
            done.says(Code::BadFlag);
            let said = format!(
                "`{}` delivers no wheels",
                words[..words.len() - 1].join(" ")
            );
            assert!(done.stderr.contains(&said), "{flag}: {done}");
            assert!(done.stderr.contains("fix:"), "{flag}: {done}");
        }
    }
    assert_eq!(world.index.all_requests().len(), 0);
}
