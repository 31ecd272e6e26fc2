//! A git server as there are many: git's own program behind a web server, with TLS by an authority of the
//! test's own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::site::script;
use crate::world::World;

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
}

impl Authority {
    /// Makes one; none where openssl is missing.
    #[must_use]
    pub fn new(world: &World<'_>) -> Option<Self> {
        if !world.has_program("openssl") {
            return None;
        }
        let authority = Self {
            folder: world.folder("authority"),
        };
        authority.request(&["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=tests"]);
        Some(authority)
    }

    /// Returns its certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Signs a certificate for names as openssl writes them, `IP:127.0.0.1,DNS:localhost`; returns a file
    /// with it and its key.
    ///
    /// # Panics
    /// When openssl fails.
    #[must_use]
    pub fn sign(&self, name: &str, subjects: &str) -> PathBuf {
        let (key, out) = (format!("{name}.key"), format!("{name}.pem"));
        let extension = format!("subjectAltName={subjects}");
        let mut words = vec!["-keyout", &key, "-out", &out, "-subj", "/CN=server"];
        words.extend(["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", &extension]);
        self.request(&words);
        let mut both = fs::read(self.folder.join(&out)).expect("openssl wrote it");
        both.extend(fs::read(self.folder.join(&key)).expect("openssl wrote it"));
        let path = self.folder.join(format!("{name}-both.pem"));
        fs::write(&path, both).expect("a file can be written");
        path
    }

    fn request(&self, words: &[&str]) {
        let fixed = ["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"];
        let output = Command::new("openssl")
            .args(fixed)
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(words)
            .current_dir(&self.folder)
            .output()
            .expect("openssl starts");
        assert!(output.status.success(), "openssl {words:?}: {output:?}");
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct GitServer {
    process: Child,
    port: u16,
    scheme: &'static str,
    root: PathBuf,
    record: PathBuf,
}

impl GitServer {
    /// Starts one for the repositories below `world`'s folder `name`, with TLS if there is a certificate,
    /// for everybody if `login` is empty.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(world: &World<'_>, name: &str, certificate: Option<&Path>, login: &str) -> Self {
        let root = world.folder(name);
        let record = world.folder("records").join(name);
        let mut process = Command::new(&world.site.python(crate::Identity::Caller).path)
            .args(["-I", "-B", "-c", &script("git_server.py")])
            .args([root.as_path(), certificate.unwrap_or(Path::new(""))])
            .arg(login)
            .arg(&record)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("a server says its port");
        Self {
            process,
            port: line.trim().parse().expect("a port"),
            scheme: certificate.map_or("http", |_| "https"),
            root,
            record,
        }
    }

    /// Returns the folder with what it serves.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns its address, with a login before the host or none.
    #[must_use]
    pub fn address(&self, login: &str, host: &str) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("{}://{login}{at}{host}:{}", self.scheme, self.port)
    }

    /// Returns the address of a repository, as fumehood takes it.
    #[must_use]
    pub fn url(&self, login: &str, name: &str) -> String {
        format!("git+{}/{name}.git", self.address(login, "127.0.0.1"))
    }

    /// Leads paths with a beginning elsewhere.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn redirect(&self, beginning: &str, target: &str) {
        let text = serde_json::json!({ beginning: target }).to_string();
        fs::write(self.root.join("redirects.json"), text).expect("a file can be written");
    }

    /// Returns every request: method, path and what it had for `Authorization`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.record).unwrap_or_default();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
