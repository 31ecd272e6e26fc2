//! The compiled programs as text, so that a change of a rule shows in a review as what it does to
//! the filter. `FUMEHOOD_REGENERATE_GOLDEN=1 cargo test -p filter golden` writes them anew.

use std::path::Path;

use super::SPECS;
use crate::arch::Arch;
use crate::emit::compile;

#[test]
fn the_programs_are_the_reviewed_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let regenerate = std::env::var_os("FUMEHOOD_REGENERATE_GOLDEN").is_some_and(|set| set == "1");
    for (arch, prefix) in [(Arch::X86_64, "x86_64"), (Arch::Aarch64, "aarch64")] {
        for (name, spec) in SPECS {
            let file = folder.join(format!("{prefix}-{name}.txt"));
            let now = compile(arch, &spec).to_string();
            if regenerate {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&file, now).unwrap();
                continue;
            }
            let reviewed = std::fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let differs = reviewed
                .lines()
                .zip(now.lines())
                .position(|(old, new)| old != new);
            assert!(
                reviewed == now,
                "{} differs from line {:?} on; see the head of this file",
                file.display(),
                differs.map(|line| line + 1)
            );
        }
    }
}
