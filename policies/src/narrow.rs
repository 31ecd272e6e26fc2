//! Layers: whether one policy allows nothing that another does not.

use crate::grant::Target;
use crate::limits::KEYS;
use crate::{Policy, PolicyError};

impl Policy {
    /// Checks that this policy allows nothing that `above` does not: grants, variables from the
    /// caller and limits. A path counts as granted only under the same spelling, because a folder
    /// below a granted one may be a link to somewhere else.
    ///
    /// # Errors
    /// Names the first thing that is more.
    pub fn narrower(&self, above: &Self) -> Result<(), PolicyError> {
        let wider = |what: String| PolicyError::Wider {
            policy: self.name.clone(),
            above: above.name.clone(),
            what,
        };
        for (target, terms) in &self.grants {
            let held = above.grants.get(target).or_else(|| match target {
                Target::Path { path, .. } => above.grants.get(&Target::Path {
                    path: path.clone(),
                    unless: Vec::new(),
                }),
                _ => None,
            });
            if !held.is_some_and(|held| terms.rights.within(held.rights)) {
                let subject = match target {
                    Target::Interpreter => "the interpreter".to_owned(),
                    Target::Environment => "the environment".to_owned(),
                    Target::Path { path, .. } => format!("`{path}`"),
                };
                return Err(wider(format!("{} {subject}", terms.rights.words())));
            }
        }
        for name in self.environment.pass.keys() {
            if !above.environment.pass.contains_key(name) {
                return Err(wider(format!("the caller's variable {name}")));
            }
        }
        if self.reuses && !above.reuses {
            return Err(wider("reuse = \"allowed\"".to_owned()));
        }
        for key in &KEYS {
            if (key.of)(&self.limits) > (key.of)(&above.limits) {
                return Err(wider(format!("{} = {}", key.name, key.shown(&self.limits))));
            }
        }
        Ok(())
    }
}
