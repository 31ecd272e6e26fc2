//! What the lenient door repairs, refuses and survives.

use proptest::prelude::*;

use super::*;

fn same(written: &str, meant: &str) {
    assert_eq!(
        specifiers(written).expect(written),
        VersionSpecifiers::from_str(meant).expect(meant),
        "{written} should read as {meant}"
    );
}

#[test]
fn each_repair_of_the_table_is_made() {
    same(">=40.8.*", ">=40.8");
    same("<4.*", "<4");
    same(">3.*", ">3");
    same("<=3.1.*", "<=3.1");
    same("~=3.6.*", "~=3.6");
    same(">2.7.x", ">2.7");
    same("==2.7.X", "==2.7.*");
    same("!=3.0*", "!=3.0.*");
    same("==3*", "==3.*");
    same("!=~5.0", "!=5.0.*");
    same(">=1.0,", ">=1.0");
    same(",>=1,,<2", ">=1,<2");
    same(">='1.2'", ">=1.2");
    same(">=\"1.2\"", ">=1.2");
    same(">=1.0<2.0", ">=1.0,<2.0");
    same(">=1 <2, !=1.5*", ">=1,<2,!=1.5.*");
    same("(>=1.0)", ">=1.0");
}

#[test]
fn what_is_already_right_is_left_alone() {
    same(">=3.9", ">=3.9");
    same(">=2.7, !=3.0.*, !=3.1.*, <4", ">=2.7,!=3.0.*,!=3.1.*,<4");
    same("==1.0.*", "==1.0.*");
    same("", "");
    same("  ", "");
}

#[test]
fn requirements_get_the_same_repairs() {
    for (written, meant) in [
        ("setuptools>=40.8.*", "setuptools>=40.8"),
        ("foo>=1.0,", "foo>=1.0"),
        ("foo>2.7.x", "foo>2.7"),
        ("numpy>='1.2'", "numpy>=1.2"),
        ("foo[a,b](>=1.0<2)", "foo[a,b]>=1.0,<2"),
        (
            "foo >=1.0, ; python_version < '3.8'",
            "foo>=1.0 ; python_version < '3.8'",
        ),
        ("foo[a,]>=1", "foo[a]>=1"),
        ("foo ;", "foo"),
    ] {
        assert_eq!(
            requirement(written).expect(written),
            Requirement::from_str(meant).expect(meant),
            "{written}"
        );
    }
}

#[test]
fn urls_and_markers_come_through() {
    let read = requirement("foo @ https://example.invalid/a;b.zip ; os_name == 'posix'")
        .expect("a requirement with a URL");
    assert_eq!(
        read.to_string(),
        "foo @ https://example.invalid/a;b.zip ; os_name == 'posix'"
    );
}

#[test]
fn a_url_never_sees_the_environment() {
    let error = requirement("foo @ https://example.invalid/${HOME}").expect_err("refused");
    assert!(error.why.contains("environment"), "{error}");
}

#[test]
fn what_is_not_a_version_is_refused() {
    for text in ["2004d", "0.1.0-SNAPSHOT", "", "abc", "1..2"] {
        assert!(version(text).is_err(), "{text}");
    }
    assert_eq!(version(" 1.0 ").expect("trimmed"), Version::new([1, 0]));
    assert!(version(&"9".repeat(19)).is_err());
    assert!(version(&"1.".repeat(400)).is_err());
}

#[test]
fn names_that_make_the_parser_panic_are_refused() {
    for text in [
        "foo- >=1",
        "foo.>=1",
        "foo[a-]",
        "foo[b.,c]",
        "-",
        "",
        "[a]",
    ] {
        assert!(requirement(text).is_err(), "{text}");
    }
}

#[test]
fn markers_are_bounded() {
    let deep = format!("foo ; {}os_name == 'a'{}", "(".repeat(60), ")".repeat(60));
    assert!(requirement(&deep).is_err());
    let wide = vec!["os_name == 'a'"; 101].join(" or ");
    assert!(requirement(&format!("foo ; {wide}")).is_err());
    let extras: Vec<String> = (0..25).map(|n| format!("extra == 'e{n}'")).collect();
    assert!(requirement(&format!("foo ; {}", extras.join(" or "))).is_err());
    let honest = ["(os_name == 'a' and python_version >= '3.8')"; 12].join(" or ");
    assert!(requirement(&format!("foo ; {honest}")).is_ok());
    assert!(requirement("foo ; os_name == 'a' \"éé\"").is_err());
}

#[test]
fn messages_hold_no_control_characters() {
    let error = requirement("\u{1b}[31mfoo").expect_err("refused");
    assert!(!error.to_string().contains('\u{1b}'));
    let error = requirement("a b @ https://me:secret@example.invalid/x").expect_err("refused");
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = requirement("a @ https://me:secret@exa mple.invalid/x ; b").expect_err("refused");
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = version("1\u{7}").expect_err("refused");
    assert!(!error.to_string().contains('\u{7}'));
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        drop((version(&text), specifiers(&text), requirement(&text)));
    }

    #[test]
    fn requirement_like_text_gets_an_answer(
        text in "[a-c.\\-_]{1,4}[ \\[\\],a-z\\-]{0,6}[<>=!~@ ,()'\"0-9.*xé]{0,12}(;[ a-z_()'\"=<>!é0-9.]{0,24})?"
    ) {
        drop(requirement(&text));
    }

    #[test]
    fn a_repaired_list_reads_as_itself(text in "([<>=!~]{1,2} ?[0-9]{1,3}(\\.[0-9x*]{1,2}){0,3}[, ]{0,2}){0,3}") {
        if let Ok(read) = specifiers(&text) {
            prop_assert_eq!(specifiers(&read.to_string()).expect("its own text"), read);
        }
    }
}
