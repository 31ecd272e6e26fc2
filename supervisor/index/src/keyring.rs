//! The caller's program `keyring`: asked where a server wants a login and nothing else has one.
//!
//! It reads the caller's secrets, so it runs as the caller does, in no sandbox: only if the settings
//! name it. The password comes by its standard output and goes into requests alone.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;
use url::Url;

use crate::credentials::Credentials;
use crate::error::shown;

/// The user name where none is known: what pip asks with, and what servers of packages call the user of
/// a token.
const TOKEN_USER: &str = "__token__";

/// Bytes of a password; tokens have some thousand at most.
const LARGEST_PASSWORD: u64 = 64 * 1024;

/// The program `keyring` and how it is run.
#[derive(Clone)]
pub struct Keyring {
    /// The program; none if there is none to be found, which is an error once it is needed.
    pub program: Option<PathBuf>,
    /// All its variables.
    pub environment: BTreeMap<String, String>,
    /// For one answer; somebody may have to unlock the keyring.
    pub patience: Duration,
}

impl std::fmt::Debug for Keyring {
    /// Variables may hold secrets.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Keyring({:?})", self.program)
    }
}

/// What the keyring said, or why it said nothing, in words that hold no secret.
type Answer = Result<Credentials, String>;

/// An answer that is there or on its way.
type Asked = Arc<OnceCell<Answer>>;

/// The answers of one run, by origin and user name: each is asked for once.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<(String, String), Asked>>);

impl Answers {
    /// Returns the login that was found for an origin earlier.
    pub(crate) fn known(&self, configured: &Url, username: Option<&str>) -> Option<Credentials> {
        self.cell(configured, user(username)).get()?.clone().ok()
    }

    /// Returns the login of an origin; the program is asked the first time only.
    ///
    /// # Errors
    /// In words, if there is none.
    pub(crate) async fn ask(
        &self,
        keyring: &Keyring,
        configured: &Url,
        username: Option<&str>,
    ) -> Answer {
        let username = user(username);
        let cell = self.cell(configured, username);
        let answer = cell.get_or_init(|| keyring.login(configured, username));
        answer.await.clone()
    }

    fn cell(&self, configured: &Url, username: &str) -> Asked {
        let key = (
            configured.origin().ascii_serialization(),
            username.to_owned(),
        );
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(key).or_default())
    }
}

fn user(username: Option<&str>) -> &str {
    username
        .filter(|name| !name.is_empty())
        .unwrap_or(TOKEN_USER)
}

impl Keyring {
    async fn login(&self, configured: &Url, username: &str) -> Answer {
        let Some(program) = &self.program else {
            return Err(
                "`keyring` is on PATH nowhere outside the working directory and what is to be built: install it, or drop --keyring-provider"
                    .to_owned(),
            );
        };
        // It would be read as an option.
        if username.starts_with('-') || username.contains(char::is_control) {
            return Err("its user name can not be handed to `keyring`".to_owned());
        }
        let services = services(configured);
        for service in &services {
            tracing::debug!(%service, "keyring is asked");
            if let Some(password) = self.password(program, service, username).await? {
                return Ok(Credentials::new(username, &password));
            }
        }
        let first = services.first().map_or("SERVICE", String::as_str);
        Err(format!(
            "`keyring` has no password for it: `keyring set {first} USER` saves one"
        ))
    }

    /// Asks for one password; none if the program says that it has none.
    async fn password(
        &self,
        program: &Path,
        service: &str,
        username: &str,
    ) -> Result<Option<String>, String> {
        let mut command = Command::new(program);
        command
            .args(["get", service, username])
            .env_clear()
            .envs(&self.environment)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it says about itself may hold what it knows.
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        let child = command
            .spawn()
            .map_err(|error| format!("`{}` could not be started: {error}", program.display()))?;
        let mut group = Group(child);
        let answer = tokio::time::timeout(self.patience, group.answer());
        let (output, success) = answer
            .await
            .map_err(|_| {
                format!(
                    "`keyring` did not answer within {} seconds; it can ask nothing at this terminal: unlock it first",
                    self.patience.as_secs()
                )
            })?
            .map_err(|error| format!("`keyring` could not be heard: {error}"))?;
        if output.len() as u64 > LARGEST_PASSWORD {
            return Err("`keyring` answered with more than a password".to_owned());
        }
        if !success {
            return Ok(None);
        }
        let text = String::from_utf8(output)
            .map_err(|_| "`keyring` answered with something that is not text".to_owned())?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        if password.contains(char::is_control) {
            return Err("`keyring` answered with more than a password".to_owned());
        }
        Ok((!password.is_empty()).then(|| password.to_owned()))
    }
}

/// The program and what it started, ended together if it is not waited for.
struct Group(Child);

impl Group {
    /// Returns what it wrote, one byte more than allowed at most, and whether it succeeded.
    async fn answer(&mut self) -> std::io::Result<(Vec<u8>, bool)> {
        let mut output = Vec::new();
        if let Some(stdout) = self.0.stdout.take() {
            let mut stdout = stdout.take(LARGEST_PASSWORD + 1);
            stdout.read_to_end(&mut output).await?;
        }
        if output.len() as u64 > LARGEST_PASSWORD {
            return Ok((output, false));
        }
        Ok((output, self.0.wait().await?.success()))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // None once it was waited for: then its number may be another's.
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Returns what passwords may be saved under: the address as it was configured, then its host.
///
/// The host alone stands for https: a password that was saved for a host goes over no plain connection.
fn services(configured: &Url) -> Vec<String> {
    let mut services = vec![shown(configured).trim_end_matches('/').to_owned()];
    if let Some(host) = configured.host_str()
        && configured.scheme() == "https"
        && !host.starts_with('-')
    {
        services.push(match configured.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
    }
    services
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn keyring(folder: &tempfile::TempDir, script: &str) -> Keyring {
        let program = folder.path().join("keyring");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("written");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("set");
        let path = ("PATH".to_owned(), "/usr/bin:/bin".to_owned());
        Keyring {
            program: Some(program),
            environment: [path].into(),
            patience: Duration::from_secs(30),
        }
    }

    async fn said(script: &str, username: Option<&str>) -> Answer {
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = keyring(&folder, script);
        let url = Url::parse("https://example.invalid:8443/simple/").expect("a URL");
        Answers::default().ask(&keyring, &url, username).await
    }

    #[test]
    fn the_address_is_asked_for_and_then_the_host_unless_the_connection_is_plain() {
        let of = |url: &str| services(&Url::parse(url).expect(url));
        assert_eq!(
            of("https://a.invalid:8443/simple/?token=x#y"),
            ["https://a.invalid:8443/simple", "a.invalid:8443"]
        );
        assert_eq!(of("https://a.invalid/"), ["https://a.invalid", "a.invalid"]);
        assert_eq!(of("http://a.invalid/x"), ["http://a.invalid/x"]);
    }

    #[tokio::test]
    async fn the_words_are_get_the_service_and_the_user_and_nothing_of_the_environment_is_there() {
        let script = r#"[ "$1 $2 $3 $#" = "get example.invalid:8443 me 3" ] || exit 1
            [ -z "$CARGO_MANIFEST_DIR$HOME" ] || exit 1
            echo secret"#;
        let found = said(script, Some("me")).await.expect("a login");
        assert_eq!((found.username(), found.password()), ("me", Some("secret")));
        let script = r#"[ "$3" = __token__ ] && echo secret"#;
        let found = said(script, None).await.expect("a login");
        assert_eq!(found.username(), "__token__");
    }

    #[tokio::test]
    async fn what_is_no_password_is_refused_and_repeated_nowhere() {
        for (script, why) in [
            ("echo secret >&2; exit 1", "no password"),
            ("echo", "no password"),
            ("echo secret; echo more", "more than a password"),
            (
                "while :; do echo secret secret secret; done",
                "more than a password",
            ),
            ("printf 'secret\\377'", "not text"),
            ("kill -9 $$", "no password"),
        ] {
            let error = said(script, Some("me")).await.expect_err(script);
            assert!(error.contains(why), "{script}: {error}");
            assert!(!error.contains("secret"), "{script}: {error}");
        }
        let error = said("echo secret", Some("--help")).await.expect_err("none");
        assert!(error.contains("user name"), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_does_not_answer_is_ended_with_what_it_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        let script = format!("(exec sleep 600 >{0}) & exec sleep 600", fifo.display());
        let mut keyring = keyring(&folder, &format!("mkfifo {0}; {script}", fifo.display()));
        keyring.patience = Duration::from_secs(1);
        let url = Url::parse("http://example.invalid/simple").expect("a URL");
        let asked = async { Answers::default().ask(&keyring, &url, None).await };
        // A reader sees the end when the last writer is gone.
        let reader = async {
            let mut reader = loop {
                match tokio::fs::File::open(&fifo).await {
                    Ok(file) => break file,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            let mut read = Vec::new();
            reader.read_to_end(&mut read).await
        };
        let (answer, read) = tokio::join!(asked, reader);
        assert!(answer.expect_err("none").contains("did not answer"));
        assert_eq!(read.expect("the end"), 0);
    }
}
