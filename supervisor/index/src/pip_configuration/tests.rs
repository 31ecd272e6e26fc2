//! Which files are read and who wins, with real files.

use std::fs;

use super::*;

/// A home, a folder of shared configuration and a prefix, all empty.
struct Place {
    root: tempfile::TempDir,
    environment: Environment,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name).display().to_string();
        let variables = [("HOME", at("home")), ("XDG_CONFIG_DIRS", at("shared"))];
        let environment = Environment {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            prefix: Some(root.path().join("venv")),
        };
        Self { root, environment }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn set(&mut self, name: &str, value: &str) {
        self.environment
            .variables
            .insert(name.to_owned(), value.to_owned());
    }

    fn read(&self) -> PipConfiguration {
        read(&self.environment)
    }

    fn index(&self) -> Option<String> {
        self.read().index_url.map(|(url, _)| url)
    }
}

#[test]
fn files_override_one_another_as_in_pip() {
    let mut place = Place::new();
    place.file(
        "shared/pip/pip.conf",
        "[global]\nindex-url = https://shared.invalid\n",
    );
    assert_eq!(place.index().as_deref(), Some("https://shared.invalid"));
    place.file(
        "home/.pip/pip.conf",
        "[global]\nindex-url = https://old.invalid\n",
    );
    assert_eq!(place.index().as_deref(), Some("https://old.invalid"));
    place.file(
        "home/.config/pip/pip.conf",
        "[global]\nindex-url = https://user.invalid\n",
    );
    assert_eq!(place.index().as_deref(), Some("https://user.invalid"));
    place.file(
        "venv/pip.conf",
        "[global]\nindex-url = https://venv.invalid\n",
    );
    assert_eq!(place.index().as_deref(), Some("https://venv.invalid"));
    let named = place.file("named", "[global]\nindex-url = https://named.invalid\n");
    place.set("PIP_CONFIG_FILE", &named.display().to_string());
    assert_eq!(place.index().as_deref(), Some("https://named.invalid"));
    place.set("PIP_INDEX_URL", "https://variable.invalid");
    assert_eq!(place.index().as_deref(), Some("https://variable.invalid"));
    let (_, origin) = place.read().index_url.expect("an index");
    assert_eq!(origin, "the variable PIP_INDEX_URL");
}

#[test]
fn a_named_file_that_exists_replaces_the_users_and_the_null_device_all() {
    let mut place = Place::new();
    place.file(
        "home/.config/pip/pip.conf",
        "[global]\nindex-url = https://user.invalid\n",
    );
    place.set("PIP_CONFIG_FILE", "/does/not/exist");
    assert_eq!(place.index().as_deref(), Some("https://user.invalid"));
    let named = place.file("named", "[global]\n");
    place.set("PIP_CONFIG_FILE", &named.display().to_string());
    assert_eq!(place.index(), None);
    place.file(
        "venv/pip.conf",
        "[global]\nindex-url = https://venv.invalid\n",
    );
    place.set("PIP_CONFIG_FILE", "/dev/null");
    assert_eq!(place.index(), None);
    assert_eq!(files(&place.environment), Vec::<PathBuf>::new());
}

#[test]
fn sections_override_global_and_the_rest_is_not_ours() {
    let place = Place::new();
    place.file(
        "venv/pip.conf",
        "[wheel]\nindex-url = https://wheel.invalid\n[global]\nindex-url = https://global.invalid\n\
         [install]\nindex-url = https://install.invalid\n[search]\nindex-url = https://x.invalid\n",
    );
    assert_eq!(place.index().as_deref(), Some("https://wheel.invalid"));
    let (_, origin) = place.read().index_url.expect("an index");
    assert!(
        origin.starts_with("`index-url` in [wheel] of `"),
        "{origin}"
    );
}

#[test]
fn every_key_that_is_honoured_is_read() {
    let mut place = Place::new();
    place.file(
        "venv/pip.conf",
        "[global]\nextra-index-url =\n  https://a.invalid\n  https://b.invalid\n\
         find-links = ~/wheels /srv/wheels\nno_index = on\ncert = ~/ca.pem\n\
         client-cert = /client.pem\nproxy = http://proxy.invalid\ntrusted-host = a.invalid\n",
    );
    place.set("PIP_TRUSTED_HOST", "c.invalid d.invalid:8080");
    let home = place.environment.home().expect("a home");
    let read = place.read();
    assert_eq!(
        read.extra_index_urls,
        ["https://a.invalid", "https://b.invalid"]
    );
    assert_eq!(
        read.find_links,
        [
            home.join("wheels").display().to_string(),
            "/srv/wheels".into()
        ]
    );
    assert!(read.no_index);
    assert_eq!(read.cert, Some(home.join("ca.pem")));
    assert_eq!(read.client_cert, Some("/client.pem".into()));
    assert_eq!(read.proxy.as_deref(), Some("http://proxy.invalid"));
    assert_eq!(read.trusted_hosts, ["c.invalid", "d.invalid:8080"]);
    assert_eq!(read.notes, Vec::<String>::new());
}

#[test]
fn what_can_not_be_understood_is_a_note_and_secrets_do_not_show() {
    let mut place = Place::new();
    place.file("venv/pip.conf", "nonsense secret\n");
    place.file(
        "home/.pip/pip.conf",
        "[global]\nindex-url = https://u:secret@a.invalid\n",
    );
    place.set("PIP_NO_INDEX", "maybe");
    place.set("PIP_PROXY", "http://u:secret@proxy.invalid");
    place.set("PIP_FIND_LINKS", "https://u:secret@a.invalid");
    let read = place.read();
    assert_eq!(read.notes.len(), 2, "{:?}", read.notes);
    assert!(!read.no_index);
    assert!(!format!("{read:?} {:?}", place.environment).contains("secret"));
    assert_eq!(
        read.index_url.expect("an index").0,
        "https://u:secret@a.invalid"
    );
}
