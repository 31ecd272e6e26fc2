//! What lies behind a URL is asked for once in a call, however often and in whatever words it is given.

use sha2::Digest as _;
use tests::search::sha256;
use tests::{Offer, Sdist, Wheel, World};

use crate::wheel_files::whole;
use crate::world;

/// A file behind a URL that says nothing of how long it may be used.
struct Behind<'a> {
    project: &'a str,
    filename: String,
    bytes: Vec<u8>,
}

impl Behind<'_> {
    /// Serves it, makes what `words` say of it, and returns how often it was asked for.
    #[track_caller]
    fn asked(&self, world: &World<'_>, words: &[String]) -> usize {
        let path = format!("/files/{}", self.filename);
        let before = world.index.requests(&path);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        whole(world, &words).finish().succeeds();
        world.index.requests(&path) - before
    }

    fn serve(&self, world: &World<'_>) -> String {
        let offer = Offer::new("x", &self.filename, self.bytes.clone());
        world.index.offer(offer);
        world.index.file_url(&self.filename)
    }
}

#[test]
fn what_lies_behind_a_url_is_asked_for_once_in_a_call_however_it_is_given() {
    let wheel = Wheel::new("tool", "1.0");
    let files = [
        Behind {
            project: "thing",
            filename: "main.tar.gz".to_owned(),
            bytes: Sdist::hello("thing", "1.0").tar_gz(),
        },
        Behind {
            project: "tool",
            filename: wheel.filename(),
            bytes: wheel.pack(),
        },
    ];
    for file in files {
        let world = world();
        let url = file.serve(&world);
        let by_name = format!("{} @ {url}", file.project);
        let by_digest = format!("{url}#sha256={}", sha256(&file.bytes));
        let by_other = format!(
            "{url}#sha512={}",
            hex::encode(sha2::Sha512::digest(&file.bytes))
        );
        world.file("work/one.txt", format!("{url}\n"));
        world.file("work/two.txt", format!("{by_name}\n{by_digest}\n"));
        let app = Wheel::new("app", "1.0").header(&format!("Requires-Dist: {by_name}"));
        let first = Sdist::hello("first", "1.0").requires(&[&by_name]);
        let second = Sdist::hello("second", "1.0").requires(&[&by_name]);
        world.index.wheel(&app).sdist(&first).sdist(&second);
        let ways = [
            vec![url.as_str()],
            vec![&url, &by_name, &url],
            vec![&by_digest, &url],
            vec![&url, &by_digest, &by_other],
            vec![&by_other, &by_name],
            vec!["-r", "one.txt", "-r", "two.txt"],
            vec!["-r", "two.txt", "-r", "one.txt"],
            vec!["app", &by_name],
            vec!["first", "second", &url, "--allow-url-build-requires"],
        ];
        for words in ways {
            for alone in [false, true] {
                let mut words: Vec<_> = words.iter().copied().map(str::to_owned).collect();
                if alone {
                    words.push("--no-deps".to_owned());
                }
                // In a cache that knows nothing of it, and again in one that knows it.
                for known in [false, true].into_iter().take(2 - usize::from(alone)) {
                    let asked = file.asked(&world, &words);
                    assert_eq!(asked, 1, "{words:?}, known: {known}");
                }
                for bucket in ["pointers-v1", "sources-v1", "downloads-v1"] {
                    let bucket = world.cache().join(bucket);
                    std::fs::remove_dir_all(bucket).expect("an own folder");
                }
            }
        }
        let pinned = [by_digest];
        assert_eq!(file.asked(&world, &pinned), 1, "the digest alone");
        assert_eq!(file.asked(&world, &pinned), 0, "it is here");
    }
}
