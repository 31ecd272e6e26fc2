//! `direct_url.json` (PEP 610): where a package came from that came from no index.

use std::path::Path;

use serde_json::{Value, json};
use sources::Spec;
use url::Url;

/// Returns the document for a spec; none for one that an index knows. `commit` is what a repository's
/// reference stood for. No credential is written.
pub(super) fn of_spec(spec: &Spec, sha256: Option<&str>, commit: Option<&str>) -> Option<Vec<u8>> {
    let (document, subdirectory) = match spec {
        Spec::Named(_) | Spec::Listed(_) => return None,
        Spec::Url {
            url, subdirectory, ..
        } => {
            let mut url = url.clone();
            without_credentials(&mut url);
            (archive(url.as_str(), sha256), subdirectory)
        }
        Spec::Archive {
            path, subdirectory, ..
        } => (archive(file_url(path)?.as_str(), sha256), subdirectory),
        Spec::Directory {
            path, subdirectory, ..
        } => (
            json!({"url": file_url(path)?.as_str(), "dir_info": {}}),
            subdirectory,
        ),
        Spec::Git {
            url,
            reference,
            subdirectory,
            ..
        } => {
            let mut vcs = json!({"vcs": "git", "commit_id": commit?});
            if let Some(reference) = reference {
                vcs["requested_revision"] = reference.as_str().into();
            }
            let shown = url.to_string();
            let address = shown.strip_prefix("git+").unwrap_or(&shown);
            (json!({"url": address, "vcs_info": vcs}), subdirectory)
        }
    };
    let mut document = document;
    if let Some(folder) = subdirectory {
        document["subdirectory"] = folder.as_str().into();
    }
    Some(document.to_string().into_bytes())
}

fn archive(url: &str, sha256: Option<&str>) -> Value {
    let info = sha256.map_or_else(
        || json!({}),
        |sha256| json!({"hash": format!("sha256={sha256}"), "hashes": {"sha256": sha256}}),
    );
    json!({"url": url, "archive_info": info})
}

fn file_url(path: &Path) -> Option<Url> {
    Url::from_file_path(path).ok()
}

fn without_credentials(url: &mut Url) {
    // A URL without a host has no user either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, commit: Option<&str>) -> Value {
        let spec = Spec::parse(text, "/".as_ref()).expect("a spec");
        let text = of_spec(&spec, Some("ab"), commit).expect("it came from no index");
        serde_json::from_slice(&text).expect("JSON")
    }

    #[test]
    fn urls_and_repositories_are_told_without_credentials() {
        let url = "https://me:hunter2@example.invalid/a-1.0.tar.gz#subdirectory=sub";
        assert_eq!(
            said(url, None),
            json!({
                "url": "https://example.invalid/a-1.0.tar.gz", "subdirectory": "sub",
                "archive_info": {"hash": "sha256=ab", "hashes": {"sha256": "ab"}},
            })
        );
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let git = said(
            "git+https://me:hunter2@example.invalid/a.git@main",
            Some(commit),
        );
        assert_eq!(
            git["vcs_info"],
            json!({"vcs": "git", "requested_revision": "main", "commit_id": commit})
        );
        assert_eq!(git["url"], "https://example.invalid/a.git");
        let named = Spec::parse("six", "/".as_ref()).expect("a spec");
        assert_eq!(of_spec(&named, None, None), None);
    }
}
