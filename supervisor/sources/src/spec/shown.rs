//! What was asked for as people may see it: without credentials.

use super::Spec;
use crate::names::printable;
use crate::shown::shown_url;

impl std::fmt::Display for Spec {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Named(requirement) => write!(out, "{requirement}"),
            Self::Listed(file) => out.write_str(&printable(&file.filename)),
            Self::Url { url, .. } => out.write_str(&shown_url(url)),
            Self::Git { url, reference, .. } => match reference {
                Some(reference) => write!(out, "{url}@{reference}"),
                None => write!(out, "{url}"),
            },
            Self::Archive { path, .. } | Self::Directory { path, .. } => {
                out.write_str(&printable(&path.to_string_lossy()))
            }
        }
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self {
            Self::Named(_) => "Named",
            Self::Listed(_) => "Listed",
            Self::Url { .. } => "Url",
            Self::Archive { .. } => "Archive",
            Self::Git { .. } => "Git",
            Self::Directory { .. } => "Directory",
        };
        write!(out, "{kind}({self})")
    }
}
