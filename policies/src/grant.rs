//! Grants: as written in a file, and as the paths that they stand for.

use std::collections::BTreeMap;

use protocol::AbsPath;

use crate::PolicyError;
use crate::document::Section;
use crate::guard;
use crate::place::Place;
use crate::rights::Rights;

/// A grant as written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The policy that it stands in.
    pub(crate) policy: String,
    pub(crate) subject: Subject,
    pub(crate) rights: Rights,
    pub(crate) optional: bool,
    pub(crate) why: String,
}

/// What a grant is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    Place(Place),
    Path(AbsPath),
}

/// What is granted in effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Interpreter,
    Environment,
    /// A path, left out where one of `unless` exists.
    Path {
        path: AbsPath,
        unless: Vec<AbsPath>,
    },
}

/// How it is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) rights: Rights,
    pub(crate) optional: bool,
}

/// All grants of a policy and of those it extends: one entry for each target.
pub(crate) type Grants = BTreeMap<Target, Terms>;

/// Reads one `[[grant]]`.
pub(crate) fn read(section: &Section<'_>, policy: &str) -> Result<Written, PolicyError> {
    section.only(&["place", "path", "access", "why", "optional"])?;
    let instead = "write why = \"...\": each grant has a reason that people can judge";
    let why = section.required("why", instead)?.to_owned();
    let subject = subject(section)?;
    let instead = "write access = [\"read\"]";
    let words = section
        .texts("access")?
        .ok_or_else(|| section.fail("access", "it is missing", instead))?;
    let rights = Rights::of(&words)
        .map_err(|(problem, instead)| section.fail("access", &problem, instead))?;
    if rights.write && !may_be_written(&subject) {
        return Err(section.fail(
            "access",
            "a policy lets nothing of the host be written",
            "write access = [\"read\"]: a build writes its own folders without a grant, and for one run there is --allow-write PATH",
        ));
    }
    let optional = section.truth("optional")?.unwrap_or(false);
    if optional && matches!(subject, Subject::Place(_)) {
        let instead = "leave it out: a place is granted as far as it exists";
        return Err(section.fail("optional", "only a path can be optional", instead));
    }
    Ok(Written {
        policy: policy.to_owned(),
        subject,
        rights,
        optional,
        why,
    })
}

fn subject(section: &Section<'_>) -> Result<Subject, PolicyError> {
    match (section.text("place")?, section.text("path")?) {
        (Some(word), None) => Place::named(word).map(Subject::Place).ok_or_else(|| {
            section.fail(
                "place",
                "no such place",
                &format!("write one of {}; or path = \"/...\"", Place::words()),
            )
        }),
        (None, Some(path)) => guard::path_of_a_policy(path)
            .map(Subject::Path)
            .map_err(|(problem, instead)| section.fail("path", &problem, instead)),
        (Some(_), Some(_)) => {
            Err(section.fail("path", "both a place and a path", "write two grants"))
        }
        (None, None) => Err(section.fail(
            "place",
            "neither a place nor a path",
            "write place = \"toolchain\", or path = \"/...\"",
        )),
    }
}

fn may_be_written(subject: &Subject) -> bool {
    match subject {
        Subject::Place(place) => place.may_be_written(),
        Subject::Path(path) => path.to_string() == "/dev/null",
    }
}

/// Adds a written grant to the grants in effect.
pub(crate) fn merge(grants: &mut Grants, written: &Written) {
    let mut add = |target, optional| {
        let terms = Terms {
            rights: written.rights,
            optional,
        };
        grants
            .entry(target)
            .and_modify(|held: &mut Terms| {
                held.rights = held.rights.and(terms.rights);
                held.optional &= terms.optional;
            })
            .or_insert(terms);
    };
    match &written.subject {
        Subject::Place(Place::Interpreter) => add(Target::Interpreter, false),
        Subject::Place(Place::Environment) => add(Target::Environment, false),
        Subject::Place(Place::Fixed { paths, .. }) => {
            for place in *paths {
                let target = Target::Path {
                    path: place.path.clone(),
                    unless: place.unless.clone(),
                };
                add(target, true);
            }
        }
        Subject::Path(path) => {
            let target = Target::Path {
                path: path.clone(),
                unless: Vec::new(),
            };
            add(target, written.optional);
        }
    }
}
