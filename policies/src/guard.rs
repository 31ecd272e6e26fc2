//! Which paths a policy file or a flag may grant, and what to say otherwise.

use std::path::{Component, Path, PathBuf};

use protocol::AbsPath;

/// Where POSIX semaphores live; granted by the place of that name alone.
pub(crate) const SHARED_MEMORY: &str = "/dev/shm";

const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/urandom",
    "/dev/random",
];

const PROC: [&str; 4] = [
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/version",
];

const SYS: [&str; 2] = ["/sys/devices/system/cpu", "/sys/devices/system/node"];

/// Folders that hold other people's files, secrets or sockets: never granted whole.
const TOO_WIDE: [&str; 18] = [
    "/",
    "/home",
    "/root",
    "/etc",
    "/var",
    "/var/lib",
    "/var/run",
    "/var/tmp",
    "/run",
    "/run/user",
    "/run/secrets",
    "/tmp",
    "/boot",
    "/mnt",
    "/media",
    "/srv",
    "/Users",
    "/var/folders",
];

const SECRET_FILES: [&str; 7] = [
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/gitconfig",
];

const SECRET_NAMES: [&str; 12] = [
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".netrc",
    ".pypirc",
    ".docker",
    ".kube",
    ".git-credentials",
    ".password-store",
    "keyrings",
    "docker.sock",
];

/// What is wrong with a path, and what to write instead.
pub(crate) type Complaint = (String, &'static str);

/// Checks a path that a policy file names, and brings it into its one spelling.
pub(crate) fn path_of_a_policy(text: &str) -> Result<AbsPath, Complaint> {
    let path = spelled(text)?;
    let kernel = kernel_path(path.as_path());
    if let Some(complaint) = kernel {
        return Err(complaint);
    }
    if is_too_wide(path.as_path()) {
        let problem = format!("`{path}` holds other people's files, secrets or sockets");
        return Err((
            problem,
            "write the one folder or file below it that the build needs",
        ));
    }
    if is_secret(path.as_path()) {
        let problem = format!("`{path}` is where secrets or their users' settings are kept");
        return Err((
            problem,
            "leave it out; for one run there is --allow-read PATH",
        ));
    }
    Ok(path)
}

/// Checks a path that was named on the command line: the person decides, except where the grant
/// would end the sandbox.
pub(crate) fn path_of_a_flag(path: &AbsPath) -> Result<AbsPath, Complaint> {
    let path = respelled(path.as_path());
    if path.as_path() == Path::new("/") {
        let instead = "name the folder that the build needs";
        return Err(("it is everything".to_owned(), instead));
    }
    for root in ["/proc", "/sys", "/dev"] {
        if path.as_path() == Path::new(root) {
            let problem = format!("all of {root} reaches other processes or the machine itself");
            return Err((problem, "name the one file that the build needs"));
        }
    }
    if path.as_path().starts_with("/proc") && !PROC.contains(&path.to_string().as_str()) {
        let problem = format!("below /proc only {} may be granted", PROC.join(", "));
        return Err((problem, "name one of these"));
    }
    Ok(path)
}

/// Whether a prefix of an interpreter is shared with much else, so that it is not granted whole.
pub(crate) fn is_shared_prefix(path: &Path) -> bool {
    let shared = [
        "/usr",
        "/usr/local",
        "/opt",
        "/bin",
        "/usr/bin",
        "/usr/local/bin",
    ];
    shared.iter().any(|shared| path == Path::new(shared))
        || is_too_wide(path)
        || path.file_name().is_some_and(|name| name == ".local")
        || ["/proc", "/sys", "/dev"]
            .iter()
            .any(|root| path.starts_with(root))
}

/// Returns `path` without doubled slashes, `.` and a trailing slash.
pub(crate) fn respelled(path: &Path) -> AbsPath {
    let spelled: PathBuf = path.components().collect();
    AbsPath::new(spelled).expect("components of an absolute path without `..` make such a path")
}

fn spelled(text: &str) -> Result<AbsPath, Complaint> {
    const ABSOLUTE: &str = "write an absolute path, such as \"/usr/lib/jvm\"";
    if text.chars().any(char::is_control) {
        return Err(("a path with control characters".to_owned(), ABSOLUTE));
    }
    if text.starts_with('~') || text.contains('$') {
        let instead = "write the path out: nothing is expanded";
        return Err(("`~` and variables mean nothing here".to_owned(), instead));
    }
    if text.contains(['*', '?', '[']) {
        let instead = "write the folder itself: all below it is granted";
        return Err(("patterns mean nothing here".to_owned(), instead));
    }
    AbsPath::new(PathBuf::from(text))
        .map(|path| respelled(path.as_path()))
        .map_err(|error| (error.to_string(), ABSOLUTE))
}

fn kernel_path(path: &Path) -> Option<Complaint> {
    let listed = |list: &[&str]| list.iter().any(|known| path == Path::new(known));
    if path.starts_with("/dev") && !listed(&DEVICES) {
        let instead = match path.starts_with(SHARED_MEMORY) {
            true => "write place = \"shared-memory\"",
            false => "write place = \"devices\" or place = \"null-device\"",
        };
        return Some((
            format!("`{}` is no device that a build gets", path.display()),
            instead,
        ));
    }
    if path.starts_with("/proc") && !listed(&PROC) {
        let problem = format!("`{}` shows other processes or the machine", path.display());
        return Some((problem, "write place = \"cpu-facts\""));
    }
    let within = SYS.iter().any(|known| path.starts_with(known));
    if path.starts_with("/sys") && !within {
        let problem = format!("`{}` shows the machine", path.display());
        return Some((problem, "write place = \"cpu-facts\""));
    }
    None
}

fn is_too_wide(path: &Path) -> bool {
    let depth = path.components().count();
    TOO_WIDE.iter().any(|wide| path == Path::new(wide))
        || (depth == 3 && (path.starts_with("/home") || path.starts_with("/Users")))
        || (depth == 4 && path.starts_with("/run/user"))
}

fn is_secret(path: &Path) -> bool {
    SECRET_FILES.iter().any(|secret| path.starts_with(secret))
        || path.components().any(|part| {
            matches!(part, Component::Normal(name)
                if SECRET_NAMES.iter().any(|secret| name == *secret))
        })
}
