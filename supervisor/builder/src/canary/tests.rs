//! Promises of the decoys, with real files and the kernel's own events.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::watch::Watch;
use super::{Home, Search, Token, decoy};
use crate::redact::Redactor;

#[test]
fn a_token_is_found_in_every_form_wherever_the_stream_is_cut() {
    let token = Token::new().unwrap();
    let text = token.text();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut forms = vec![
        text.into(),
        text.to_ascii_uppercase().into_bytes(),
        wide,
        hex::encode(text).into_bytes(),
    ];
    for before in ["", "a", "ab", "abc", "password: "] {
        let plain = format!("{before}{text} and more");
        forms.push(STANDARD.encode(&plain).into_bytes());
        forms.push(URL_SAFE_NO_PAD.encode(&plain).into_bytes());
    }
    for form in forms {
        let stream = [&b"before "[..], &form, b" behind"].concat();
        for cut in 0..stream.len() {
            let mut search = Search::new(&token);
            search.begin();
            let (left, right) = stream.split_at(cut);
            let found = search.push(left) | search.push(right);
            assert!(found, "{}", String::from_utf8_lossy(&form));
        }
    }
}

#[test]
fn what_holds_no_token_or_another_is_left_alone() {
    let (token, other) = (Token::new().unwrap(), Token::new().unwrap());
    assert_ne!(token, other);
    let mut search = Search::new(&token);
    assert!(!search.push(other.text().as_bytes()));
    let (left, right) = token.text().split_at(16);
    search.begin();
    assert!(!search.push(left.as_bytes()));
    search.begin();
    assert!(!search.push(right.as_bytes()), "two streams are not one");
}

#[test]
fn every_decoy_holds_the_token_and_names_no_host_that_can_exist() {
    let token = Token::new().unwrap();
    for decoy in &decoy::ALL {
        let text = (decoy.text)(&token);
        assert!(text.contains(token.text()), "{}", decoy.path);
        for (at, _) in text.match_indices("https://") {
            let url = text[at..].split_whitespace().next().unwrap();
            assert!(url.contains(".invalid"), "{}: {url}", decoy.path);
        }
    }
    let ssh = (decoy::ALL[0].text)(&token);
    let key = STANDARD.decode(ssh.lines().nth(1).unwrap()).unwrap();
    assert_eq!(key.len(), 48);
    assert_eq!(hex::encode(&key[..16]), "302e020100300506032b657004220420");
}

#[test]
fn opening_is_seen_under_any_name_and_looking_is_not() {
    let place = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| place.path().join(name));
    fs::write(&one, "1").unwrap();
    fs::write(&other, "2").unwrap();
    let watch = Watch::over([&one, &other]).unwrap();
    fs::metadata(&one).unwrap();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    assert_eq!(watch.opened(), (vec![0, 0], false));
    fs::read(&one).unwrap();
    fs::read(&one).unwrap();
    let link = place.path().join("link");
    fs::hard_link(&other, &link).unwrap();
    fs::read(&link).unwrap();
    assert_eq!(watch.opened(), (vec![2, 1], false));
    assert_eq!(watch.opened(), (vec![0, 0], false));
}

#[test]
fn a_home_is_laid_for_its_owner_alone_and_marked_in_what_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let room = tempfile::tempdir().unwrap();
    let home = Home::lay(room.path(), None, Redactor::default()).unwrap();
    assert!(home.is_watched());
    for decoy in &decoy::ALL {
        let found = fs::metadata(room.path().join(decoy.path)).unwrap();
        assert_eq!(found.permissions().mode() & 0o077, 0, "{}", decoy.path);
    }
    let (redactor, token) = (home.redactor(), home.token().text());
    assert_eq!(
        redactor.hide(&format!("a {token} {token}")),
        "a [decoy] [decoy]"
    );
    assert_eq!(redactor.hide("nothing"), "nothing");
    assert_eq!(home.redactor().take_marked(), 2);
    assert_eq!(redactor.take_marked(), 0);
}
