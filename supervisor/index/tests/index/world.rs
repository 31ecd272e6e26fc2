//! A cache in a fresh folder and a client over it.

use std::str::FromStr;
use std::time::Duration;

use cache::{Bucket, Cache};
use index::{Client, ClientSettings, IndexError, IndexUrl, Page};
use model::PackageName;

/// A folder with a cache, gone when dropped.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) cache: Cache,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("cache")).expect("a cache");
        Self { folder, cache }
    }

    /// Returns settings that give up soon.
    pub(crate) fn settings() -> ClientSettings {
        ClientSettings {
            retries: 0,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(5),
            ..ClientSettings::default()
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(Self::settings())
    }

    pub(crate) fn client_with(&self, settings: ClientSettings) -> Client {
        Client::new(settings, self.cache.clone()).expect("a client")
    }

    /// Returns the number of files in a bucket, whatever their depth.
    pub(crate) fn count(&self, bucket: Bucket) -> u64 {
        let sizes = self.cache.sizes().expect("sizes");
        let of = sizes.into_iter().find(|(which, _)| *which == bucket);
        of.map_or(0, |(_, size)| size.files)
    }

    /// Returns everything that lies under the root, as one text.
    pub(crate) fn everything_written(&self) -> String {
        let mut found = String::new();
        collect(self.folder.path(), &mut found);
        found
    }
}

fn collect(folder: &std::path::Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        found.push_str(&path.display().to_string());
        if path.is_dir() {
            collect(&path, found);
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            found.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

pub(crate) fn name(text: &str) -> PackageName {
    PackageName::from_str(text).expect(text)
}

pub(crate) fn index(url: &str) -> IndexUrl {
    IndexUrl::parse(url).expect(url)
}

/// Asks for the page of `foo` at `/simple`.
pub(crate) async fn page(client: &Client, url: &str) -> Result<Option<Page>, IndexError> {
    client.page(&index(url), &name("foo")).await
}

/// Returns the names of the files of a page.
pub(crate) fn names(page: &Page) -> Vec<&str> {
    page.files.iter().map(|file| &*file.filename).collect()
}

/// Nothing listens to progress.
pub(crate) fn quiet(_: u64, _: Option<u64>) {}
