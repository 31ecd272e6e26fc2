//! What the fuzzers call: one function a reader of strangers' bytes. Plain, so that tests can replay
//! a corpus without a fuzzer; a target panics where a promise is broken.

mod archives;
mod frame;
mod page;
mod policy;
mod wheel;

/// A target: its name, which is that of its corpus, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Target] = &[
    ("frame", frame::frame),
    ("tar", archives::tar),
    ("zip", archives::zip),
    ("page_json", page::json),
    ("page_html", page::html),
    ("dist_info", wheel::dist_info),
    ("policy", policy::policy),
];

/// Runs the target of that name.
///
/// # Panics
/// Where the target found something, or if there is none of that name.
pub fn run(name: &str, bytes: &[u8]) {
    let found = ALL.iter().find(|(known, _)| *known == name);
    let (_, body) = found.unwrap_or_else(|| panic!("no target `{name}`"));
    body(bytes);
}
