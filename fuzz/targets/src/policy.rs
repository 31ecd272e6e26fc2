//! Policy files: what is taken can be told, and means the same when it is read again.

use policies::Policy;

/// Reads a policy file.
pub(crate) fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(policy) = Policy::parse(text, "mine.toml") {
        let again = Policy::parse(policy.source(), "mine.toml").expect("it was read before");
        assert_eq!(policy.digest(), again.digest());
    }
}
