//! ssh as git starts it: by settings of ours, with the keys that ssh tries by itself and the hosts that the
//! user knows, and nobody to ask.
//!
//! An agent is not reached: what fetches may open sockets to the network, so none to this machine's
//! services. The user's own settings of ssh are not read, for they start programs.

use std::path::{Path, PathBuf};

use protocol::{Access, PathGrant};

use super::programs::optional;
use crate::error::BuildError;

/// The program.
const SSH: &str = "/usr/bin/ssh";
/// Keys that ssh tries by itself.
const KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];
/// What lies beside a key.
const BESIDE: [&str; 2] = [".pub", "-cert.pub"];
/// The hosts that the user knows.
const KNOWN: [&str; 2] = ["known_hosts", "known_hosts2"];
/// The hosts that this machine knows.
const KNOWN_TO_ALL: [&str; 2] = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
/// Everything else, whatever the host. The first word of a kind counts.
const SETTINGS: &str = "\
BatchMode yes
StrictHostKeyChecking yes
UpdateHostKeys no
CheckHostIP no
IdentitiesOnly yes
IdentityAgent none
PreferredAuthentications publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
ProxyCommand none
PermitLocalCommand no
ControlMaster no
ControlPath none
ForwardAgent no
ForwardX11 no
ClearAllForwardings yes
Tunnel no
RequestTTY no
EscapeChar none
ConnectTimeout 60
ServerAliveInterval 30
";

/// What ssh may reach of the user's: the files named here, and no others of the folder.
pub(super) fn grants(folder: Option<&Path>) -> Result<Vec<PathGrant>, BuildError> {
    let mut grants = vec![
        optional(SSH, Access::ReadExecute)?,
        // git starts it by the shell, because it is given a file of settings.
        optional("/bin/sh", Access::ReadExecute)?,
        optional("/etc/passwd", Access::Read)?,
    ];
    for path in KNOWN_TO_ALL {
        grants.push(optional(path, Access::Read)?);
    }
    for folder in folder.into_iter() {
        let beside = KEYS
            .iter()
            .flat_map(|key| BESIDE.iter().map(move |end| format!("{key}{end}")));
        let names = KEYS.iter().chain(&KNOWN).map(|&name| name.to_owned());
        for name in names.chain(beside) {
            grants.push(optional(folder.join(name), Access::Read)?);
        }
    }
    Ok(grants)
}

/// The file of settings.
pub(super) fn configuration(folder: Option<&Path>) -> String {
    let of_user = |names: &[&str]| -> Vec<PathBuf> {
        let folders = folder.into_iter();
        folders
            .flat_map(|folder| names.iter().map(|name| folder.join(name)))
            .collect()
    };
    let list = |word: &str, paths: &[PathBuf]| {
        let paths: Vec<_> = paths.iter().filter_map(|path| quoted(path)).collect();
        let value = paths.join(" ");
        let value = if value.is_empty() { "none" } else { &value };
        format!("{word} {value}\n")
    };
    let mut text = SETTINGS.to_owned();
    text.push_str(&list("UserKnownHostsFile", &of_user(&KNOWN)));
    text.push_str(&list(
        "GlobalKnownHostsFile",
        &KNOWN_TO_ALL.map(PathBuf::from),
    ));
    let keys = of_user(&KEYS);
    // Without any word ssh would look for keys by itself.
    let none = [PathBuf::new()];
    let keys = if keys.is_empty() { &none[..] } else { &keys };
    for key in keys {
        text.push_str(&list("IdentityFile", std::slice::from_ref(key)));
    }
    text
}

/// How git is to start ssh, by the shell, with the settings at `configuration`.
pub(super) fn command(configuration: &Path) -> String {
    let quoted = configuration.display().to_string().replace('\'', "'\\''");
    format!("{SSH} -F '{quoted}'")
}

/// A path as ssh's settings take it; none of one that ssh would read something into.
fn quoted(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let odd = |c: char| c.is_control() || "\"\\$".contains(c);
    let is_plain = !text.is_empty() && !text.contains(odd);
    is_plain.then(|| format!("\"{}\"", text.replace('%', "%%")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_path_ends_no_word_of_the_shell() {
        let told = command(Path::new("/it's/ssh"));
        assert_eq!(told, "/usr/bin/ssh -F '/it'\\''s/ssh'");
    }

    #[test]
    fn settings_name_the_files_of_one_folder_and_start_nothing() {
        let text = configuration(Some(Path::new("/home/a b%/.ssh")));
        assert!(text.contains("IdentityFile \"/home/a b%%/.ssh/id_rsa\"\n"));
        assert!(text.contains("UserKnownHostsFile \"/home/a b%%/.ssh/known_hosts\" "));
        for line in [
            "ProxyCommand none",
            "StrictHostKeyChecking yes",
            "IdentityAgent none",
        ] {
            assert!(text.lines().any(|known| known == line), "{line}");
        }
        for folder in [None, Some(Path::new("/a\"b")), Some(Path::new("/a${b}"))] {
            let text = configuration(folder);
            assert!(text.contains("UserKnownHostsFile none\n"), "{text}");
            assert!(!text.contains("id_rsa"), "{text}");
        }
    }
}
