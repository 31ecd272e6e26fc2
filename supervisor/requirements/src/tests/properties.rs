//! Whatever a file holds, it is an answer or an error, and an error names a line of it.

use proptest::prelude::*;

use super::World;
use crate::{RequirementsError, Wish};

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let world = World::default().file("r.txt", &bytes);
        let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
        if let Err(RequirementsError::Line { place, .. }) = world.requirements("r.txt") {
            prop_assert!(place.line >= 1 && place.line <= lines);
        }
        drop(world.collect(&[Wish::Constraints("r.txt".to_owned())]));
    }

    #[test]
    fn nothing_makes_the_reader_of_words_panic(text in "[-a-z=\"'\\\\ #${}<>;@:/\n.\\[\\]]{0,80}") {
        drop(World::default().file("r.txt", &text).requirements("r.txt"));
        drop(World::default().file("pylock.toml", &text).requirements("pylock.toml"));
        let lock = format!("lock-version = '1.0'\nenvironments = [{text:?}]\npackages = []\n");
        drop(World::default().file("pylock.toml", lock).requirements("pylock.toml"));
    }
}
