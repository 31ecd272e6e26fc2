//! One git command in one worker, and the files through which it is told and tells.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cache::Scratch;
use protocol::{AbsPath, Access, Ending, Limits, Namespaces, Network, PathGrant, Program};
use rustix::fs::{Mode, OFlags, openat};
use sources::{GitUrl, Transport};

use super::credentials::{authorization, redactor};
use super::error::{GitError, Said};
use super::programs::{Programs, as_variables, grant, settings};
use crate::assignment::Layout;
use crate::error::BuildError;
use crate::executor::{Executor as _, Job};
use crate::furnished::furnished;
use crate::settings::Settings;

/// Where a repository appears at level `ns`.
const REPOSITORY_AT: &str = "/g";
/// Where the user's configuration appears at level `ns`.
const CONFIGURATION_AT: &str = "/gitconfig";
/// Where the input appears at level `ns`.
const INPUT_AT: &str = "/input";
/// Bytes of an answer.
const LARGEST: u64 = 256 << 20;
/// Lines of what git says that are kept, the last ones.
const LINES: usize = 8;

/// What a command is.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// The words after `git`.
    pub(super) words: Vec<String>,
    /// What the command does, after "could not".
    pub(super) doing: &'static str,
    /// The repository.
    pub(super) repository: std::path::PathBuf,
    /// Whether it changes the repository.
    pub(super) writes: bool,
    /// Whom it talks to; nobody where `None`.
    pub(super) remote: Option<GitUrl>,
    /// What it reads from its standard input.
    pub(super) input: Option<Vec<u8>>,
    /// Whether the repository is the user's, which is read in its own place.
    pub(super) in_place: bool,
    /// Whether new objects go to room `o`, since the repository is only read.
    pub(super) objects_aside: bool,
    /// The index, a name in room `o`.
    pub(super) index: Option<String>,
    /// The work tree, relative to room `s`; also the working folder.
    pub(super) work_tree: Option<String>,
}

/// What a command finds around it.
struct Around {
    grants: Vec<PathGrant>,
    variables: Vec<(String, String)>,
    directory: AbsPath,
    input: Option<AbsPath>,
}

/// Runs git commands, one after the other, in one scratch.
#[derive(Debug)]
pub(super) struct Git<'a> {
    settings: &'a Settings,
    programs: Programs,
    layout: Layout,
    scratch: Mutex<Option<Scratch>>,
}

impl<'a> Git<'a> {
    /// Finds git and makes a scratch.
    pub(super) async fn new(settings: &'a Settings) -> Result<Self, BuildError> {
        let programs = Programs::find()?;
        let host = settings.executor.host().await?;
        let scratch = furnished(&settings.cache)?;
        let objects = scratch.path().join("o/objects/pack");
        std::fs::create_dir_all(&objects).map_err(|source| BuildError::Io {
            doing: "make",
            path: objects,
            source,
        })?;
        // No uid of its own: it has to write the repository, which stays when the uid is gone. What
        // runs is git and nothing that a repository brings.
        let layout = Layout::new(host, None, scratch.path(), settings.cache.root())?;
        Ok(Self {
            settings,
            programs,
            layout,
            scratch: Mutex::new(Some(scratch)),
        })
    }

    /// Returns the settings of the whole pipeline.
    pub(super) fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// Returns a room as git sees it.
    pub(super) fn room(&self, letter: char) -> Result<AbsPath, BuildError> {
        self.layout.room(letter)
    }

    /// Runs a command that has to succeed, and returns what it wrote to its standard output.
    pub(super) async fn run(&self, url: &GitUrl, command: Command) -> Result<Vec<u8>, BuildError> {
        let doing = command.doing;
        match self.attempt(command).await? {
            Ok(answer) => Ok(answer),
            Err((ending, said)) => Err(BuildError::from(GitError::Failed {
                url: url.to_string(),
                doing,
                ending,
                said,
            })),
        }
    }

    /// Runs a command; its failure is an answer too.
    pub(super) async fn attempt(
        &self,
        command: Command,
    ) -> Result<Result<Vec<u8>, (String, Said)>, BuildError> {
        let taken = self.lock().take();
        let Some(scratch) = taken else {
            return Err(BuildError::Task {
                doing: "run git, whose scratch was lost",
            });
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let job = self.job(scratch, &command, &said)?;
        let (evidence, scratch) = self.settings.executor.execute(job).await?;
        let ending = match evidence.claim.ending {
            Ending::Exited(0) => {
                let answer = read_answer(&scratch);
                *self.lock() = Some(scratch);
                return Ok(Ok(answer?));
            }
            Ending::Exited(code) => format!("exit status {code}"),
            Ending::Signalled(signal) => format!("signal {signal}"),
            Ending::Reached(limit) => format!("its limit was reached: {limit:?}"),
            Ending::Ended | Ending::Nothing => "it was ended".to_owned(),
        };
        *self.lock() = Some(scratch);
        let lines = said.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Err((ending, Said(lines.join("\n")))))
    }

    /// Gives the scratch to somebody who reads what git left in it. No command runs any more.
    pub(super) fn finish(self) -> Result<Scratch, BuildError> {
        let scratch = self.scratch.into_inner();
        scratch
            .unwrap_or_else(PoisonError::into_inner)
            .ok_or(BuildError::Task {
                doing: "read what git left, whose scratch was lost",
            })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Scratch>> {
        self.scratch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place as git sees it: its own, or the one that stands for it at `ns`.
    fn seen(&self, path: &Path, at_ns: &str) -> Result<AbsPath, BuildError> {
        Ok(match self.layout.namespaces {
            Namespaces::None => AbsPath::new(path)?,
            Namespaces::WithUser | Namespaces::WithoutUser => AbsPath::new(at_ns)?,
        })
    }

    fn job(
        &self,
        scratch: Scratch,
        command: &Command,
        said: &Arc<Mutex<Vec<String>>>,
    ) -> Result<Job, BuildError> {
        let mut around = self.around(&scratch, command)?;
        around.grants.sort();
        around.grants.dedup();
        around.variables.sort();
        let mut words = vec!["git".to_owned()];
        words.extend(command.words.iter().cloned());
        let program = Program {
            path: AbsPath::new(&self.programs.git)?,
            arguments: words,
            environment: around.variables,
            directory: around.directory,
            takes_calls: false,
            input: around.input,
            output: Some(self.room('o')?.join("answer")?),
        };
        let mut assignment =
            self.layout
                .assignment(around.grants, limits(), None, Some(program))?;
        assignment.confinement.network = match command.remote.as_ref().map(GitUrl::transport) {
            None | Some(Transport::File) => Network::None,
            Some(Transport::Https | Transport::Http | Transport::Ssh) => Network::Outbound,
        };
        let said = Arc::clone(said);
        Ok(Job {
            assignment,
            scratch,
            dialogue: Box::new(|_| None),
            floor: self.settings.floor.without_guarantees(),
            log: None,
            lines: Some(Arc::new(move |line: &str| {
                let mut lines = said.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == LINES {
                    lines.remove(0);
                }
                lines.push(line.to_owned());
            })),
            redactor: redactor(command.remote.as_ref()),
        })
    }

    /// What the command may reach, and the variables that tell it where that is.
    fn around(&self, scratch: &Scratch, command: &Command) -> Result<Around, BuildError> {
        let transport = command.remote.as_ref().map(GitUrl::transport);
        let mut grants = self.programs.grants()?;
        let access = if command.writes {
            Access::ReadWrite
        } else {
            Access::Read
        };
        let mut show = |path: &Path, access, at_ns| -> Result<AbsPath, BuildError> {
            let seen = self.seen(path, at_ns)?;
            grants.push(PathGrant {
                seen_as: Some(seen.clone()),
                ..grant(path, access)?
            });
            Ok(seen)
        };
        let repository = if command.in_place {
            AbsPath::new(&command.repository)?
        } else {
            show(&command.repository, access, REPOSITORY_AT)?
        };
        // The one file of settings that git's other half reads as well, for a local repository of
        // another owner: it is only read, and whatever it says nothing is run.
        let configuration = scratch.write("gitconfig", b"[safe]\n\tdirectory = *\n")?;
        let configuration = show(&configuration, Access::Read, CONFIGURATION_AT)?;
        let input = match &command.input {
            Some(bytes) => {
                let path = scratch.write("input", bytes)?;
                Some(show(&path, Access::Read, INPUT_AT)?)
            }
            None => None,
        };
        if command.in_place {
            grants.extend(repository_in(&command.repository)?);
        }
        let mut configure = settings(transport);
        if let Some(remote) = &command.remote {
            grants.extend(Programs::fetching(remote.transport())?);
            grants.extend(local_repository(remote)?);
            configure.extend(self.client_settings(remote, &mut grants)?);
        }
        let mut variables = self.programs.variables(transport);
        variables.extend(self.layout.variables()?);
        variables.extend(as_variables(configure));
        let mut say = |name: &str, path: &AbsPath| {
            variables.push((name.to_owned(), path.to_string()));
        };
        say("GIT_DIR", &repository);
        say("GIT_CONFIG_GLOBAL", &configuration);
        if command.objects_aside {
            say("GIT_OBJECT_DIRECTORY", &self.room('o')?.join("objects")?);
            let known = repository.join("objects")?;
            say("GIT_ALTERNATE_OBJECT_DIRECTORIES", &known);
        }
        if let Some(index) = &command.index {
            say("GIT_INDEX_FILE", &self.room('o')?.join(index)?);
        }
        let mut directory = self.room('t')?;
        if let Some(folder) = &command.work_tree {
            directory = AbsPath::new(self.room('s')?.as_path().join(folder))?;
            say("GIT_WORK_TREE", &directory);
        }
        Ok(Around {
            grants,
            variables,
            directory,
            input,
        })
    }

    /// What the client of indexes was told that is git's business too, and credentials, which go
    /// where no list of arguments shows them.
    fn client_settings(
        &self,
        remote: &GitUrl,
        grants: &mut Vec<PathGrant>,
    ) -> Result<Vec<(String, String)>, BuildError> {
        let mut configure = Vec::new();
        if let Some(file) = &self.settings.client.settings().ca_file {
            grants.push(grant(file, Access::Read)?);
            configure.push(("http.sslCAInfo".to_owned(), file.display().to_string()));
        }
        if let Some(header) = authorization(remote) {
            configure.push((format!("http.{}.extraHeader", remote.origin()), header));
        }
        Ok(configure)
    }
}

/// What git reads of a repository on this machine: the repository, not the work tree around it.
fn local_repository(remote: &GitUrl) -> Result<Vec<PathGrant>, BuildError> {
    let Some(folder) = remote
        .folder()
        .filter(|_| remote.transport() == Transport::File)
    else {
        return Ok(Vec::new());
    };
    let inside = folder.join(".git");
    repository_in(if inside.is_dir() { &inside } else { &folder })
}

/// A repository of the user's, and what it has elsewhere; all of it is only read.
fn repository_in(place: &Path) -> Result<Vec<PathGrant>, BuildError> {
    let mut grants = vec![PathGrant {
        optional: true,
        ..grant(place, Access::Read)?
    }];
    // A clone by `--shared` or `--reference` has objects elsewhere.
    let alternates = std::fs::read_to_string(place.join("objects/info/alternates"));
    for line in alternates.unwrap_or_default().lines().take(8) {
        let objects = place.join("objects").join(line);
        if let Ok(objects) = objects.canonicalize() {
            grants.push(grant(objects, Access::Read)?);
        }
    }
    Ok(grants)
}

/// Reads and removes the answer.
fn read_answer(scratch: &Scratch) -> Result<Vec<u8>, BuildError> {
    let file = open_output(scratch, "answer")?;
    let mut answer = Vec::new();
    file.take(LARGEST)
        .read_to_end(&mut answer)
        .map_err(|source| unreadable(scratch, "answer", source))?;
    Ok(answer)
}

/// Opens a regular file in room `o` by its plain name, following nothing.
pub(super) fn open_output(scratch: &Scratch, name: &str) -> Result<File, BuildError> {
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = openat(scratch.dir(), "o", folder, Mode::empty())
        .and_then(|room| openat(&room, name, flags, Mode::empty()))
        .map(|file: OwnedFd| File::from(file))
        .map_err(std::io::Error::from);
    let file = opened.map_err(|source| unreadable(scratch, name, source))?;
    match file.metadata() {
        Ok(found) if found.is_file() => Ok(file),
        Ok(_) => Err(unreadable(
            scratch,
            name,
            std::io::ErrorKind::InvalidData.into(),
        )),
        Err(source) => Err(unreadable(scratch, name, source)),
    }
}

fn unreadable(scratch: &Scratch, name: &str, source: std::io::Error) -> BuildError {
    BuildError::Io {
        doing: "read git's output",
        path: scratch.path().join("o").join(name),
        source,
    }
}

fn limits() -> Limits {
    Limits {
        wall_ms: 30 * 60 * 1000,
        cpu_seconds: 30 * 60,
        memory_bytes: 8 << 30,
        processes: 64,
        open_files: 1024,
        file_bytes: 16 << 30,
        scratch_bytes: 8 << 30,
        scratch_inodes: 1_000_000,
        log_bytes: 8 << 20,
    }
}
