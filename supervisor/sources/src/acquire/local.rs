//! Local archives and folders: copied or packed into a blob, and not again while they look the same.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use archive::{Exclusions, PackError};
use cache::{Bucket, Cache, CacheError, Sealed};
use model::{Digest, Sha256};
use rustix::fs::OFlags;
use sha2::Digest as _;

use super::{Means, in_background};
use crate::names::printable;
use crate::pointers::LocalRecord;
use crate::snapshot::{self, Snapshot, Verdict};
use crate::{Pointers, SourceError};

/// How many bytes tell the kind of an archive.
const HEAD: u64 = 512;

/// A local file, and where its bytes are kept.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) bucket: Bucket,
}

impl Place<'_> {
    /// Returns the digest of the file, and whether its blob is in the cache; reads it unless it
    /// looks as it did, or `again` is said.
    pub(super) async fn locate(
        &self,
        cache: &Cache,
        expected: Option<Sha256>,
        again: bool,
    ) -> Result<(Digest, bool), SourceError> {
        let (cache, path, bucket) = (cache.clone(), self.path.to_owned(), self.bucket);
        in_background(move || {
            let pointers = Pointers::of(&cache);
            let known = pointers.get_path(&path);
            let copy = || copy((&cache, bucket), &path, expected);
            // Before the first byte is read: what changes later looks different the next time.
            let look = Snapshot::of_file(&path).ok();
            let mut is_here = true;
            let digest = match (&known, &look) {
                (Some(record), Some(look)) if !again => match record.looks_like(look) {
                    Verdict::Same => {
                        return Ok((expect(&path, expected, record.digest)?, false));
                    }
                    Verdict::Unsure if hash(&path)? == record.digest => {
                        is_here = false;
                        expect(&path, expected, record.digest)?
                    }
                    _ => copy()?,
                },
                _ => copy()?,
            };
            let record = LocalRecord::new(digest, &path, look, known.as_ref());
            pointers.put_path(&path, &record)?;
            Ok((digest, is_here))
        })
        .await?
    }
}

/// Returns what a local archive is, if that is what was expected.
pub(super) fn expect(
    path: &Path,
    expected: Option<Sha256>,
    found: Digest,
) -> Result<Digest, SourceError> {
    check(path, expected, found.sha256).map(|()| found)
}

fn check(path: &Path, expected: Option<Sha256>, found: Sha256) -> Result<(), SourceError> {
    match expected {
        Some(expected) if expected != found => Err(SourceError::HashMismatch {
            what: printable(&path.to_string_lossy()),
            expected,
            found,
        }),
        _ => Ok(()),
    }
}

fn unread(path: &Path) -> impl Fn(io::Error) -> SourceError + Copy + use<'_> {
    move |source| SourceError::Read {
        path: path.to_owned(),
        source,
    }
}

/// Opens a regular file; not blocking, so that a pipe in its place is an error and no wait.
fn open(path: &Path) -> Result<File, SourceError> {
    let file = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path)
        .map_err(unread(path))?;
    if file.metadata().map_err(unread(path))?.is_file() {
        Ok(file)
    } else {
        Err(unread(path)(io::ErrorKind::InvalidInput.into()))
    }
}

fn hash(path: &Path) -> Result<Digest, SourceError> {
    let (sha256, size) = Sha256::of_reader(open(path)?).map_err(unread(path))?;
    Ok(Digest { sha256, size })
}

/// Takes a copy of a local archive, after its digest was found to be the expected one.
fn copy(
    (cache, bucket): (&Cache, Bucket),
    path: &Path,
    expected: Option<Sha256>,
) -> Result<Digest, SourceError> {
    let failed = unread(path);
    let mut file = open(path)?;
    let (sha256, size) = Sha256::of_reader(&file).map_err(failed)?;
    check(path, expected, sha256)?;
    let digest = Digest { sha256, size };
    if cache.blob(bucket, &digest).is_some() {
        return Ok(digest);
    }
    file.rewind().map_err(failed)?;
    let mut staged = cache.staging_file()?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let got = file.read(&mut buffer).map_err(failed)?;
        if got == 0 {
            break;
        }
        let written = staged.write_all(&buffer[..got]);
        written.map_err(|source| CacheError::writing(staged.path(), source))?;
    }
    // It may have changed since it was hashed: what was copied counts.
    let digest = cache.put_blob(bucket, staged)?;
    check(path, expected, digest.sha256)?;
    Ok(digest)
}

/// A folder and what is never packed with it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    exclusions: Vec<PathBuf>,
    repository: Option<Sealed>,
}

impl Folder {
    pub(super) fn new(means: &Means<'_>, path: &Path, exclusions: &[PathBuf]) -> Self {
        let cache = means.cache;
        let mut exclusions = exclusions.to_vec();
        exclusions.push(cache.root().to_owned());
        // Scratches may lie elsewhere, also inside the tree that is packed.
        exclusions.extend(cache.scratch_place().map(|place| place.path().to_owned()));
        // It is named by what it holds, so another one is seen where exclusions are compared.
        exclusions.extend(means.repository.map(|one| one.tree.clone()));
        Self {
            path: path.to_owned(),
            exclusions,
            repository: means.repository.cloned(),
        }
    }

    /// Returns the digest of the folder in the normal form, and whether its blob is in the cache;
    /// packs it unless it looks as it did or is known already, or `again` is said.
    pub(super) async fn locate(
        &self,
        means: &Means<'_>,
        subdirectory: Option<&str>,
        again: bool,
    ) -> Result<(Digest, bool), SourceError> {
        let project = self.path.join(subdirectory.unwrap_or_default());
        let (cache, folder, known) = (means.cache.clone(), self.clone(), means.known);
        in_background(move || {
            let is_project = ["pyproject.toml", "setup.py"]
                .iter()
                .any(|name| project.join(name).is_file());
            if !is_project {
                return Err(SourceError::NotAProject { path: project });
            }
            match known {
                Some(known) => Ok((known, false)),
                None => folder.locate_now(&cache, again),
            }
        })
        .await?
    }

    fn locate_now(&self, cache: &Cache, again: bool) -> Result<(Digest, bool), SourceError> {
        let pointers = Pointers::of(cache);
        let known = pointers
            .get_path(&self.path)
            .filter(|record| record.exclusions == self.exclusions);
        let look = self.look()?;
        if let (Some(record), Some(look)) = (&known, &look)
            && !again
        {
            let is_same = match record.looks_like(look) {
                Verdict::Same => true,
                Verdict::Unsure => self.digest()? == record.digest,
                Verdict::Changed => false,
            };
            if is_same {
                if record.looks_like(look) != Verdict::Same {
                    self.remember(cache, record.digest, Some(look.clone()))?;
                }
                return Ok((record.digest, false));
            }
        }
        let digest = self.pack_now(cache)?;
        self.remember(cache, digest, look)?;
        Ok((digest, true))
    }

    /// Packs the folder, whatever it looks like.
    pub(super) async fn pack(&self, cache: &Cache) -> Result<Digest, SourceError> {
        let (cache, folder) = (cache.clone(), self.clone());
        in_background(move || {
            let look = folder.look()?;
            let digest = folder.pack_now(&cache)?;
            folder.remember(&cache, digest, look)?;
            Ok(digest)
        })
        .await?
    }

    /// Looks at everything that would be packed, before it is.
    fn look(&self) -> Result<Option<Snapshot>, SourceError> {
        let taken = snapshot::now();
        let listing =
            archive::listing(&self.path, &self.left_out()).map_err(|source| self.failed(source))?;
        // What went away meanwhile is no reason to fail here; packing finds out.
        Ok(Snapshot::of_tree(&listing, taken).ok().flatten())
    }

    fn pack_now(&self, cache: &Cache) -> Result<Digest, SourceError> {
        let staged = cache.staging_file()?;
        let place = staged.path().to_owned();
        let mut out = BufWriter::with_capacity(256 * 1024, staged);
        self.pack_into(&mut out)?;
        let staged = out
            .into_inner()
            .map_err(|error| CacheError::writing(&place, error.into_error()))?;
        Ok(cache.put_blob(Bucket::Sources, staged)?)
    }

    /// Returns the digest that packing would give, and writes nothing.
    fn digest(&self) -> Result<Digest, SourceError> {
        let mut out = Hashed::default();
        self.pack_into(&mut out)?;
        Ok(Digest {
            sha256: Sha256::from_bytes(out.hasher.finalize().into()),
            size: out.size,
        })
    }

    fn pack_into(&self, out: &mut dyn Write) -> Result<(), SourceError> {
        let left_out = self.left_out();
        let packed = match &self.repository {
            Some(one) => archive::pack_with_repository(&self.path, &left_out, &one.tree, out),
            None => archive::pack(&self.path, &left_out, out),
        };
        packed.map(drop).map_err(|source| self.failed(source))
    }

    fn remember(
        &self,
        cache: &Cache,
        digest: Digest,
        look: Option<Snapshot>,
    ) -> Result<(), SourceError> {
        let pointers = Pointers::of(cache);
        let known = pointers.get_path(&self.path);
        let mut record = LocalRecord::new(digest, &self.path, look, known.as_ref());
        record.exclusions.clone_from(&self.exclusions);
        record.repository = self.repository.as_ref().map(|one| one.name);
        Ok(pointers.put_path(&self.path, &record)?)
    }

    fn left_out(&self) -> Exclusions {
        Exclusions {
            folders: self.exclusions.clone(),
        }
    }

    fn failed(&self, source: PackError) -> SourceError {
        SourceError::Pack {
            path: self.path.clone(),
            source,
        }
    }
}

/// Keeps of what is written its digest alone.
#[derive(Default)]
struct Hashed {
    hasher: sha2::Sha256,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the first bytes of a blob.
pub(super) fn head(blob: &Path) -> Result<Vec<u8>, SourceError> {
    let mut head = Vec::new();
    File::open(blob)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|source| SourceError::Read {
            path: blob.to_owned(),
            source,
        })?;
    Ok(head)
}
