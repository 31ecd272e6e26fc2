//! Grants that somebody approved for one source each, and the file that holds them.
//!
//! An approval hangs on the source's bytes: another archive under the same name and version gets nothing.

use jiff::Timestamp;
use model::{PackageName, Sha256, Version};
use policies::{Extra, OffLimits, Remedy, remedy};
use protocol::{AbsPath, Access, Touch};
use serde::{Deserialize, Serialize};

/// The schema of the file.
const SCHEMA: &str = "fumehood-approvals/1";

const HEAD: &str = "# Grants that `fumehood policy approve` proved and wrote. Each holds for the source of that SHA-256 alone.\n\
    # Taking one out withdraws it.\n";

/// One approved grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The project.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The source's bytes.
    pub source: Sha256,
    /// What is granted.
    pub grant: Extra,
    /// What the build did that wants it, and in which build.
    pub evidence: String,
    /// When it was approved.
    pub approved_at: Timestamp,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    schema: String,
    #[serde(default)]
    approval: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: PackageName,
    version: Version,
    source: Sha256,
    path: String,
    access: Word,
    evidence: String,
    approved_at: Timestamp,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Read,
    Execute,
}

impl Approval {
    /// Reads the file's text.
    ///
    /// # Errors
    /// Says what is wrong with it: a grant that was never to be approved is refused here as well.
    pub fn read(text: &str, off_limits: &OffLimits) -> Result<Vec<Self>, String> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| error.to_string())?;
        if sheet.schema != SCHEMA {
            return Err(format!("its schema is not `{SCHEMA}`"));
        }
        let rows = sheet.approval.into_iter();
        rows.map(|row| row.approval(off_limits)).collect()
    }

    /// Returns the text of a file that holds `approvals`.
    ///
    /// # Errors
    /// If one grants something else than reading and executing.
    pub fn write(approvals: &[Self]) -> Result<String, String> {
        let rows = approvals.iter().map(Row::of);
        let sheet = Sheet {
            schema: SCHEMA.to_owned(),
            approval: rows.collect::<Result<_, _>>()?,
        };
        let text = toml::to_string(&sheet).map_err(|error| error.to_string())?;
        Ok(format!("{HEAD}{text}"))
    }
}

impl Row {
    fn of(approval: &Approval) -> Result<Self, String> {
        let access = match approval.grant.access {
            Access::Read => Word::Read,
            Access::ReadExecute => Word::Execute,
            Access::ReadWrite | Access::ReadWriteFile => {
                return Err("no grant to write is ever approved".to_owned());
            }
        };
        Ok(Self {
            name: approval.name.clone(),
            version: approval.version.clone(),
            source: approval.source,
            path: approval.grant.path.to_string(),
            access,
            evidence: approval.evidence.clone(),
            approved_at: approval.approved_at,
        })
    }

    fn approval(self, off_limits: &OffLimits) -> Result<Approval, String> {
        let path = AbsPath::new(&self.path).map_err(|error| error.to_string())?;
        let touch = match self.access {
            Word::Read => Touch::Read,
            Word::Execute => Touch::Execute,
        };
        let (path, access) = match remedy(touch, path.as_path(), off_limits) {
            Remedy::Grant { path, access } => (path, access),
            Remedy::Policy(name) => {
                return Err(format!("`{path}` is what the policy `{name}` is for"));
            }
            Remedy::Never(why) => return Err(format!("`{path}` is never approved: {why}")),
        };
        Ok(Approval {
            name: self.name,
            version: self.version,
            source: self.source,
            grant: Extra { path, access },
            evidence: self.evidence,
            approved_at: self.approved_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(path: &str, access: Access) -> Approval {
        Approval {
            name: PackageName::new("Foo".to_owned()).unwrap(),
            version: "1.0".parse().unwrap(),
            source: Sha256::of("x"),
            grant: Extra {
                path: AbsPath::new(path).unwrap(),
                access,
            },
            evidence: "read \"it\"\nname = 1".to_owned(),
            approved_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let all = [
            approval("/opt/a \"b\"", Access::Read),
            approval("/opt/c", Access::ReadExecute),
        ];
        let text = Approval::write(&all).unwrap();
        assert_eq!(Approval::read(&text, &OffLimits::default()).unwrap(), all);
    }

    #[test]
    fn nothing_is_read_that_was_not_to_be_approved() {
        let none = OffLimits::default();
        for path in [
            "/root/x",
            "/proc/cpuinfo",
            "/proc/1/mem",
            "/run/x",
            "/",
            "/etc/shadow",
        ] {
            let text = Approval::write(&[approval(path, Access::Read)]).unwrap();
            assert!(Approval::read(&text, &none).is_err(), "{path}");
        }
        assert!(Approval::write(&[approval("/opt/x", Access::ReadWrite)]).is_err());
        let own = OffLimits {
            homes: vec!["/people/ada".into()],
            caches: vec!["/data/c".into()],
        };
        for path in ["/people/ada/x", "/data/c/x"] {
            let text = Approval::write(&[approval(path, Access::Read)]).unwrap();
            assert!(Approval::read(&text, &own).is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_with_a_word_too_many_is_refused() {
        let text = Approval::write(&[approval("/opt/x", Access::Read)]).unwrap();
        for wrong in [
            text.replace("access = \"read\"", "access = \"write\""),
            text.replace("path = ", "paths = "),
            text.replace(SCHEMA, "fumehood-approvals/2"),
            format!("{text}\nall = true\n"),
        ] {
            assert!(
                Approval::read(&wrong, &OffLimits::default()).is_err(),
                "{wrong}"
            );
        }
    }
}
