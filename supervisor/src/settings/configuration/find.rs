//! Where configuration files lie. Looks and reads, decides by [`Layer`] alone.
//!
//! The project's file is looked for in the working directory and above it, never in a source tree
//! because it was named to be built: whoever goes into a folder makes it their project, which is why
//! that file may only narrow.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, access};

use super::{Configuration, Layer, NAME, Rule, Say, text};
use crate::settings::{Environment, SettingsError};

/// Bytes of a file that are read; one more than any may have shows that it is too large.
const MOST: u64 = 1024 * 1024;

/// Which files are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// All that are found.
    #[default]
    Found,
    /// None: `--no-config`. The ceiling holds all the same.
    Nothing,
    /// The system's and this one: `--config-file`.
    File(&'a Path),
}

/// Where files are looked for, and by whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    /// The system's folder: `/etc/fumehood`.
    pub(crate) system: &'a Path,
    /// The home of the account database; no variable can move it.
    pub(crate) account_home: Option<&'a Path>,
    /// The working directory.
    pub(crate) directory: &'a Path,
    /// The uid of the caller.
    pub(crate) caller: u32,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files that are heard, the one that wins last.
    pub(crate) files: Vec<Configuration>,
    /// The files that are not heard, and why.
    pub(crate) notes: Vec<String>,
}

impl Search<'_> {
    /// Finds and reads the files.
    ///
    /// # Errors
    /// If one can not be read or understood, or one that may widen could have been written by others.
    pub(crate) fn run(
        &self,
        choice: Choice<'_>,
        environment: &Environment,
    ) -> Result<Found, SettingsError> {
        let mut found = Found::default();
        if let Some(mut system) = self.system()? {
            if choice == Choice::Nothing {
                system.entries.clear();
            }
            found.files.push(system);
        }
        match choice {
            Choice::Nothing => {}
            Choice::File(file) => {
                let (content, _) = content(file).map_err(|error| unreadable(file, error))?;
                found.files.push(text::read(&content, file, Layer::Named)?);
            }
            Choice::Found => {
                self.user(environment, &mut found)?;
                self.project(&mut found)?;
            }
        }
        Ok(found)
    }

    /// Reads the system's file.
    fn system(&self) -> Result<Option<Configuration>, SettingsError> {
        let file = self.system.join(NAME);
        let Some((content, data)) = present(&file)? else {
            return Ok(None);
        };
        self.refuse_others(&file, &data)?;
        let mut system = text::read(&content, &file, Layer::System)?;
        if let Some(ceiling) = &mut system.ceiling {
            ceiling.resolve();
        }
        Ok(Some(system))
    }

    /// Reads the user's file. The variables say where it is; whether it may widen, the account
    /// database: a project that sets `HOME` must not become the user.
    fn user(&self, environment: &Environment, found: &mut Found) -> Result<(), SettingsError> {
        let below = |home: &Path| home.join(".config").join("fumehood").join(NAME);
        let file = environment
            .absolute("XDG_CONFIG_HOME")
            .map(|base| base.join("fumehood").join(NAME))
            .or_else(|| environment.absolute("HOME").map(|home| below(&home)))
            .or_else(|| self.account_home.map(below));
        let Some(file) = file else {
            return Ok(());
        };
        let own = self.account_home.is_some_and(|home| file == below(home));
        match present(&file) {
            Ok(None) => Ok(()),
            Ok(Some((content, data))) if own => {
                self.refuse_others(&file, &data)?;
                found.files.push(text::read(&content, &file, Layer::User)?);
                Ok(())
            }
            Ok(Some((content, data))) => match self.of_others(&file, &data) {
                None => self.narrow(&content, &file, Layer::Elsewhere, found),
                Some(why) => {
                    found.notes.push(unheard(&file, &why));
                    Ok(())
                }
            },
            // The home of somebody else, kept by `sudo` or `su`, say.
            Err(error) if !own => {
                found.notes.push(unheard(&file, &error.to_string()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the nearest project's file: up to the top of a repository, the home, or a folder that
    /// everybody can write, where anyone could put one.
    fn project(&self, found: &mut Found) -> Result<(), SettingsError> {
        let owner = fs::metadata(self.directory).map(|data| data.uid()).ok();
        for folder in self.directory.ancestors() {
            let Ok(data) = fs::metadata(folder) else {
                break;
            };
            if access(folder, AccessFlags::X_OK).is_err() {
                break;
            }
            let open = data.mode() & 0o002 != 0;
            if let Some((file, content, data)) = project_file(folder)? {
                let why = if open {
                    Some("everybody can write its folder".to_owned())
                } else {
                    self.foreign(&file, &data, owner)
                };
                match why {
                    Some(why) => found.notes.push(unheard(&file, &why)),
                    None => self.narrow(&content, &file, Layer::Project, found)?,
                }
                break;
            }
            if open
                || folder.join(".git").symlink_metadata().is_ok()
                || self.account_home == Some(folder)
            {
                break;
            }
        }
        Ok(())
    }

    /// Says why a project's file is not heard, if it is not: it is somebody else's, or a link out of
    /// its folder, which would let errors about it show what it leads to.
    fn foreign(&self, file: &Path, data: &Metadata, owner: Option<u32>) -> Option<String> {
        if ![Some(0), Some(self.caller), owner].contains(&Some(data.uid())) {
            return Some(format!("it belongs to uid {}", data.uid()));
        }
        if data.mode() & 0o002 != 0 {
            return Some("everybody can write it".to_owned());
        }
        (!lies_below(file, file.parent()?)).then(|| "it leads out of its folder".to_owned())
    }

    /// Adds a file that may only narrow; the files that it names lie below its own folder.
    fn narrow(
        &self,
        content: &str,
        file: &Path,
        layer: Layer,
        found: &mut Found,
    ) -> Result<(), SettingsError> {
        let mut configuration = text::read(content, file, layer)?;
        let folder = file.parent().unwrap_or(file);
        let notes = &mut configuration.notes;
        configuration.entries.retain(|entry| {
            let path = Path::new(&entry.text);
            let told = layer.say(Rule::Personal) == Say::Freely
                && !["--policy", "--build-constraint", "--constraint"].contains(&entry.flag);
            let fits = !entry.is_path || told || (lies_below(path, folder) && path.is_file());
            if !fits {
                notes.push(format!(
                    "{}: `{}` is not heard: it is no file below the folder of {}",
                    entry.place,
                    path.display(),
                    layer.word()
                ));
            }
            fits
        });
        found.files.push(configuration);
        Ok(())
    }

    /// Refuses a file that may widen and that somebody else could have written.
    fn refuse_others(&self, file: &Path, data: &Metadata) -> Result<(), SettingsError> {
        match self.of_others(file, data) {
            Some(why) => Err(SettingsError::Untrusted {
                file: file.to_owned(),
                why,
            }),
            None => Ok(()),
        }
    }

    /// Says who else than the caller and root can write a file or replace it in its folder.
    fn of_others(&self, file: &Path, data: &Metadata) -> Option<String> {
        let real = file.canonicalize().ok();
        let folders = [file.parent(), real.as_deref().and_then(Path::parent)];
        let folders = folders.into_iter().flatten();
        let looked = folders.map(|folder| (folder.to_owned(), fs::metadata(folder).ok()));
        std::iter::once((file.to_owned(), Some(data.clone())))
            .chain(looked)
            .find_map(|(path, data)| {
                let shown = path.display();
                let Some(data) = data else {
                    return Some(format!("`{shown}` can not be looked at"));
                };
                if ![0, self.caller].contains(&data.uid()) {
                    return Some(format!("`{shown}` belongs to uid {}", data.uid()));
                }
                (data.mode() & 0o022 != 0).then(|| format!("others can write `{shown}`"))
            })
    }
}

/// Returns the project's file in `folder`, if there is one.
fn project_file(folder: &Path) -> Result<Option<(PathBuf, String, Metadata)>, SettingsError> {
    let own = folder.join(NAME);
    if let Some((content, data)) = present(&own)? {
        return Ok(Some((own, content, data)));
    }
    let shared = folder.join("pyproject.toml");
    // A file of that name that can not be read has another reader, who will say so.
    let Ok(Some((content, data))) = present(&shared) else {
        return Ok(None);
    };
    Ok(text::has_table(&content, &shared)?.then_some((shared, content, data)))
}

/// Whether a path, links resolved, lies below a folder. A path that is not there leads nowhere.
fn lies_below(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}

fn unheard(file: &Path, why: &str) -> String {
    format!("`{}` is not heard: {why}", file.display())
}

fn unreadable(file: &Path, source: io::Error) -> SettingsError {
    SettingsError::Read {
        file: file.to_owned(),
        source,
    }
}

/// Reads a file, if it is there. A link that leads nowhere is there: whoever made it meant something.
fn present(file: &Path) -> Result<Option<(String, Metadata)>, SettingsError> {
    use io::ErrorKind::{NotADirectory, NotFound};
    match file.symlink_metadata() {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(None),
        Err(error) => Err(unreadable(file, error)),
        Ok(_) => content(file)
            .map(Some)
            .map_err(|error| unreadable(file, error)),
    }
}

/// Reads a regular file; nothing else is waited for or written to.
fn content(file: &Path) -> io::Result<(String, Metadata)> {
    let open = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(file)?;
    let data = open.metadata()?;
    if !data.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mut text = String::new();
    open.take(MOST).read_to_string(&mut text)?;
    Ok((text, data))
}
