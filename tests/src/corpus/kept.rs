//! Results that are kept, one JSON line a package, so that a run goes on where the last one stopped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::Row;

/// The results so far.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    rows: Mutex<BTreeMap<String, Row>>,
}

impl Kept {
    /// Reads what a file holds. A last line that was cut off is forgotten; of several about one package the last counts.
    ///
    /// # Errors
    /// When there is a file and it can not be read.
    pub fn open(path: PathBuf) -> std::io::Result<Self> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let rows = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Row>(line).ok())
            .map(|row| (row.requirement.clone(), row))
            .collect();
        Ok(Self {
            path,
            rows: Mutex::new(rows),
        })
    }

    /// Returns what is known of a package.
    #[must_use]
    pub fn get(&self, requirement: &str) -> Option<Row> {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(requirement).cloned()
    }

    /// Keeps a result.
    ///
    /// # Errors
    /// When it can not be written.
    pub fn put(&self, row: Row) -> std::io::Result<()> {
        let mut line = serde_json::to_string(&row).map_err(std::io::Error::other)?;
        line.push('\n');
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        self.file()?.write_all(line.as_bytes())?;
        rows.insert(row.requirement.clone(), row);
        Ok(())
    }

    fn file(&self) -> std::io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_result_counts_and_a_torn_line_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results");
        let kept = Kept::open(path.clone()).expect("no file yet");
        for result in ["F0303", "built"] {
            let mut row = Row {
                requirement: "a==1".to_owned(),
                ..Row::default()
            };
            row.ours.result = result.to_owned();
            kept.put(row).expect("a line");
        }
        let mut file = kept.file().expect("the file");
        file.write_all(b"{\"requirement\": \"b==1\"")
            .expect("a cut");
        let again = Kept::open(path).expect("a file");
        assert_eq!(again.get("a==1").expect("a row").ours.result, "built");
        assert!(again.get("b==1").is_none());
    }
}
