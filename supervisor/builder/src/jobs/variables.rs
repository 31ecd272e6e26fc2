//! What a build is told of its fifo, and whether cargo may be told: that is up to the `make` of the host. Pure
//! but for a look at that program's file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use memchr::memmem;
use protocol::AbsPath;

/// The programs that CMake and cargo's build scripts start as make.
const MAKES: [&str; 2] = ["gmake", "make"];
/// The option that came into GNU make 4.4 together with fifos.
const KNOWS_FIFOS: &[u8] = b"jobserver-style";
/// Bytes of a program that are looked through; make has a quarter of a million.
const LARGEST: u64 = 16 << 20;

/// Who shares the host's jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Ninja and cargo.
    Both,
    /// Ninja alone: cargo hands what it is told on to `make`, and this one ends on it.
    NinjaAlone,
}

impl Sharing {
    /// Looks which `make` is in the folders of a PATH.
    #[must_use]
    pub fn on(path: &str) -> Self {
        let folders = || std::env::split_paths(path).filter(|folder| folder.is_absolute());
        let first = |name: &str| {
            folders()
                .map(|folder| folder.join(name))
                .find(|it| it.is_file())
        };
        let makes = MAKES.iter().filter_map(|name| first(name));
        if makes.into_iter().all(|make| knows_fifos(&make)) {
            Self::Both
        } else {
            Self::NinjaAlone
        }
    }
}

/// A program that can not be read, or is another make, is taken for one that does not.
fn knows_fifos(make: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = File::open(make).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.is_ok() && memmem::find(&bytes, KNOWS_FIFOS).is_some()
}

/// Returns the variables that tell a build of the fifo that it sees at `fifo`.
///
/// Clients look for the word in MAKEFLAGS, wherever it stands. For make itself, what follows `--` is a
/// variable of the makefile: as an option it would make a plain `make` parallel, and end one that is older than
/// 4.4. Cargo would hand the word on as an option, so where make does not understand it, its own variable is
/// empty: it then looks into no other and makes jobs of its own.
pub(crate) fn variables(fifo: &AbsPath, sharing: Sharing) -> Vec<(String, String)> {
    let path = fifo.to_string();
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+@%:,=~".contains(sign);
    // There is no way to quote in it that every client knows.
    if !path.chars().all(is_plain) {
        return Vec::new();
    }
    let word = format!("--jobserver-auth=fifo:{path}");
    let cargo = match sharing {
        Sharing::Both => format!("-j {word}"),
        Sharing::NinjaAlone => String::new(),
    };
    [
        ("MAKEFLAGS", format!("-- {word}")),
        ("CARGO_MAKEFLAGS", cargo),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, sharing: Sharing) -> Vec<(String, String)> {
        variables(&AbsPath::new(path).expect("it is absolute"), sharing)
    }

    #[test]
    fn make_is_told_nothing_and_cargo_only_where_make_understands_it() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let makeflags = pair("MAKEFLAGS", "-- --jobserver-auth=fifo:/b/t/.jobs/fifo");
        let cargo = "-j --jobserver-auth=fifo:/b/t/.jobs/fifo";
        let both = told("/b/t/.jobs/fifo", Sharing::Both);
        assert_eq!(both, [makeflags.clone(), pair("CARGO_MAKEFLAGS", cargo)]);
        let alone = told("/b/t/.jobs/fifo", Sharing::NinjaAlone);
        assert_eq!(alone, [makeflags, pair("CARGO_MAKEFLAGS", "")]);
    }

    #[test]
    fn a_path_that_can_not_be_told_is_not_told() {
        assert_eq!(told("/a b/t/.jobs/fifo", Sharing::Both), []);
    }

    #[test]
    fn the_first_make_and_the_first_gmake_decide_and_none_is_no_obstacle() {
        let place = tempfile::tempdir().expect("a temporary folder can be made");
        let [old, new, none] = ["old", "new", "none"].map(|name| place.path().join(name));
        for folder in [&old, &new, &none] {
            std::fs::create_dir(folder).expect("it can be made");
        }
        std::fs::write(old.join("make"), b"\x7fELF jobserver-auth\0").expect("it can be written");
        std::fs::write(new.join("make"), b"\x7fELF jobserver-style\0").expect("it can be written");
        std::fs::write(new.join("gmake"), b"jobserver-style").expect("it can be written");
        let on = |folders: &[&Path]| {
            let path = std::env::join_paths(folders).expect("they can be joined");
            Sharing::on(path.to_str().expect("it is text"))
        };
        assert_eq!(on(&[&none]), Sharing::Both);
        assert_eq!(on(&[&none, &new, &old]), Sharing::Both);
        assert_eq!(on(&[&old, &new]), Sharing::NinjaAlone);
    }
}
