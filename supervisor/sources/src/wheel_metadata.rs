//! What downloaded wheels say of themselves, so that a later answer reads no archive.
//!
//! `downloads-v1/<2 hex>/<64 hex>.json`, one a wheel, by the wheel's bytes and beside them. What is read back is
//! held to the same rules as what a wheel says; a record that breaks one is none. Wheels that were built here have
//! their answers with what is known of their source.

use cache::{Bucket, Cache};
use model::{Sha256, WheelFilename};
use serde::{Deserialize, Serialize};

use crate::{CoreMetadata, Said};

/// What the record's form is called; a reader leaves others alone.
const SCHEMA: &str = "fumehood/wheel-metadata/1";

/// What one wheel says.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: String,
    said: Said,
}

/// The records of a cache.
#[derive(Clone, Copy, Debug)]
pub struct WheelMetadata<'a>(&'a Cache);

impl<'a> WheelMetadata<'a> {
    /// Returns the records of `cache`.
    #[must_use]
    pub fn of(cache: &'a Cache) -> Self {
        Self(cache)
    }

    /// Returns what the wheel of these bytes says, if it says that it is what the file's name says: equal bytes
    /// may have another name.
    #[must_use]
    pub fn get(&self, wheel: &Sha256, filename: &WheelFilename) -> Option<CoreMetadata> {
        let said = self.read(wheel)?;
        (said.name == filename.name && said.version == filename.version).then_some(said)
    }

    /// Keeps what a wheel says. A failure costs time later, nothing else.
    pub fn keep(&self, wheel: &Sha256, said: &CoreMetadata) {
        let record = Record {
            schema: SCHEMA.to_owned(),
            said: Said::from(said),
        };
        let path = self.0.record_beside(Bucket::Downloads, wheel);
        if let Err(error) = self.0.write_record(&path, &record) {
            tracing::debug!(%error, "what a wheel says is not kept");
        }
    }

    /// Looks whether what is kept of a wheel could be used.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self, wheel: &Sha256) -> Result<(), String> {
        let wrong = || "it is not what a wheel says of itself".to_owned();
        self.read(wheel).map(drop).ok_or_else(wrong)
    }

    fn read(&self, wheel: &Sha256) -> Option<CoreMetadata> {
        let path = self.0.record_beside(Bucket::Downloads, wheel);
        let record: Record = self.0.read_record(&path)?;
        (record.schema == SCHEMA).then_some(record.said)?.metadata()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_kept_is_for_these_bytes_and_this_name_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("cache")).unwrap();
        let kept = WheelMetadata::of(&cache);
        let name = |text: &str| WheelFilename::parse(text).unwrap();
        let (wheel, own) = (Sha256::of("wheel"), name("Foo_Bar-1.0-py3-none-any.whl"));
        assert_eq!(kept.get(&wheel, &own), None);
        let said = CoreMetadata::parse(
            b"Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0\nRequires-Python: >=3.8\n\
              Requires-Dist: baz (>1); extra == 'x'\nProvides-Extra: x\n\nA description.\n",
        );
        let said = said.unwrap();
        kept.keep(&wheel, &said);
        assert_eq!(kept.get(&wheel, &own), Some(said));
        kept.check(&wheel).unwrap();
        assert_eq!(kept.get(&Sha256::of("other"), &own), None);
        for other in ["foo_bar-2.0-py3-none-any.whl", "foo-1.0-py3-none-any.whl"] {
            assert_eq!(kept.get(&wheel, &name(other)), None, "{other}");
        }

        let path = cache.record_beside(Bucket::Downloads, &wheel);
        let text = cache.read_record::<Value>(&path).unwrap().to_string();
        for damage in [
            text.replace("baz", "!"),
            text.replace(">=3.8", "new"),
            text.replace("foo-bar", "-"),
            text.replace("metadata/1", "metadata/9"),
        ] {
            assert_ne!(damage, text);
            let damage: Value = serde_json::from_str(&damage).unwrap();
            cache.write_record(&path, &damage).unwrap();
            assert_eq!(kept.get(&wheel, &own), None, "{damage}");
            kept.check(&wheel).unwrap_err();
        }
        std::fs::write(&path, &text).unwrap();
        assert_eq!(kept.get(&wheel, &own), None, "it has no checksum");
    }
}
