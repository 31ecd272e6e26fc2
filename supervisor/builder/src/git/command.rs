//! One git command in one worker, and the files through which it is told and tells.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cache::Scratch;
use protocol::{AbsPath, Access, Ending, Limits, Namespaces, Network, PathGrant, Program};
use sources::{GitUrl, Transport};

use super::answer::{LARGEST, read_answer};
use super::credentials::redactor;
use super::error::{GitError, Said};
use super::local::{LocalRepository, grants_of};
use super::means::{Means, Remote};
use super::programs::{Programs, as_variables, grant, optional, settings};
use super::ssh;
use super::store::lay_out;
use crate::assignment::Layout;
use crate::error::BuildError;
use crate::executor::{ExecuteError, Executor as _, Job};
use crate::furnished::furnished;

/// Where a repository appears at level `ns`.
const REPOSITORY_AT: &str = "/g";
/// Where the user's configuration appears at level `ns`.
const CONFIGURATION_AT: &str = "/gitconfig";
/// Where the input appears at level `ns`.
const INPUT_AT: &str = "/input";
/// Where the settings of ssh appear at level `ns`.
const SSH_CONFIGURATION_AT: &str = "/ssh";
/// Lines of what git says that are kept, the last ones.
const LINES: usize = 8;

/// What a command is.
#[derive(Debug, Default)]
pub(super) struct Command<'a> {
    /// The words after `git`.
    pub(super) words: Vec<String>,
    /// What the command does, after "could not".
    pub(super) doing: &'static str,
    /// The repository.
    pub(super) repository: std::path::PathBuf,
    /// Whether it changes the repository.
    pub(super) writes: bool,
    /// Whom it talks to; nobody where `None`.
    pub(super) remote: Option<Remote<'a>>,
    /// What it reads from its standard input.
    pub(super) input: Option<Vec<u8>>,
    /// The same, if it is the user's, which is read in its own place.
    pub(super) local: Option<LocalRepository>,
    /// Whether it is only looked into for objects, from an empty repository in room `o`.
    pub(super) objects_only: bool,
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

/// What fetching takes.
#[derive(Debug, Default)]
struct Reach {
    grants: Vec<PathGrant>,
    settings: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

/// Runs git commands, one after the other, in one scratch.
#[derive(Debug)]
pub(super) struct Git<'a> {
    means: Means<'a>,
    programs: Programs,
    layout: Layout,
    scratch: Mutex<Option<Scratch>>,
}

impl<'a> Git<'a> {
    /// Finds git and makes a scratch.
    pub(super) async fn new(means: Means<'a>) -> Result<Self, BuildError> {
        let programs = Programs::find()?;
        let host = means.executor.host().await?;
        let scratch = furnished(means.cache)?;
        let room = scratch.path().join("o");
        lay_out(&room).map_err(|source| BuildError::Io {
            doing: "make a repository in",
            path: room,
            source,
        })?;
        // No uid of its own: it has to write the repository, which stays when the uid is gone. What
        // runs is git and nothing that a repository brings.
        let layout = Layout::new(host, None, scratch.path(), means.cache.root())?;
        Ok(Self {
            means,
            programs,
            layout,
            scratch: Mutex::new(Some(scratch)),
        })
    }

    /// Returns a room as git sees it.
    pub(super) fn room(&self, letter: char) -> Result<AbsPath, BuildError> {
        self.layout.room(letter)
    }

    /// Runs a command that has to succeed, and returns what it wrote to its standard output.
    pub(super) async fn run(
        &self,
        url: &GitUrl,
        command: Command<'_>,
    ) -> Result<Vec<u8>, BuildError> {
        let doing = command.doing;
        match self.attempt(command).await? {
            Ok(answer) => Ok(answer),
            Err((ending, said)) => Err(BuildError::from(GitError::Failed {
                url: url.to_string(),
                doing,
                ending,
                said,
                kept: None,
            })),
        }
    }

    /// Runs a command; its failure is an answer too.
    pub(super) async fn attempt(
        &self,
        command: Command<'_>,
    ) -> Result<Result<Vec<u8>, (String, Said)>, BuildError> {
        let taken = self.lock().take();
        let Some(scratch) = taken else {
            return Err(BuildError::Task {
                doing: "run git, whose scratch was lost",
            });
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let job = self.job(scratch, &command, &said)?;
        let (ending, scratch) = match self.means.executor.execute(job).await {
            Ok((evidence, scratch)) => match evidence.claim.ending {
                Ending::Exited(0) => {
                    let answer = read_answer(&scratch);
                    *self.lock() = Some(scratch);
                    return Ok(Ok(answer?));
                }
                Ending::Exited(code) => (format!("exit status {code}"), scratch),
                Ending::Signalled(signal) => (format!("signal {signal}"), scratch),
                Ending::Reached(_) | Ending::Ended | Ending::Nothing => {
                    ("it was ended".to_owned(), scratch)
                }
            },
            Err(ExecuteError::Limit(stopped)) => (stopped.reached.to_string(), stopped.scratch),
            Err(error) => return Err(error.into()),
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

    /// The folder of a repository of the cache as git sees it.
    pub(super) fn repository(&self, path: &Path) -> Result<AbsPath, BuildError> {
        self.seen(path, REPOSITORY_AT)
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
        command: &Command<'_>,
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
            talks: false,
        };
        let mut assignment =
            self.layout
                .assignment(around.grants, limits(command), None, Some(program))?;
        assignment.confinement.network = match transport_of(command) {
            None | Some(Transport::File) => Network::None,
            Some(Transport::Https | Transport::Http | Transport::Ssh) => Network::Outbound,
        };
        let said = Arc::clone(said);
        let remote = command.remote.as_ref();
        let login = remote.and_then(Remote::login);
        Ok(Job {
            assignment,
            scratch,
            dialogue: Box::new(|_| None),
            floor: self.means.floor.without_guarantees(),
            log: None,
            lines: Some(Arc::new(move |line: &str| {
                let mut lines = said.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() == LINES {
                    lines.remove(0);
                }
                lines.push(line.to_owned());
            })),
            redactor: redactor(login.as_ref(), remote.and_then(Remote::proxies)),
            watched: true,
            stream: None,
        })
    }

    /// What the command may reach, and the variables that tell it where that is.
    fn around(&self, scratch: &Scratch, command: &Command<'_>) -> Result<Around, BuildError> {
        let transport = transport_of(command);
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
        let (repository, objects) = if let Some(local) = &command.local {
            (AbsPath::new(&local.folder)?, AbsPath::new(&local.common)?)
        } else {
            let seen = show(&command.repository, access, REPOSITORY_AT)?;
            (seen.clone(), seen)
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
        if let Some(local) = &command.local {
            grants.extend(local.grants()?);
        }
        let mut configure = settings(transport, command.writes);
        let mut variables = self.programs.variables(transport);
        if let Some(remote) = &command.remote {
            let reach = self.reach(scratch, remote)?;
            grants.extend(reach.grants);
            configure.extend(reach.settings);
            variables.extend(reach.variables);
        }
        variables.extend(self.layout.variables()?);
        variables.extend(as_variables(configure));
        if command.objects_only {
            let quoted = quoted(&objects.join("objects")?);
            variables.push(("GIT_ALTERNATE_OBJECT_DIRECTORIES".to_owned(), quoted));
        }
        let mut say = |name: &str, path: &AbsPath| {
            variables.push((name.to_owned(), path.to_string()));
        };
        if command.objects_only {
            say("GIT_DIR", &self.room('o')?);
        } else {
            say("GIT_DIR", &repository);
        }
        say("GIT_CONFIG_GLOBAL", &configuration);
        if let Some(index) = &command.index {
            say("GIT_INDEX_FILE", &self.room('o')?.join(index)?);
        }
        let mut directory = self.room('t')?;
        if let Some(folder) = &command.work_tree {
            directory = AbsPath::new(self.room('s')?.as_path().join(folder))?;
            say("GIT_WORK_TREE", &directory);
        } else if command.local.is_some() {
            // Any folder: its settings can name one that is not there for git.
            say("GIT_WORK_TREE", &directory);
        }
        Ok(Around {
            grants,
            variables,
            directory,
            input,
        })
    }

    /// What fetching from `remote` takes besides: settings, variables, grants. Credentials go where no
    /// list of arguments shows them.
    fn reach(&self, scratch: &Scratch, remote: &Remote<'_>) -> Result<Reach, BuildError> {
        let Remote { url, settings } = remote;
        let mut reach = Reach {
            grants: Programs::fetching(url.transport())?,
            ..Reach::default()
        };
        reach.grants.extend(grants_of(url)?);
        // The client of indexes was told whom to trust, which is git's business too.
        if let Some(file) = &settings.client.settings().ca_file {
            reach.grants.push(grant(file, Access::Read)?);
            let file = file.display().to_string();
            reach.settings.push(("http.sslCAInfo".to_owned(), file));
        }
        if matches!(url.transport(), Transport::Https | Transport::Http)
            && let Some(proxies) = remote.proxies()
        {
            let variables = proxies.variables().into_iter();
            reach
                .variables
                .extend(variables.map(|(name, value)| (name.to_owned(), value)));
        }
        if let Some(login) = remote.login() {
            // git runs a helper by the shell.
            reach.grants.push(optional("/bin/sh", Access::ReadExecute)?);
            reach.settings.push(login.setting(url));
            reach.variables.extend(login.variables());
        }
        if url.transport() == Transport::Ssh {
            let folder = settings.ssh_folder.as_deref();
            let text = ssh::configuration(folder);
            let place = scratch.write("ssh", text.as_bytes())?;
            let seen = self.seen(&place, SSH_CONFIGURATION_AT)?;
            reach.grants.extend(ssh::grants(folder)?);
            reach.grants.push(PathGrant {
                seen_as: Some(seen.clone()),
                ..grant(place, Access::Read)?
            });
            let command = ssh::command(seen.as_path());
            reach
                .variables
                .push(("GIT_SSH_COMMAND".to_owned(), command));
        }
        Ok(reach)
    }
}

/// A path as an item of a list that git splits at colons.
fn quoted(path: &AbsPath) -> String {
    let text = path.to_string().replace('\\', "\\\\");
    format!("\"{}\"", text.replace('"', "\\\""))
}

fn transport_of(command: &Command<'_>) -> Option<Transport> {
    let remote = command.remote.as_ref()?;
    Some(remote.url.transport())
}

fn limits(command: &Command<'_>) -> Limits {
    // What only answers writes its answer and no other file; a small commit can have an endless list.
    let only_answers = !command.writes && !command.objects_only && command.work_tree.is_none();
    Limits {
        wall_ms: 30 * 60 * 1000,
        // git is told to be quiet.
        silence_ms: 30 * 60 * 1000,
        cpu_seconds: 30 * 60,
        memory_bytes: 8 << 30,
        processes: 64,
        open_files: 1024,
        file_bytes: if only_answers { LARGEST } else { 16 << 30 },
        scratch_bytes: 8 << 30,
        scratch_inodes: 1_000_000,
        log_bytes: 8 << 20,
    }
}
