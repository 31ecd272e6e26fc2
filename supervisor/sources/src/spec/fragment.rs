//! What stands behind the `#` of a URL or path: `sha256=`, `egg=`, `subdirectory=`.
//!
//! A part that is not understood is an error: a digest with a typing error must not be no digest.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use model::{PackageName, Sha256};
use percent_encoding::percent_decode_str;

use super::SpecError;
use crate::names::{self, printable};
use crate::shown::shown_text;

/// The parts, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) name: Option<PackageName>,
    pub(super) sha256: Option<Sha256>,
    /// `sha384` and `sha512`, in small letters.
    pub(super) hashes: BTreeMap<String, String>,
    pub(super) subdirectory: Option<String>,
}

impl Fragment {
    /// Reads a fragment; `whole` is for messages, `name` what stood before an `@`.
    pub(super) fn parse(
        whole: &str,
        fragment: &str,
        name: Option<PackageName>,
    ) -> Result<Self, SpecError> {
        let mut read = Self {
            name,
            ..Self::default()
        };
        for part in fragment.split('&').filter(|part| !part.is_empty()) {
            read.take(part).map_err(|why| SpecError::Fragment {
                text: shown_text(whole),
                why,
            })?;
        }
        Ok(read)
    }

    fn take(&mut self, part: &str) -> Result<(), String> {
        let shown = printable(part);
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{shown}` is not KEY=VALUE"))?;
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| format!("`{shown}` is not UTF-8"))?;
        match key {
            "sha256" => {
                let digest = Sha256::from_str(&value).map_err(|error| error.to_string())?;
                once(&mut self.sha256, digest, key)
            }
            "subdirectory" => once(&mut self.subdirectory, plain_folder(&value)?, key),
            "egg" if value.contains('[') => Err("extras in `egg` are not supported".to_owned()),
            "egg" => {
                let name = names::project(&value)
                    .ok_or_else(|| format!("`{shown}` does not hold a name"))?;
                once(&mut self.name, name, key)
            }
            "sha384" => self.hash(key, &value, 96),
            "sha512" => self.hash(key, &value, 128),
            "md5" | "sha1" | "sha224" => Err(format!("`{key}` is not checked here, give `sha256`")),
            _ => Err(format!(
                "`{}` is not sha256, subdirectory or egg",
                printable(key)
            )),
        }
    }

    fn hash(&mut self, key: &str, value: &str, digits: usize) -> Result<(), String> {
        let value = value.to_ascii_lowercase();
        if value.len() != digits || !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("`{key}` does not have {digits} hexadecimal digits"));
        }
        let mut slot = self.hashes.remove(key);
        once(&mut slot, value, key)?;
        self.hashes
            .extend(slot.map(|value| (key.to_owned(), value)));
        Ok(())
    }
}

/// Sets what may be said twice, but not in two ways.
fn once<T: PartialEq>(slot: &mut Option<T>, value: T, key: &str) -> Result<(), String> {
    match slot {
        Some(earlier) if *earlier != value => {
            Err(format!("`{key}` contradicts what stands before"))
        }
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// Checks a folder inside an archive: relative, and every part an ordinary name.
fn plain_folder(text: &str) -> Result<String, String> {
    let refused = |why: &str| Err(format!("the subdirectory `{}` {why}", printable(text)));
    let folder = text.trim_end_matches('/');
    if folder.starts_with('/') {
        return refused("is absolute");
    }
    if folder.len() > 1024 || folder.chars().any(char::is_control) {
        return refused("is not a usable path");
    }
    let parts: Vec<_> = folder
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") {
        return refused("leads out of the archive");
    }
    if parts.is_empty() {
        return refused("is empty");
    }
    Ok(parts.join("/"))
}
