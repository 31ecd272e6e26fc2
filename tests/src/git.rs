//! Git repositories for tests, and a server that gives them away as files, as any web server can.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;

use crate::sdist::Sdist;
use crate::world::World;

/// A project whose version git tells.
const DESCRIBED: &str = "[build-system]\nrequires = [\"setuptools==80.9.0\", \"setuptools-scm==8.3.1\"]\n\
    build-backend = \"setuptools.build_meta\"\n[project]\nname = \"described\"\ndynamic = [\"version\"]\n\
    [tool.setuptools]\npackages = [\"described\"]\n[tool.setuptools_scm]\n";

/// The same, by another backend.
const DESCRIBED_BY_HATCH: &str = "[build-system]\nrequires = [\"hatchling==1.27.0\", \"hatch-vcs==0.5.0\"]\n\
    build-backend = \"hatchling.build\"\n[project]\nname = \"described\"\ndynamic = [\"version\"]\n\
    [tool.hatch.version]\nsource = \"vcs\"\n";

/// A repository with a work tree, below a world's folder.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
    configuration: PathBuf,
}

impl Repository {
    /// Makes an empty one.
    #[must_use]
    pub fn new(world: &World<'_>, name: &str) -> Self {
        let repository = Self {
            folder: world.folder(name),
            // The folder may be another user's, as the program's user may be.
            configuration: world.file("gitconfig", "[safe]\n\tdirectory = *\n"),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository
    }

    /// Makes one with a commit of a project like `hello`.
    #[must_use]
    pub fn hello(world: &World<'_>, name: &str) -> Self {
        let repository = Self::new(world, name);
        repository.lay("", &Sdist::hello("hello", "1.0"));
        repository.commit("one");
        repository
    }

    /// Makes one of a project whose version git tells, without a commit; the index has what it needs.
    #[must_use]
    pub fn described(world: &World<'_>, name: &str) -> Self {
        Self::described_by(world, name, DESCRIBED)
    }

    /// The same for a project that hatch-vcs tells its version.
    #[must_use]
    pub fn described_by_hatch(world: &World<'_>, name: &str) -> Self {
        Self::described_by(world, name, DESCRIBED_BY_HATCH)
    }

    fn described_by(world: &World<'_>, name: &str, project: &str) -> Self {
        world.index.real(world.site.inputs());
        let repository = Self::new(world, name);
        repository.write("pyproject.toml", project);
        repository.write("described/__init__.py", "");
        repository
    }

    /// Returns its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns its address, as fumehood takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("git+file://{}", self.folder.display())
    }

    /// Runs git in it and returns what it says.
    ///
    /// # Panics
    /// When git fails.
    #[track_caller]
    pub fn git(&self, words: &[&str]) -> String {
        let output = Command::new("git")
            .args(words)
            .current_dir(&self.folder)
            .env("GIT_CONFIG_GLOBAL", &self.configuration)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ALLOW_PROTOCOL", "file")
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Somebody")))
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "a@b.invalid")))
            .output()
            .expect("git starts");
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Writes a file.
    ///
    /// # Panics
    /// When it can not be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("a folder can be made");
        std::fs::write(path, content).expect("a file can be written");
    }

    /// Writes the files of a source tree below a folder, empty for the top.
    pub fn lay(&self, folder: &str, sdist: &Sdist) {
        for (name, content) in sdist.files() {
            let path = format!("{folder}/{name}");
            self.write(path.trim_start_matches('/'), content);
        }
    }

    /// Commits everything and returns the commit's name.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Makes a copy that a web server can give away, `NAME.git` below `root`.
    pub fn publish(&self, root: &Path, name: &str) {
        let to = root.join(format!("{name}.git"));
        let to = to.display().to_string();
        self.git(&["clone", "--quiet", "--bare", ".", &to]);
        self.git(&["--git-dir", &to, "update-server-info"]);
    }
}

/// A web server for the files below a folder.
#[derive(Debug)]
pub struct FileServer {
    address: String,
    login: Arc<Mutex<Option<String>>>,
    asked: Arc<Mutex<usize>>,
}

impl FileServer {
    /// Starts one on the loopback; it ends with the test's process.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn start(root: PathBuf) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let login: Arc<Mutex<Option<String>>> = Arc::default();
        let asked: Arc<Mutex<usize>> = Arc::default();
        let (wanted, count) = (Arc::clone(&login), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                let wanted = wanted
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                let root = root.clone();
                // A client that goes away is no failure of the server.
                std::thread::spawn(move || drop(serve(&stream, &root, wanted.as_deref())));
            }
        });
        Self {
            address,
            login,
            asked,
        }
    }

    /// Wants a name and a password from now on, `NAME:PASSWORD`.
    pub fn wants(&self, login: &str) {
        let word = base64::engine::general_purpose::STANDARD.encode(login);
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("Basic {word}"));
    }

    /// Returns how many requests came.
    #[must_use]
    pub fn requests(&self) -> usize {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the address of a published repository, with a login before the host or none.
    #[must_use]
    pub fn url(&self, login: &str, name: &str) -> String {
        let at = if login.is_empty() { "" } else { "@" };
        format!("git+http://{login}{at}{}/{name}.git", self.address)
    }
}

fn serve(stream: &TcpStream, root: &Path, wanted: Option<&str>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut login = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            login = Some(value.trim().to_owned());
        }
    }
    let path = first.split(' ').nth(1).unwrap_or("/");
    let path = path
        .split('?')
        .next()
        .unwrap_or("/")
        .trim_start_matches('/');
    let mut stream = stream;
    let (status, body) = match std::fs::read(root.join(path)) {
        _ if wanted.is_some() && login.as_deref() != wanted => ("401 Unauthorized", Vec::new()),
        Ok(body) if !path.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    let ask = if status.starts_with("401") {
        "WWW-Authenticate: Basic realm=\"tests\"\r\n"
    } else {
        ""
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{ask}\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}
