//! Credentials of a repository: handed to git by environment, hidden in what it says.

use sources::GitUrl;

use crate::redact::Redactor;

/// The header that carries credentials of an https address.
pub(super) fn authorization(remote: &GitUrl) -> Option<String> {
    use base64::Engine as _;
    let (user, password) = remote.credentials()?;
    let word = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    Some(format!("Authorization: Basic {word}"))
}

/// Hides credentials in what git says.
pub(super) fn redactor(remote: Option<&GitUrl>) -> Redactor {
    let secrets = remote.into_iter().flat_map(|remote| {
        let (user, password) = remote.credentials().unwrap_or_default();
        // A token may stand in either place.
        let word = authorization(remote).unwrap_or_default();
        [user, password, word.replace("Authorization: Basic ", "")]
    });
    let secrets = secrets
        .enumerate()
        .map(|(at, secret)| (at.to_string(), secret));
    Redactor::of(&secrets.collect())
}
