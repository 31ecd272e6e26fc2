//! Compatibility tags: which wheels an interpreter can use, and which it likes best.
//!
//! The order is that of PEP 425, with the platforms of PEP 600 (manylinux) and PEP 656
//! (musllinux). Names of wheels are taken apart in `wheel.rs`.

use std::collections::HashMap;

use crate::{PythonFacts, WheelFilename};

/// Combinations of tags that one wheel may claim; a name of 255 bytes could claim more.
const MOST_COMBINATIONS: usize = 16 * 1024;
/// Minor versions of a C library that are listed; more is not believed.
const NEWEST_MINOR: u32 = 199;

/// The tags that an interpreter supports, in the order in which it prefers them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagSet {
    ranks: HashMap<String, u32>,
}

impl TagSet {
    /// Lists the tags of the interpreter that gave `facts`.
    #[must_use]
    pub fn of(facts: &PythonFacts) -> Self {
        let mut list = List {
            platforms: platforms(facts),
            ranks: HashMap::new(),
        };
        let (major, minor, _) = facts.version;
        let interpreter = if facts.implementation == "cpython" {
            cpython(facts, &mut list)
        } else {
            generic(facts, &mut list)
        };
        let pythons: Vec<String> = std::iter::once(format!("py{major}{minor}"))
            .chain(std::iter::once(format!("py{major}")))
            .chain((0..minor).rev().map(|minor| format!("py{major}{minor}")))
            .collect();
        for python in &pythons {
            list.each_platform(python, "none");
        }
        list.add(&interpreter, "none", "any");
        for python in &pythons {
            list.add(python, "none", "any");
        }
        Self { ranks: list.ranks }
    }

    /// Returns how well a wheel fits, lower is better; none if it does not.
    #[must_use]
    pub fn rank(&self, wheel: &WheelFilename) -> Option<u32> {
        let combinations = wheel.python.iter().flat_map(|python| {
            wheel.abi.iter().flat_map(move |abi| {
                wheel
                    .platform
                    .iter()
                    .map(move |platform| key(python, abi, platform))
            })
        });
        combinations
            .take(MOST_COMBINATIONS)
            .filter_map(|tag| self.ranks.get(&tag).copied())
            .min()
    }

    /// Returns whether one tag, `cp311-cp311-linux_x86_64`, is supported.
    #[must_use]
    pub fn supports(&self, tag: &str) -> bool {
        self.ranks.contains_key(tag)
    }
}

struct List {
    platforms: Vec<String>,
    ranks: HashMap<String, u32>,
}

impl List {
    fn add(&mut self, python: &str, abi: &str, platform: &str) {
        let next = u32::try_from(self.ranks.len()).unwrap_or(u32::MAX);
        self.ranks.entry(key(python, abi, platform)).or_insert(next);
    }

    fn each_platform(&mut self, python: &str, abi: &str) {
        for platform in std::mem::take(&mut self.platforms) {
            self.add(python, abi, &platform);
            self.platforms.push(platform);
        }
    }
}

fn key(python: &str, abi: &str, platform: &str) -> String {
    format!("{python}-{abi}-{platform}")
}

/// Adds CPython's own tags and returns the name of the interpreter.
fn cpython(facts: &PythonFacts, list: &mut List) -> String {
    let (major, minor, _) = facts.version;
    let interpreter = format!("cp{major}{minor}");
    let threads = if facts.free_threaded { "t" } else { "" };
    // A debug build loads what release builds made; not the other way round.
    let own = if facts.debug {
        vec![
            format!("{interpreter}{threads}d"),
            format!("{interpreter}{threads}"),
        ]
    } else {
        vec![format!("{interpreter}{threads}")]
    };
    for abi in &own {
        list.each_platform(&interpreter, abi);
    }
    // The stable ABI needs the global interpreter lock.
    let stable = !facts.free_threaded && (major, minor) >= (3, 2);
    if stable {
        list.each_platform(&interpreter, "abi3");
    }
    list.each_platform(&interpreter, "none");
    if stable {
        for older in (2..minor).rev() {
            list.each_platform(&format!("cp{major}{older}"), "abi3");
        }
    }
    interpreter
}

/// Adds the tags of PyPy and others and returns the name of the interpreter in `-none-any`.
fn generic(facts: &PythonFacts, list: &mut List) -> String {
    let (major, minor, _) = facts.version;
    let short = match facts.implementation.as_str() {
        "pypy" => "pp",
        other => other,
    };
    let interpreter = format!("{short}{major}{minor}");
    let abi = facts.soabi.as_deref().map(|soabi| {
        let parts: Vec<&str> = soabi.split('-').take(2).collect();
        parts.join("_").replace(['-', '.', ' '], "_").to_lowercase()
    });
    if let Some(abi) = abi.filter(|abi| !abi.is_empty()) {
        list.each_platform(&interpreter, &abi);
    }
    list.each_platform(&interpreter, "none");
    if short == "pp" {
        format!("pp{major}")
    } else {
        interpreter
    }
}

/// Lists platform tags, the newest C library first, plain `linux_*` last.
fn platforms(facts: &PythonFacts) -> Vec<String> {
    let plain = facts.platform.replace(['-', '.', ' '], "_").to_lowercase();
    let Some(machine) = plain.strip_prefix("linux_") else {
        return vec![plain];
    };
    let mut tags = match &facts.libc {
        Some((name, 2, minor)) if name == "glibc" => manylinux(machine, *minor),
        Some((name, major, minor)) if name == "musl" => (0..=(*minor).min(NEWEST_MINOR))
            .rev()
            .map(|minor| format!("musllinux_{major}_{minor}_{machine}"))
            .collect(),
        _ => Vec::new(),
    };
    tags.push(plain.clone());
    tags
}

fn manylinux(machine: &str, minor: u32) -> Vec<String> {
    // PEP 600: the oldest C library that the older names stand for, on machines that had them.
    let oldest = if matches!(machine, "x86_64" | "i686") {
        5
    } else {
        17
    };
    let mut tags = Vec::new();
    for minor in (oldest..=minor.min(NEWEST_MINOR)).rev() {
        tags.push(format!("manylinux_2_{minor}_{machine}"));
        let older_name = match minor {
            17 => Some("manylinux2014"),
            12 => Some("manylinux2010"),
            5 => Some("manylinux1"),
            _ => None,
        };
        tags.extend(older_name.map(|name| format!("{name}_{machine}")));
    }
    tags
}

#[cfg(test)]
mod tests {
    use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};

    use super::*;

    fn markers() -> MarkerEnvironment {
        MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: "3.11.7",
            os_name: "posix",
            platform_machine: "x86_64",
            platform_python_implementation: "CPython",
            platform_release: "",
            platform_system: "Linux",
            platform_version: "",
            python_full_version: "3.11.7",
            python_version: "3.11",
            sys_platform: "linux",
        }
        .try_into()
        .expect("markers")
    }

    fn facts() -> PythonFacts {
        PythonFacts {
            markers: markers(),
            version: (3, 11, 7),
            implementation: "cpython".into(),
            cache_tag: None,
            soabi: Some("cpython-311-x86_64-linux-gnu".into()),
            abiflags: String::new(),
            debug: false,
            free_threaded: false,
            platform: "linux-x86_64".into(),
            machine: "x86_64".into(),
            libc: Some(("glibc".into(), 2, 36)),
            executable: "/python".into(),
            base_prefix: "/".into(),
            base_exec_prefix: "/".into(),
            library_folders: Vec::new(),
            pip_default_index: None,
            pip_default_origin: None,
        }
    }

    fn rank(facts: &PythonFacts, tags: &str) -> Option<u32> {
        let name = format!("a-1.0-{tags}.whl");
        TagSet::of(facts).rank(&WheelFilename::parse(&name).expect(&name))
    }

    fn in_order(facts: &PythonFacts, tags: &[&str]) {
        let ranks: Vec<u32> = tags
            .iter()
            .map(|tags| rank(facts, tags).unwrap_or_else(|| panic!("{tags} is not supported")))
            .collect();
        assert!(ranks.is_sorted_by(|a, b| a < b), "{tags:?}: {ranks:?}");
    }

    #[test]
    fn cpython_prefers_its_own_abi_then_abi3_then_pure() {
        in_order(
            &facts(),
            &[
                "cp311-cp311-manylinux_2_36_x86_64",
                "cp311-cp311-manylinux2014_x86_64",
                "cp311-cp311-manylinux2010_x86_64",
                "cp311-cp311-manylinux_2_5_x86_64",
                "cp311-cp311-manylinux1_x86_64",
                "cp311-cp311-linux_x86_64",
                "cp311-abi3-manylinux_2_17_x86_64",
                "cp311-none-linux_x86_64",
                "cp310-abi3-linux_x86_64",
                "cp32-abi3-manylinux1_x86_64",
                "py311-none-linux_x86_64",
                "py3-none-manylinux1_x86_64",
                "cp311-none-any",
                "py311-none-any",
                "py3-none-any",
                "py310-none-any",
            ],
        );
    }

    #[test]
    fn a_compressed_name_has_the_rank_of_its_best_tag() {
        assert_eq!(
            rank(&facts(), "py2.py3-none-any"),
            rank(&facts(), "py3-none-any")
        );
    }

    #[test]
    fn foreign_wheels_do_not_fit() {
        for tags in [
            "cp312-cp312-manylinux_2_17_x86_64",
            "cp312-abi3-manylinux_2_17_x86_64",
            "cp311-cp311-manylinux_2_37_x86_64",
            "cp311-cp311-manylinux_2_17_aarch64",
            "cp311-cp311-musllinux_1_2_x86_64",
            "cp311-cp311-win_amd64",
            "cp311-cp311d-linux_x86_64",
            "py2-none-any",
            "pp311-pypy311_pp73-linux_x86_64",
            "cp311-cp311-any",
        ] {
            assert_eq!(rank(&facts(), tags), None, "{tags}");
        }
    }

    #[test]
    fn builds_without_the_lock_know_no_abi3() {
        let mut facts = facts();
        facts.version = (3, 13, 1);
        facts.free_threaded = true;
        assert!(rank(&facts, "cp313-cp313t-manylinux_2_17_x86_64").is_some());
        assert_eq!(rank(&facts, "cp313-cp313-manylinux_2_17_x86_64"), None);
        assert_eq!(rank(&facts, "cp39-abi3-manylinux_2_17_x86_64"), None);
        facts.free_threaded = false;
        facts.debug = true;
        in_order(
            &facts,
            &["cp313-cp313d-linux_x86_64", "cp313-cp313-linux_x86_64"],
        );
    }

    #[test]
    fn pypy_and_musl_have_their_own_tags() {
        let mut facts = facts();
        facts.implementation = "pypy".into();
        facts.version = (3, 9, 16);
        facts.soabi = Some("pypy39-pp73-x86_64-linux-gnu".into());
        facts.libc = Some(("musl".into(), 1, 2));
        in_order(
            &facts,
            &[
                "pp39-pypy39_pp73-musllinux_1_2_x86_64",
                "pp39-pypy39_pp73-musllinux_1_0_x86_64",
                "pp39-none-linux_x86_64",
                "py39-none-linux_x86_64",
                "pp3-none-any",
                "py3-none-any",
            ],
        );
        assert_eq!(rank(&facts, "cp39-abi3-linux_x86_64"), None);
        assert_eq!(rank(&facts, "pp39-pypy39_pp73-manylinux1_x86_64"), None);
    }
}
