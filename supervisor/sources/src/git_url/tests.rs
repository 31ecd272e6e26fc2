//! What git may be asked for, and what not.

use super::*;

fn good(text: &str) -> GitUrl {
    GitUrl::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn bad(text: &str) -> String {
    GitUrl::parse(text).unwrap_err().why
}

#[test]
fn four_transports_and_no_other() {
    for (text, transport) in [
        ("https://example.invalid/a/b.git", Transport::Https),
        ("ssh://git@example.invalid:22/a/b", Transport::Ssh),
        ("file:///srv/b", Transport::File),
        ("http://127.0.0.1:8000/b", Transport::Http),
        ("http://[::1]:8000/b", Transport::Http),
        ("http://localhost/b", Transport::Http),
    ] {
        assert_eq!(good(text).transport(), transport, "{text}");
    }
    for text in [
        "http://example.invalid/b",
        "git://example.invalid/b",
        "ftp://example.invalid/b",
        "ext::sh -c id",
        "ext::sh",
        "fd::7",
        "https::https://example.invalid/b",
        "transport::address",
        "/srv/b",
        "../b",
        "-oProxyCommand=id",
        "example.invalid:a/b",
        "file://example.invalid/srv/b",
        "https://example.invalid/",
        "https://example.invalid/b?token=1",
        "https://example.invalid/a b",
        "https://example.invalid/a%0ab",
        "https://me:a%0ahost=b@example.invalid/a",
        "https://me%0d@example.invalid/a",
        "",
    ] {
        assert!(GitUrl::parse(text).is_err(), "{text}");
    }
}

#[test]
fn ssh_gets_no_options() {
    for text in [
        "ssh://-oProxyCommand=id/b",
        "ssh://-l@example.invalid/b",
        "ssh://%2DoProxyCommand=id/b",
        "ssh://a;id@example.invalid/b",
        "ssh://git:secret@example.invalid/b",
        "ssh:///b",
    ] {
        assert!(!bad(text).is_empty(), "{text}");
    }
}

#[test]
fn credentials_are_in_neither_address_nor_name_nor_message() {
    let url = good("https://me:s%40cret@example.invalid/a/b.git");
    assert_eq!(url.address(), "https://example.invalid/a/b.git");
    assert_eq!(url.credentials(), Some(("me".into(), "s@cret".into())));
    assert_eq!(url.digest(), good("https://example.invalid/a/b").digest());
    for shown in [format!("{url}"), format!("{url:?}")] {
        assert!(!shown.contains("cret") && !shown.contains("me:"), "{shown}");
    }
    assert!(!bad("ftp://me:secret@example.invalid/b").contains("secret"));
    let message = GitUrl::parse("ftp://me:secret@example.invalid/b").unwrap_err();
    assert!(!message.to_string().contains("secret"), "{message}");
    assert_eq!(good("ssh://git@example.invalid/b").credentials(), None);
}

#[test]
fn submodules_are_resolved_as_git_does_and_kept_out_of_this_machine() {
    let parent = good("https://me:secret@example.invalid/a/b.git");
    for (text, wanted) in [
        ("../c.git", "https://example.invalid/a/c.git"),
        ("../../x/c", "https://example.invalid/x/c"),
        ("./c", "https://example.invalid/a/b.git/c"),
        ("https://other.invalid/c", "https://other.invalid/c"),
        ("ssh://git@other.invalid/c", "ssh://git@other.invalid/c"),
    ] {
        assert_eq!(parent.submodule(text).unwrap().address(), wanted, "{text}");
    }
    assert!(parent.submodule("../c").unwrap().credentials().is_some());
    assert!(
        parent
            .submodule("https://other.invalid/c")
            .unwrap()
            .credentials()
            .is_none()
    );
    for text in [
        "file:///etc",
        "/etc",
        "http://127.0.0.1/c",
        "ext::sh -c id",
        "../../../../etc",
        "-u",
        "",
    ] {
        assert!(parent.submodule(text).is_err(), "{text}");
    }
    let local = good("file:///srv/a/b");
    assert_eq!(
        local.submodule("../c").unwrap().address(),
        "file:///srv/a/c"
    );
    assert_eq!(
        local.submodule("/srv/c").unwrap().address(),
        "file:///srv/c"
    );
    assert!(local.submodule("http://127.0.0.1/c").is_ok());
}

#[test]
fn references_are_names_and_nothing_else() {
    for text in [
        "main",
        "v1.0",
        "feature/x",
        "refs/pull/7/head",
        "1.2.x",
        "a@b",
    ] {
        assert!(text.parse::<Reference>().is_ok(), "{text}");
    }
    for text in [
        "",
        "--upload-pack=id",
        "-",
        "a..b",
        "a^",
        "HEAD~1",
        "a:b",
        "a b",
        "a\u{7}",
        "@{1}",
        "@",
        "a/../b",
        "/a",
        "a/",
        "a//b",
        "a.lock",
        ".a",
        "a.",
        "a*",
    ] {
        assert!(text.parse::<Reference>().is_err(), "{text:?}");
    }
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let full: Reference = commit.parse().unwrap();
    assert_eq!(full.full_commit(), Some(commit));
    assert!("abcd".parse::<Reference>().unwrap().is_hexadecimal());
    assert!(!"abcx".parse::<Reference>().unwrap().is_hexadecimal());
}

#[test]
fn submodules_may_be_written_as_scp_writes_them() {
    let parent = good("https://example.invalid/a/b");
    let child = parent.submodule("git@example.invalid:a/lib.git");
    let child = child.expect("it is an address");
    assert_eq!(child.address(), "ssh://git@example.invalid/a/lib.git");
    for text in [
        "-oProxyCommand=id:a",
        "git@-x:a",
        "ext::sh -c id",
        "a/b:c",
        "fd::7",
    ] {
        assert!(parent.submodule(text).is_err(), "{text}");
    }
}
