//! Upgrades that are ended at many moments, beside CI: `cargo run -p tests --bin upgrades -- [--rounds N]`.
//!
//! The moments (50) are spread evenly over all system calls of a good upgrade that change something in the environment,
//! before the kernel did them and after. Build the other programs first: `cargo build -p tests --bins`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;

use tests::killpoint::{Became, Upgrade};
use tests::{Setting, Site, World};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let rounds = match (words.next().as_deref(), words.next()) {
        (None, _) => 50,
        (Some("--rounds"), Some(count)) => count.parse().expect("--rounds takes a number"),
        _ => panic!("usage: upgrades [--rounds N]"),
    };
    let own = std::env::current_exe().expect("a program has a path");
    let beside = |name: &str| own.with_file_name(name).display().to_string();
    let target = own
        .parent()
        .and_then(|folder| folder.parent())
        .expect("a target folder")
        .join("tmp");
    std::fs::create_dir_all(&target).expect("Cargo's folder can be written");
    let site = Site::new(
        &beside("fumehood-under-test"),
        &beside("warden"),
        &target.display().to_string(),
    );
    let world = World::new(&site, Setting::PLAIN);
    let upgrade = Upgrade::new(&world);
    let moments = upgrade.moments();
    let mut tally: BTreeMap<Became, usize> = BTreeMap::new();
    for round in 0..rounds {
        let target = &moments[round * moments.len() / rounds];
        let became = upgrade.interrupt(target);
        *tally.entry(became).or_default() += 1;
        let when = if target.leaving { "after" } else { "before" };
        say(&format!(
            "{became:?}: {when} {} {} (number {})",
            target.call, target.shape, target.number
        ));
    }
    let twice = upgrade.repairs_ended();
    say(&format!(
        "{rounds} of {} moments: {tally:?}, {twice} repairs ended",
        moments.len()
    ));
    ExitCode::SUCCESS
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
