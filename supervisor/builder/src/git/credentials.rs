//! Credentials of a repository: asked for by git where a server wants them, hidden in what it says.
//!
//! git asks a helper, and only for the very scheme, host and port that they are of: a server that leads git
//! elsewhere takes none along. The helper is one line of shell that knows the names of two variables.

use index::{Client, Proxies};
use sources::{GitUrl, Transport};

use crate::redact::Redactor;

/// The variables with name and password.
const VARIABLES: [&str; 2] = ["FUMEHOOD_GIT_USERNAME", "FUMEHOOD_GIT_PASSWORD"];

/// A name and a password, or a token in either place. Its `Debug` shows neither.
pub(super) struct Login {
    username: String,
    password: String,
}

impl Login {
    /// Returns the login of an address: its own, else what the netrc file has for its host.
    pub(super) fn of(remote: &GitUrl, client: &Client) -> Option<Self> {
        let netrc = || match remote.transport() {
            Transport::Https | Transport::Http => client.login(remote.host()?),
            Transport::Ssh | Transport::File => None,
        };
        let (username, password) = remote.credentials().or_else(netrc)?;
        // A line's end would end the answer of the helper.
        let is_plain = |text: &str| !text.contains(char::is_control);
        (is_plain(&username) && is_plain(&password)).then_some(Self { username, password })
    }

    /// The setting that lets git ask, for this origin alone.
    pub(super) fn setting(&self, remote: &GitUrl) -> (String, String) {
        let [username, password] = VARIABLES;
        let helper =
            format!("!printf 'username=%s\\npassword=%s\\n' \"${username}\" \"${password}\"; :");
        (format!("credential.{}.helper", remote.origin()), helper)
    }

    /// The variables that the helper reads.
    pub(super) fn variables(&self) -> [(String, String); 2] {
        let [username, password] = VARIABLES.map(str::to_owned);
        [
            (username, self.username.clone()),
            (password, self.password.clone()),
        ]
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Login(..)")
    }
}

/// Hides a login in what git says, also as servers are sent it, and the passwords of proxies.
pub(super) fn redactor(login: Option<&Login>, proxies: Option<&Proxies>) -> Redactor {
    use base64::Engine as _;
    let secrets = login.into_iter().flat_map(|login| {
        let both = format!("{}:{}", login.username, login.password);
        let word = base64::engine::general_purpose::STANDARD.encode(both);
        [login.username.clone(), login.password.clone(), word]
    });
    let secrets = secrets.chain(proxies.into_iter().flat_map(Proxies::passwords));
    Redactor::of(&secrets.collect::<Vec<_>>())
}
