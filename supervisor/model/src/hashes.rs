//! Hashes that somebody gave for a file: any of them is enough, as pip has it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use sha2::Digest as _;

/// The algorithms that pip takes for `--hash`; weaker ones prove nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256, the name of everything here.
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl HashAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the name as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns the hexadecimal digits of a digest.
    fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl std::fmt::Display for HashAlgorithm {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for HashAlgorithm {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or_else(|| match text {
                "md5" | "sha1" | "sha224" => {
                    format!("{text} proves nothing: sha256, sha384 and sha512 are taken")
                }
                _ => "the algorithm is not sha256, sha384 or sha512".to_owned(),
            })
    }
}

/// The hashes that a file may have; none means that nobody said anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hashes(BTreeMap<HashAlgorithm, BTreeSet<String>>);

impl Hashes {
    /// Adds one `ALGORITHM:DIGITS`, as `--hash` takes it.
    ///
    /// # Errors
    /// If the algorithm is not one of the three or the digits are not its.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        let (algorithm, digest) = text
            .split_once(':')
            .ok_or("a hash is written ALGORITHM:DIGITS, such as sha256:9f86...")?;
        self.insert(algorithm.parse()?, digest)
    }

    /// Adds a digest.
    ///
    /// # Errors
    /// If the digits are not those of the algorithm.
    pub fn insert(&mut self, algorithm: HashAlgorithm, digest: &str) -> Result<(), String> {
        let digits = algorithm.digits();
        if digest.len() != digits || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("a {algorithm} has {digits} hexadecimal digits"));
        }
        let digests = self.0.entry(algorithm).or_default();
        digests.insert(digest.to_ascii_lowercase());
        Ok(())
    }

    /// Adds everything that is in `others`.
    pub fn extend(&mut self, others: &Self) {
        for (algorithm, digests) in &others.0 {
            let mine = self.0.entry(*algorithm).or_default();
            mine.extend(digests.iter().cloned());
        }
    }

    /// Whether nobody said anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a digest is one of them; none if no digest of the algorithm was given.
    #[must_use]
    pub fn judge(&self, algorithm: HashAlgorithm, digest: &str) -> Option<bool> {
        let digests = self.0.get(&algorithm)?;
        Some(digests.contains(&digest.to_ascii_lowercase()))
    }

    /// Returns the algorithms in use.
    pub fn algorithms(&self) -> impl Iterator<Item = HashAlgorithm> + '_ {
        self.0.keys().copied()
    }

    /// Returns each as it is written.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().flat_map(|(algorithm, digests)| {
            digests
                .iter()
                .map(move |digest| format!("{algorithm}:{digest}"))
        })
    }

    /// Whether the bytes that `from` still holds have one of the hashes.
    ///
    /// # Errors
    /// If reading fails.
    pub fn fit(&self, mut from: impl std::io::Read) -> std::io::Result<bool> {
        let mut sha256 = sha2::Sha256::new();
        let mut sha384 = sha2::Sha384::new();
        let mut sha512 = sha2::Sha512::new();
        let wants = |algorithm| self.0.contains_key(&algorithm);
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let got = from.read(&mut buffer)?;
            if got == 0 {
                break;
            }
            let piece = &buffer[..got];
            if wants(HashAlgorithm::Sha256) {
                sha256.update(piece);
            }
            if wants(HashAlgorithm::Sha384) {
                sha384.update(piece);
            }
            if wants(HashAlgorithm::Sha512) {
                sha512.update(piece);
            }
        }
        let found = [
            (HashAlgorithm::Sha256, hex::encode(sha256.finalize())),
            (HashAlgorithm::Sha384, hex::encode(sha384.finalize())),
            (HashAlgorithm::Sha512, hex::encode(sha512.finalize())),
        ];
        Ok(found
            .iter()
            .any(|(algorithm, digest)| self.judge(*algorithm, digest) == Some(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_the_hashes_is_enough_and_its_algorithm_does_not_matter() {
        let bytes = b"wheel";
        let of = |algorithm: &str, digest: String| format!("{algorithm}:{digest}");
        let sha512 = hex::encode(sha2::Sha512::digest(bytes));
        let mut hashes = Hashes::default();
        hashes.add(&of("sha256", "0".repeat(64))).unwrap();
        assert!(!hashes.fit(&bytes[..]).unwrap());
        hashes.add(&of("sha512", sha512.to_uppercase())).unwrap();
        assert!(hashes.fit(&bytes[..]).unwrap());
        assert_eq!(hashes.judge(HashAlgorithm::Sha512, &sha512), Some(true));
        assert_eq!(hashes.judge(HashAlgorithm::Sha384, ""), None);
        assert!(!Hashes::default().fit(&bytes[..]).unwrap());
    }

    #[test]
    fn weak_and_misspelled_hashes_are_refused() {
        for text in [
            "sha256",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "sha256:abc",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            &format!("sha256:{}", "g".repeat(64)),
            &format!("sha384:{}", "a".repeat(64)),
        ] {
            assert!(Hashes::default().add(text).is_err(), "{text}");
        }
    }
}
