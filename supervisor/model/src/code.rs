//! The stable codes of errors and the exit code that each leads to.
//!
//! `docs/errors.md` has one section a code; `fumehood explain CODE` prints it.

/// What the program answers its caller with; the table is part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A package failed to build.
    BuildFailed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// A denial by policy was decisive.
    Denied = 3,
    /// A hash, signature, archive or wheel check failed.
    CheckFailed = 4,
    /// The wanted isolation is not available.
    Isolation = 5,
    /// A limit or time-out.
    Limit = 6,
    /// Nothing matched, or resolution failed.
    NoMatch = 7,
    /// Index or network.
    Network = 8,
    /// A bug in fumehood.
    Bug = 70,
    /// Interrupted.
    Interrupted = 130,
}

macro_rules! codes {
    ($($name:ident $text:literal $exit:ident $title:literal;)*) => {
        /// A stable code, `F` and four digits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $name,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the code as it is printed.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns the exit code.
            #[must_use]
            pub fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* }
            }

            /// Returns the one-line meaning.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    BadSpec "F0101" Usage "what was asked for is not a requirement, URL or path";
    BadFlag "F0102" Usage "a flag, variable or setting has a value that does not fit";
    BadPolicy "F0103" Usage "a policy file is not valid";
    OutDir "F0104" Usage "the output directory can not be written";
    CacheRefused "F0105" Usage "the cache directory is not fumehood's, or not safe to use";
    CachePlace "F0106" Usage "the cache directory can not be used";
    NoInterpreter "F0107" Usage "no usable Python was found";
    BadInterpreter "F0108" Usage "the Python did not answer as a Python does";
    FlagRefused "F0110" Usage "fumehood refuses this flag on purpose";
    DiskFull "F0111" Usage "the disk is full";
    LockTimeout "F0112" Limit "another process holds a lock for too long";
    NoGit "F0113" Usage "git is wanted and not there";
    Configuration "F0114" Usage "a configuration file is not valid, or not safe to use";
    Ceiling "F0115" Usage "the ceiling of this system does not allow it";
    BadRequirements "F0116" Usage "a file of requirements can not be read or understood";
    Editable "F0117" Usage "an editable requirement can not be built";
    NoEnvironment "F0120" Usage "what is installed into is not a virtual environment";
    ManagedPython "F0121" Usage "the Python is managed by the system";
    TargetPlace "F0122" Usage "the environment can not be written";
    Unremovable "F0123" Usage "an installed version can not be replaced";
    HalfInstalled "F0124" Usage "an interrupted installation could not be repaired";
    NoIndex "F0201" Network "no package index is known";
    HttpStatus "F0202" Network "the index answered with an error";
    Transport "F0203" Network "the index could not be reached, or cut the connection";
    BadPage "F0204" Network "the index answered with something that is not a project page";
    Redirect "F0205" Network "a redirect from a public host to a private address was refused";
    Offline "F0206" Network "it is not in the cache and the network is off";
    Unauthorized "F0207" Network "the index wants credentials";
    GitFailed "F0208" Network "git could not fetch or read the repository";
    Backend "F0300" BuildFailed "the build backend failed";
    DeniedNetwork "F0301" Denied "the backend failed after it was refused a network connection";
    BadPyproject "F0302" BuildFailed "pyproject.toml is not valid";
    BackendMissing "F0303" BuildFailed "the build backend could not be imported";
    HookResult "F0304" BuildFailed "a hook returned something that is not what PEP 517 wants";
    BuildRequires "F0305" BuildFailed "the build requirements are not acceptable";
    BuildCycle "F0306" BuildFailed "building it needs itself";
    BackendDied "F0307" BuildFailed "the backend exited or was ended by a signal";
    Removed "F0308" BuildFailed "something was removed from the cache while a build used it";
    DeniedFile "F0309" Denied "the backend failed after it was refused a file or a program";
    HashMismatch "F0401" CheckFailed "the bytes do not have the expected digest";
    BadArchive "F0402" CheckFailed "the source archive was refused";
    BadWheel "F0403" CheckFailed "the wheel was refused";
    WrongName "F0404" CheckFailed "the metadata names another project or version";
    OutputRefused "F0405" CheckFailed "what the backend left as output was refused";
    GitRefused "F0406" CheckFailed "the repository leads where git is not let";
    CacheDamaged "F0407" CheckFailed "the cache holds damaged entries";
    NoRecord "F0408" CheckFailed "there is no build record of the wheel";
    Canary "F0409" CheckFailed "the wheel holds a decoy of its build's home";
    MetadataDiffers "F0410" CheckFailed "the wheel's metadata is not what was served before it was built";
    BadSdist "F0411" CheckFailed "the sdist that a backend made was refused";
    HashMissing "F0412" CheckFailed "a hash is required and not given";
    HashWrong "F0413" CheckFailed "the file has none of the hashes that were given for it";
    IndexLied "F0414" CheckFailed "an index promises another digest than its file has";
    FileConflict "F0420" CheckFailed "something is in the way of a package's file";
    Isolation "F0501" Isolation "the isolation asked for is not available here";
    SelfTest "F0502" Isolation "something that must fail did not: the sandbox does not hold";
    CeilingIsolation "F0503" Isolation "less isolation is asked for than this system demands";
    WallLimit "F0601" Limit "the build took too long";
    LogLimit "F0602" Limit "the build wrote too much output";
    ScratchLimit "F0603" Limit "the build wrote too much to its scratch";
    ResourceLimit "F0604" Limit "the build reached a limit of processor time, memory, processes or open files";
    SilenceLimit "F0605" Limit "the build was silent for too long";
    UnknownProject "F0701" NoMatch "the index does not know this project";
    NoVersion "F0702" NoMatch "no version fits";
    Unresolvable "F0703" NoMatch "the requirements contradict each other";
    NoSource "F0704" NoMatch "the version has no file that may be used";
    NoReference "F0705" NoMatch "the repository has no such branch, tag or commit";
    LockElsewhere "F0706" NoMatch "the lock file is for another platform or Python";
    Bug "F0901" Bug "a bug in fumehood";
    WorkerLost "F0902" Bug "the worker ended or spoke without making sense";
    WorkerFault "F0903" Bug "the worker could not set itself up";
    Io "F0904" Bug "an operation on a file failed";
    Interrupted "F0130" Interrupted "interrupted";
}

impl std::fmt::Display for Code {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.text())
    }
}

impl std::str::FromStr for Code {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.text().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("`{text}` is not an error code of fumehood"))
    }
}
