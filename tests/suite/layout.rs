//! The page about the cache's layout: a cache with some of everything has just the paths that its table has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tests::{Offer, Repository, Sdist, Wheel, World, search};

use crate::promises::repository;
use crate::wheel_files::lay;
use crate::world;

/// Paths of the table that only last while something is made.
const PASSING: [&str; 2] = ["staging-v1/<16 hex>", ".fumehood-<16 hex>"];

/// What the table has in its first column, in backquotes.
fn patterns() -> BTreeSet<String> {
    let page = fs::read_to_string(repository().join("docs/cache-layout.md")).expect("the page");
    let (_, table) = page
        .split_once("| path | written by | read by | healed | removed by |")
        .expect("the table");
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let words = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    words
        .filter(|word| !word.starts_with("--"))
        .map(str::to_owned)
        .collect()
}

/// Whether one component of a path is what a pattern says.
fn fits(part: &str, pattern: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else {
        return part == pattern;
    };
    let (kind, after) = rest.split_once('>').expect("a kind ends");
    let Some(text) = part
        .strip_prefix(before)
        .and_then(|part| part.strip_suffix(after))
    else {
        return false;
    };
    let is_hex = |length: usize| {
        let small = |sign: u8| sign.is_ascii_digit() || (b'a'..=b'f').contains(&sign);
        text.len() == length && text.bytes().all(small)
    };
    let is_small = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit();
    match kind {
        "6 characters" => text.len() == 6 && text.bytes().all(is_small),
        "commit" => is_hex(40) || is_hex(64),
        "project" => text.bytes().all(|sign| is_small(sign) || sign == b'-'),
        "page" => text == "_links" || fits(text, "<project>"),
        "version" => text.starts_with(|sign: char| sign.is_ascii_digit()),
        "wheel" => text.matches('-').count() >= 4,
        hex => {
            let (length, word) = hex.split_once(' ').expect("a number of hex digits");
            assert_eq!(word, "hex", "{pattern} is not known");
            is_hex(length.parse().expect("a number"))
        }
    }
}

/// Whether a path, relative to the root, is what a pattern says; a pattern of a tree ends in `/`.
fn is_of(path: &Path, is_folder: bool, pattern: &str) -> bool {
    let wanted = pattern.strip_suffix('/');
    if wanted.is_some() != is_folder {
        return false;
    }
    let wanted: Vec<_> = wanted.unwrap_or(pattern).split('/').collect();
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.len() == wanted.len()
        && parts
            .iter()
            .zip(wanted)
            .all(|(part, wanted)| fits(part, wanted))
}

/// Does a bit of everything in one cache.
fn work(world: &World<'_>) {
    let plain = Sdist::hello("plain", "1.0").requires(&["tool"]);
    world.index.wheel(&Wheel::new("tool", "1.0")).sdist(&plain);
    let linked = Sdist::hello("linked", "1.0");
    let offer = Offer::new("x", "linked-1.0.tar.gz", linked.tar_gz());
    world.index.offer(offer);
    let specs = [
        "plain".to_owned(),
        world.index.file_url("linked-1.0.tar.gz"),
        world
            .archive(&Sdist::hello("local", "1.0"))
            .display()
            .to_string(),
        world
            .lay("tree", &Sdist::hello("tree", "1.0"))
            .display()
            .to_string(),
        lay(world, &Wheel::new("taken", "1.0")),
    ];
    let links = format!("{}x/", world.index.url());
    let run = world.wheels(&specs).args(["--find-links", &links]);
    run.finish().succeeds();
    let traced = world
        .build(&Sdist::hello("traced", "1.0"))
        .args(["--trace"]);
    traced.finish_anyhow().succeeds();
    let kept = world
        .build(&Sdist::hello("kept", "1.0"))
        .args(["--keep-scratch"]);
    kept.finish_anyhow().succeeds();
}

/// The same for what needs git.
fn work_with_git(world: &World<'_>) {
    let repository = Repository::hello(world, "repository");
    world.wheel(repository.url()).finish_anyhow().succeeds();
    world.wheel(repository.folder()).finish_anyhow().succeeds();
}

#[test]
fn the_table_of_the_layout_has_every_path_of_a_cache_and_none_besides() {
    let world = world();
    if !world.has_program("git") {
        return;
    }
    work(&world);
    work_with_git(&world);
    let patterns = patterns();
    assert!(patterns.len() > 25, "{patterns:?}");
    let mut met = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(world.cache().join(&folder)).expect("an own folder") {
            let entry = entry.expect("an own folder");
            let path = folder.join(entry.file_name());
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let of: Vec<_> = patterns
                .iter()
                .filter(|pattern| is_of(&path, is_folder, pattern))
                .collect();
            met.extend(of.iter().copied().cloned());
            if is_folder && of.is_empty() {
                folders.push(path);
            } else if is_folder && world.cache().join(&path).join("lease").is_file() {
                met.insert("<6 characters>/lease".to_owned());
            } else {
                assert!(
                    is_folder || !of.is_empty(),
                    "{} is not in the table",
                    path.display()
                );
            }
        }
    }
    let unmet: Vec<_> = patterns
        .iter()
        .filter(|pattern| !met.contains(*pattern))
        .map(String::as_str)
        .collect();
    let mut passing = PASSING;
    passing.sort_unstable();
    assert_eq!(
        unmet,
        passing,
        "these were never met: {:?}",
        search::files(&world.cache())
    );
}
