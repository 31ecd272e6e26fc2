//! Each rule refuses a tar that breaks it, before anything is written.

use std::io::Write;

use super::{TarMaker, file_of, gz, header, rule, rule_within};
use crate::{Budget, Refusal, Top, peek};

fn tar() -> TarMaker {
    TarMaker::default()
}

#[test]
fn names_that_climb_or_start_elsewhere() {
    assert_eq!(rule(&tar().file("p/../../x", b"").done()), "traversal");
    assert_eq!(rule(&tar().folder("..").done()), "traversal");
    assert_eq!(rule(&tar().file("/etc/x", b"").done()), "absolute");
    assert_eq!(rule(&tar().file("C:/x", b"").done()), "absolute");
    assert_eq!(rule(&tar().file("", b"").done()), "names");
    assert_eq!(rule(&tar().file("p/a\nb", b"").done()), "names");
    assert_eq!(rule(&tar().file(".", b"").done()), "names");
    assert_eq!(
        rule(&tar().raw(&header(b'0', b"p/\xff", b"", 0), b"").done()),
        "names"
    );
}

#[test]
fn names_that_climb_in_an_extension() {
    assert_eq!(
        rule(&tar().pax(b'x', &[("path", "../x")]).file("p/x", b"").done()),
        "traversal"
    );
    assert_eq!(
        rule(
            &tar()
                .member(b'L', "long", "", b"/x\0")
                .file("p/x", b"")
                .done()
        ),
        "absolute"
    );
    assert_eq!(
        rule(
            &tar()
                .member(b'L', "long", "", b"p/a\0b\0")
                .file("p/x", b"")
                .done()
        ),
        "names"
    );
    let long = "n".repeat(5000);
    assert_eq!(
        rule(
            &tar()
                .member(b'L', "long", "", long.as_bytes())
                .file("p/x", b"")
                .done()
        ),
        "names"
    );
}

#[test]
fn links_that_lead_out() {
    assert_eq!(
        rule(&tar().folder("p").link("p/a", "../../x").done()),
        "link-out"
    );
    assert_eq!(
        rule(&tar().folder("p").link("p/a", "/etc/passwd").done()),
        "link-out"
    );
    assert_eq!(
        rule(&tar().folder("p").link("p/a", "..").done()),
        "link-out"
    );
    assert_eq!(
        rule(&tar().file("p/f", b"").link("p/a", "../p/f").done()),
        "link-out"
    );
    assert_eq!(
        rule(&tar().link("p/d/up", "..").link("p/out", "d/up/../x").done()),
        "link-out"
    );
    assert_eq!(
        rule(
            &tar()
                .pax(b'x', &[("linkpath", "/x")])
                .link("p/a", "b")
                .done()
        ),
        "link-out"
    );
    assert_eq!(rule(&tar().link("p/a", "").done()), "names");
}

#[test]
fn members_below_a_link() {
    assert_eq!(
        rule(&tar().link("p/a", "b").file("p/a/x", b"").done()),
        "link-out"
    );
    assert_eq!(
        rule(&tar().link("p/a", ".").folder("p/a").done()),
        "duplicate"
    );
}

#[test]
fn hard_links_to_anything_but_an_earlier_file() {
    for target in ["/etc/passwd", "../x", "p/later", "p/none", "p", "p/link"] {
        let bytes = tar()
            .folder("p")
            .link("p/link", "x")
            .hard_link("p/h", target)
            .file("p/later", b"")
            .done();
        assert_eq!(rule(&bytes), "link-out", "{target}");
    }
}

#[test]
fn devices_and_their_like() {
    for kind in [b'3', b'4', b'6', b'D', b'N', b'V', b'Z'] {
        assert_eq!(
            rule(&tar().member(kind, "p/x", "", b"").done()),
            "device",
            "{kind}"
        );
    }
}

#[test]
fn sparse_files_and_parts_of_volumes() {
    assert_eq!(rule(&tar().member(b'S', "p/x", "", b"").done()), "sparse");
    assert_eq!(rule(&tar().member(b'M', "p/x", "", b"").done()), "sparse");
    assert_eq!(
        rule(
            &tar()
                .pax(b'x', &[("GNU.sparse.major", "1")])
                .file("p/x", b"")
                .done()
        ),
        "sparse"
    );
}

#[test]
fn sizes_and_names_on_which_readers_differ() {
    let inner = tar().file("p/hidden", b"").unfinished();
    assert_eq!(
        rule(&tar().pax(b'x', &[("size", "0")]).file("p/x", &inner).done()),
        "size-confusion"
    );
    assert_eq!(
        rule(&tar().pax(b'x', &[("size", "512")]).file("p/x", b"").done()),
        "size-confusion"
    );
    assert_eq!(
        rule(&tar().pax(b'g', &[("size", "3")]).file("p/x", b"abc").done()),
        "size-confusion"
    );
    assert_eq!(
        rule(&tar().pax(b'g', &[("path", "p/y")]).file("p/x", b"").done()),
        "size-confusion"
    );
    assert_eq!(
        rule(&tar().member(b'2', "p/a", "b", &inner).done()),
        "size-confusion"
    );
    assert_eq!(
        rule(&tar().member(b'5', "p", "", &inner).done()),
        "size-confusion"
    );
    assert_eq!(rule(&tar().file("p/", &inner).done()), "size-confusion");
    let twice = tar()
        .pax(b'x', &[("path", "p/a")])
        .pax(b'x', &[("path", "p/b")]);
    assert_eq!(rule(&twice.file("p/x", b"").done()), "size-confusion");
    let both = tar()
        .pax(b'x', &[("path", "p/a")])
        .member(b'L', "long", "", b"p/b\0");
    assert_eq!(rule(&both.file("p/x", b"").done()), "size-confusion");
}

#[test]
fn a_binary_size_with_bytes_that_some_readers_drop() {
    let mut odd = header(b'0', b"p/x", b"", 0);
    odd.as_old_mut().size = [0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    odd.set_cksum();
    assert_eq!(rule(&tar().raw(&odd, b"").done()), "size-confusion");
}

#[test]
fn one_name_for_two_members() {
    assert_eq!(
        rule(&tar().file("p/x", b"1").file("p/x", b"2").done()),
        "duplicate"
    );
    assert_eq!(
        rule(&tar().file("p/x", b"1").file("./p//x", b"2").done()),
        "duplicate"
    );
    assert_eq!(
        rule(&tar().file("p/x", b"1").file("p/x/y", b"2").done()),
        "duplicate"
    );
    assert_eq!(
        rule(&tar().file("p/x/y", b"2").file("p/x", b"1").done()),
        "duplicate"
    );
    assert_eq!(
        rule(&tar().folder("p/x").file("p/x", b"1").done()),
        "duplicate"
    );
}

#[test]
fn more_than_one_folder_where_one_is_wanted() {
    let budget = Budget::default();
    for bytes in [
        tar().file("p/x", b"").file("q/x", b"").done(),
        tar().file("p/x", b"").file("setup.py", b"").done(),
        tar().file("setup.py", b"").done(),
        tar().link("p", "q").file("q/x", b"").done(),
    ] {
        assert_eq!(rule_within(&bytes, Top::OneFolder, &budget), "top");
    }
}

#[test]
fn nothing_at_all() {
    assert_eq!(rule(b""), "empty");
    assert_eq!(rule(&tar().done()), "empty");
    assert_eq!(rule(&gz(&tar().done())), "empty");
    assert_eq!(rule(&tar().folder("p").done()), "empty");
    assert_eq!(rule(&tar().pax(b'g', &[("comment", "x")]).done()), "empty");
}

#[test]
fn bad_compression_and_damage() {
    let bytes = gz(&tar().file("p/x", &[7; 3000]).done());
    assert_eq!(rule(&bytes[..bytes.len() - 4]), "compression");
    assert_eq!(rule(&bytes[..30]), "compression");
    let mut flipped = bytes.clone();
    let crc = flipped.len() - 6;
    flipped[crc] ^= 1;
    assert_eq!(rule(&flipped), "compression");
    assert_eq!(rule(&gz(b"this is no tar")), "compression");
    assert_eq!(rule(b"this is no archive"), "compression");
    assert_eq!(rule(b"BZh9 this is no bzip2"), "compression");
    assert_eq!(rule(b"\xfd7zXZ\0 this is no xz"), "compression");
    let whole = tar().file("p/x", &[7; 3000]).done();
    assert_eq!(rule(&whole[..2000]), "compression");
    assert_eq!(
        rule(&tar().file("p/x", b"").pax(b'x', &[("path", "p/y")]).done()),
        "compression"
    );
    let mut sum = tar().file("p/x", b"").file("p/y", b"").done();
    sum[512] = b'q';
    assert_eq!(rule(&sum), "compression");
}

#[test]
fn data_behind_the_end() {
    let mut bytes = tar().file("p/x", b"").done();
    bytes.extend(tar().file("p/hidden", b"").done());
    assert_eq!(rule(&bytes), "trailing");
    let whole = gz(&tar().file("p/x", b"").done());
    assert_eq!(rule(&[&whole[..], b"more"].concat()), "trailing");
    assert_eq!(
        rule(&[&whole[..], &[0; 9], &whole[..]].concat()),
        "trailing"
    );
}

#[test]
fn bombs_of_every_shape() {
    let small = Budget {
        members: 10,
        bytes: 1000,
        ratio: 1000,
        depth: 4,
    };
    let many = (0..11)
        .fold(tar(), |tar, at| tar.file(&format!("p/{at}"), b""))
        .done();
    assert_eq!(rule_within(&many, Top::Any, &small), "bomb");
    let implied = (0..4)
        .fold(tar(), |tar, at| tar.file(&format!("p/{at}/a/x"), b""))
        .done();
    assert_eq!(rule_within(&implied, Top::Any, &small), "bomb");
    assert_eq!(
        rule_within(&tar().file("p/x", &[0; 1001]).done(), Top::Any, &small),
        "bomb"
    );
    let copies = (0..5).fold(tar().file("p/x", &[0; 300]), |tar, at| {
        tar.hard_link(&format!("p/{at}"), "p/x")
    });
    assert_eq!(rule_within(&copies.done(), Top::Any, &small), "bomb");
    assert_eq!(
        rule_within(&tar().file("1/2/3/4/5", b"").done(), Top::Any, &small),
        "bomb"
    );
    let comments = (0..50)
        .fold(tar(), |tar, _| tar.pax(b'g', &[("comment", "x")]))
        .done();
    assert_eq!(rule_within(&comments, Top::Any, &small), "bomb");
}

#[test]
fn a_header_that_fills_the_memory() {
    let bytes = tar()
        .member(b'L', "long", "", &vec![b'a'; (1 << 20) + 1])
        .file("p/x", b"")
        .done();
    assert_eq!(rule(&gz(&bytes)), "bomb");
}

#[test]
fn a_ratio_that_no_source_has() {
    let budget = Budget {
        ratio: 100,
        ..Budget::default()
    };
    let zeros = gz(&tar().file("p/x", &vec![0; 34 << 20]).done());
    assert_eq!(rule_within(&zeros, Top::Any, &budget), "bomb");
    // Zeros behind the end cost as much.
    let mut padded = tar().file("p/x", b"x").done();
    padded.resize(34 << 20, 0);
    assert_eq!(rule_within(&gz(&padded), Top::Any, &budget), "bomb");
}

#[test]
fn an_xz_that_wants_a_gigabyte_of_memory() {
    let mut options = lzma_rust2::XzOptions::with_preset(1);
    options.lzma_options.dict_size = 256 << 20;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    writer.write_all(&tar().file("p/x", b"x").done()).unwrap();
    assert_eq!(rule(&writer.finish().unwrap()), "compression");
}

#[test]
fn peeking_refuses_what_unpacking_refuses() {
    let budget = Budget::default();
    let look = |bytes: &[u8], top| peek(&file_of(bytes), &["x"], top, &budget).unwrap_err();
    assert_eq!(
        look(&tar().file("p/x", b"").file("../y", b"").done(), Top::Any).rule(),
        "traversal"
    );
    assert_eq!(
        look(
            &tar().file("p/x", b"").file("q/x", b"").done(),
            Top::OneFolder
        )
        .rule(),
        "top"
    );
    assert_eq!(look(b"", Top::Any).rule(), "empty");
    assert_eq!(
        look(&tar().file("p/x", &vec![0; (4 << 20) + 1]).done(), Top::Any).rule(),
        "bomb"
    );
    assert!(matches!(
        look(b"BZh91AY", Top::Any),
        Refusal::NeedsWorker { .. }
    ));
}

#[test]
fn what_a_refusal_says_can_be_printed() {
    let room = super::Room::new();
    let bytes = tar().file("../\x1b[2J\u{202e}", b"").done();
    let text = room
        .unpack(&bytes, Top::Any, &Budget::default())
        .unwrap_err()
        .to_string();
    assert!(text.contains("\\u{1b}[2J\\u{202e}"), "{text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
