//! Where symbolic links lead, found by walking the planned tree as the kernel would.
//!
//! Joining words is not enough: `a/..` is not the root if `a` is itself a link. So each link is
//! followed through every other one.

use std::collections::HashMap;

use crate::Refusal;
use crate::guard::shown;

/// The kernel gives up after so many links; whoever goes further goes nowhere.
const MAX_HOPS: u32 = 40;
/// Work for all links of an archive together, in bytes of names looked up ...
const MAX_WORK: u64 = 128 << 20;
/// ... where each step costs at least as much as so many.
const STEP: u64 = 16;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Folder,
    /// A file, or a copy of an earlier one if a hard link named it.
    File {
        size: u64,
        copy_of: Option<String>,
    },
    Link {
        target: String,
    },
}

/// Every path of an archive.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Node>);

/// Where a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// At a path inside, which need not exist.
    Path(String),
    /// Above the root.
    Outside,
    /// In a circle.
    Nowhere,
}

impl Names {
    pub(crate) fn insert(&mut self, path: &str, node: Node) {
        self.0.insert(path.to_owned(), node);
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// Refuses every link that leads above the root, which is the stripped folder if there is one.
    pub(crate) fn check_links(&self, links: &[String], stripped: bool) -> Result<(), Refusal> {
        let mut work = 0;
        let floor = usize::from(stripped);
        for link in links {
            let Some(Node::Link { target }) = self.get(link) else {
                continue;
            };
            let start = link.rsplit_once('/').map_or("", |(parent, _)| parent);
            if self.follow(start, target, floor, &mut work)? == Reached::Outside {
                return Err(Refusal::LinkOut {
                    member: shown(link.as_bytes()),
                    target: shown(target.as_bytes()),
                });
            }
        }
        Ok(())
    }

    /// Follows `path` from the folder `start`, through links, the last one included. `floor` is how
    /// many components can not be climbed out of.
    pub(crate) fn follow(
        &self,
        start: &str,
        path: &str,
        floor: usize,
        work: &mut u64,
    ) -> Result<Reached, Refusal> {
        let mut here = start.to_owned();
        let mut depth = here
            .split('/')
            .filter(|component| !component.is_empty())
            .count();
        let mut pending: Vec<&str> = path.split('/').rev().collect();
        let mut hops = 0;
        while let Some(component) = pending.pop() {
            *work += STEP + here.len() as u64;
            if *work > MAX_WORK {
                return Err(Refusal::TooHeavy {
                    what: "following the links".to_owned(),
                    cap: MAX_WORK,
                });
            }
            match component {
                "" | "." => {}
                ".." if depth <= floor => return Ok(Reached::Outside),
                ".." => {
                    here.truncate(here.rfind('/').unwrap_or(0));
                    depth -= 1;
                }
                name => {
                    let parent = here.len();
                    if parent > 0 {
                        here.push('/');
                    }
                    here.push_str(name);
                    if let Some(Node::Link { target }) = self.get(&here) {
                        hops += 1;
                        if hops > MAX_HOPS {
                            return Ok(Reached::Nowhere);
                        }
                        here.truncate(parent);
                        pending.extend(target.split('/').rev());
                    } else {
                        depth += 1;
                    }
                }
            }
        }
        Ok(Reached::Path(here))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(links: &[(&str, &str)]) -> (Names, Vec<String>) {
        let mut names = Names::default();
        for (path, target) in links {
            names.insert(
                path,
                Node::Link {
                    target: (*target).to_owned(),
                },
            );
        }
        (
            names,
            links.iter().map(|(path, _)| (*path).to_owned()).collect(),
        )
    }

    fn verdict(links: &[(&str, &str)], stripped: bool) -> Result<(), Refusal> {
        let (names, links) = names(links);
        names.check_links(&links, stripped)
    }

    #[test]
    fn links_inside_dangling_and_circular_are_fine() {
        verdict(
            &[
                ("p/a", "b/c"),
                ("p/d/e", "../b"),
                ("p/x", "x"),
                ("p/y", "z"),
                ("p/z", "y"),
            ],
            true,
        )
        .unwrap();
        verdict(&[("p/a", "b/../c/./d//e")], true).unwrap();
        verdict(&[("p/d/e", "..")], true).unwrap();
    }

    #[test]
    fn a_climb_is_seen_through_other_links() {
        for links in [
            &[("p/a", "..")][..],
            &[("p/a", "../p/b")],
            &[("p/d1/d2/l", ".."), ("p/y", "d1/d2/l/../..")],
            &[("p/d/up", ".."), ("p/z", "d/up/d/up/../x")],
        ] {
            assert_eq!(
                verdict(links, true).unwrap_err().rule(),
                "link-out",
                "{links:?}"
            );
        }
        verdict(&[("p/a", "../p/b")], false).unwrap();
    }

    #[test]
    fn links_made_to_cost_are_refused() {
        let long = "d/../".repeat(800) + "l0";
        let mut links = vec![("l0".to_owned(), long.clone())];
        links.extend((1..500).map(|at| (format!("l{at}"), format!("{long}/l{}", at - 1))));
        let links: Vec<(&str, &str)> = links
            .iter()
            .map(|(path, target)| (&**path, &**target))
            .collect();
        assert_eq!(verdict(&links, false).unwrap_err().rule(), "bomb");
    }
}
