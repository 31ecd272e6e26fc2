//! Ways of using something up, and what has to be said when a limit ends them.

use model::Code;
use serde_json::json;

use crate::command::Run;
use crate::outcome::Outcome;
use crate::sdist::Sdist;
use crate::world::World;

/// One way of using something up, and what has to be said of it.
#[derive(Clone, Copy, Debug)]
pub struct Excess {
    /// What the deed `uses_up` takes.
    pub what: &'static str,
    /// How far it goes if nobody stops it, in the deed's unit.
    pub most: u64,
    /// Flags of the run.
    pub flags: &'static [&'static str],
    /// Lines of `[limits]` in a policy of the run.
    pub policy: &'static str,
    /// The error.
    pub code: Code,
    /// The limit with its value.
    pub named: &'static str,
    /// What raises it.
    pub fix: &'static str,
    /// Ways to know it, one of which is told.
    pub known: &'static [&'static str],
}

impl Excess {
    /// The supervisor looked.
    pub const COUNTED: &'static str = "counted from outside";
    /// The kernel refused it to the group.
    pub const GROUP: &'static str = "control group";

    /// Memory of eight processes, 2 GiB above what all of them may have.
    pub const MEMORY: Self = Self {
        what: "memory",
        most: 256 + 2048,
        flags: &["--memory", "256M"],
        policy: "",
        code: Code::ResourceLimit,
        named: "limit of memory: 256 MiB",
        fix: "--memory",
        known: &[Self::COUNTED, Self::GROUP],
    };

    /// A fork bomb that goes on when it is refused.
    pub const FORKS: Self = Self {
        what: "forks",
        most: 300,
        flags: &["--processes", "40"],
        policy: "",
        code: Code::ResourceLimit,
        named: "limit of processes: 40",
        fix: "--processes",
        known: &[Self::COUNTED, Self::GROUP],
    };

    /// Prepares its build.
    #[must_use]
    pub fn run<'world, 'site>(&self, world: &'world World<'site>) -> Run<'world, 'site> {
        let sdist =
            Sdist::fixture("uses_up").targets(&json!({"what": self.what, "most": self.most}));
        let run = world.build(&sdist).args(self.flags);
        if self.policy.is_empty() {
            return run;
        }
        let text = format!(
            "name = \"tight\"\nextends = \"strict\"\nsummary = \"for a test\"\n[limits]\n{}\n",
            self.policy
        );
        let policy = world.file("tight.toml", text);
        run.args(["--policy".as_ref(), policy.as_os_str()])
    }

    /// The build was ended, and everything that there is to say was said. Returns the line of how it is known.
    ///
    /// # Panics
    /// When something of it is missing.
    pub fn is_told<'done>(&self, done: &'done Outcome<'_, '_>) -> &'done str {
        let failure = done.fails_with(self.code);
        assert!(failure.message.contains(self.named), "{done}");
        let hint = failure
            .hint
            .expect("an error of a limit says what raises it");
        assert!(hint.contains(self.fix), "{done}");
        let used = done.stderr.lines().find(|line| line.contains("used:"));
        let used = used.unwrap_or_else(|| panic!("it is not said what was used: {done}"));
        assert!(
            self.known.iter().any(|way| used.contains(way)),
            "it is not said how it is known: {done}"
        );
        used.trim()
    }
}
