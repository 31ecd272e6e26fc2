//! The name of an environment: a digest of what was asked to be in it.

use model::{PythonFacts, Sha256};

use super::WheelInput;

/// Changes whenever the same wheels would be laid out differently.
pub const INSTALLER_VERSION: u32 = 2;

/// Returns the name of the environment of these wheels and this interpreter.
///
/// It is made of the wheels' digests (their order does not matter), the interpreter's identity and
/// [`INSTALLER_VERSION`]. No content that holds a path is hashed; but an environment *is* a set of
/// links to one installation, and only that one is granted to builds that use it, so a digest of
/// the interpreter's place keeps two installations of the same Python apart.
#[must_use]
pub fn environment_name(wheels: &[WheelInput], facts: &PythonFacts) -> Sha256 {
    let mut digests: Vec<_> = wheels.iter().map(|wheel| wheel.sha256).collect();
    digests.sort();
    digests.dedup();
    let place = Sha256::of(facts.executable.as_os_str().as_encoded_bytes());
    let mut text = format!(
        "environment {INSTALLER_VERSION}\n{}place {place}\n",
        facts.identity()
    );
    for digest in digests {
        text.push_str(&format!("wheel {digest}\n"));
    }
    Sha256::of(text)
}
