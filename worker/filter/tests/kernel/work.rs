//! Ordinary programs behind the program filter: what builds do all day must not break.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use filter::Call;

use crate::child::{Stagehand, errno, say};
use crate::harness::{folder, identities, not_run, start};
use crate::listening::next;

/// A script a program, each ending with a status other than zero if anything fails.
const SCRIPTS: &[(&str, &str, &[&str])] = &[
    ("sh", "/bin/sh", &["-ec", SHELL]),
    ("python3", "python3", &["-I", "-c", PYTHON]),
    (
        "cc",
        "cc",
        &["-pipe", "-x", "c", "-o", "compiled", "program.c"],
    ),
    ("compiled", "./compiled", &[]),
    ("make", "make", &["-s", "-j2", "-f", "rules.mk"]),
    (
        "git",
        "git",
        &["-c", "init.defaultBranch=main", "init", "-q", "repository"],
    ),
    ("tar", "tar", &["-cpf", "packed.tar", "program.c"]),
    ("cp", "cp", &["-a", "program.c", "copied.c"]),
];

const SHELL: &str = "
echo one | cat | grep -q one
(exec true) & wait $!
cat <<END | grep -q here
here
END
touch -d 2000-01-01 stamped
chmod 755 stamped
test -x stamped
mkfifo pipe
";

const PYTHON: &str = "
import asyncio, ctypes, multiprocessing, os, resource, shutil, socket, subprocess, sys, tempfile, threading
import concurrent.futures, select, signal, time, mmap
assert subprocess.run([sys.executable, '-I', '-c', 'print(1)'], capture_output=True).stdout == b'1\\n'
t = threading.Thread(target=os.getpid); t.start(); t.join()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(int, '123')) == 6
async def run():
    p = await asyncio.create_subprocess_exec('/bin/sh', '-c', 'exit 3')
    assert await p.wait() == 3
asyncio.run(run())
c = multiprocessing.get_context('fork')
a, b = c.Pipe(); p = c.Process(target=b.send, args=([1],)); p.start(); assert a.recv() == [1]; p.join()
assert os.cpu_count() and os.sched_getaffinity(0)
os.sched_setaffinity(0, os.sched_getaffinity(0)); os.nice(0)
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
x, y = socket.socketpair(); x.sendall(b'x'); assert y.recv(1) == b'x'
os.makedirs('tree/leaf'); open('tree/leaf/f', 'w').close(); os.chmod('tree/leaf/f', 0o600)
os.utime('tree/leaf/f', (10 ** 9, 10 ** 9))
shutil.copytree('tree', 'other'); assert os.stat('other/leaf/f').st_mtime == 10 ** 9
shutil.rmtree('other')
with tempfile.TemporaryDirectory(dir='.') as d: open(d + '/f', 'w').close()
m = os.memfd_create('m'); os.write(m, b'abc'); os.sendfile(os.open('sent', os.O_WRONLY | os.O_CREAT), m, 0, 3)
f = os.open('range', os.O_RDWR | os.O_CREAT); os.write(f, b'abc')
os.copy_file_range(f, os.open('copy', os.O_WRONLY | os.O_CREAT), 3, 0)
mmap.mmap(-1, 4096).close(); os.close(os.pidfd_open(os.getpid()))
os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)
try: socket.socket(socket.AF_INET).close()
except PermissionError: pass
";

const C: &str = "
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *run(void *p) { return p; }
int main(void) {
    pthread_t t; void *r; int s; pid_t p;
    if (pthread_create(&t, 0, run, &s) || pthread_join(t, &r) || r != &s) return 1;
    if (!(p = fork())) _exit(7);
    if (waitpid(p, &s, 0) != p || WEXITSTATUS(s) != 7) return 2;
    if (system(\"exit 5\") != 5 << 8) return 3;
    return 0;
}
";

const MAKE: &str = "all: a b c\na b c:\n\tsh -c 'echo $@ > $@'\n";

pub(crate) fn play(stagehand: &Stagehand) {
    std::env::set_current_dir(&stagehand.folder).unwrap();
    std::fs::write("program.c", C).unwrap();
    std::fs::write("rules.mk", MAKE).unwrap();
    for (name, program, arguments) in SCRIPTS {
        let mut command = Command::new(program);
        let run = command
            .args(*arguments)
            .env("HOME", &stagehand.folder)
            .stdin(Stdio::null());
        say(
            name,
            match run.status() {
                Ok(status) if status.success() => Ok(0),
                Ok(status) => Err(1000 + status.code().unwrap_or(-1)),
                Err(error) => Err(errno(&error)),
            },
        );
    }
}

fn check(open: &BTreeMap<String, String>, run: &BTreeMap<String, String>, how: &str) {
    for (name, _, _) in SCRIPTS {
        if open[*name] == "ok" {
            assert_eq!(run[*name], "ok", "{name} {how}");
        } else {
            assert_eq!(
                open[*name], "errno 2",
                "{name} fails without a filter as well"
            );
            not_run(name, "this machine does not have it");
        }
    }
    assert_eq!(
        run["sh"], "ok",
        "a machine without a shell shows nothing here"
    );
}

pub(crate) fn ordinary_programs_work() {
    for identity in identities() {
        let open = start("work", "none", identity, folder().path()).outcomes();
        let run = start("work", "program", identity, folder().path()).outcomes();
        check(&open, &run, &format!("as {identity:?}"));
    }
}

pub(crate) fn ordinary_programs_work_with_a_listener() {
    for identity in identities() {
        let open = start("work", "none", identity, folder().path()).outcomes();
        let place = folder();
        let running = start("work", "broker", identity, place.path());
        let (sockets, changes) = serve(&running.listener());
        assert!(
            sockets > 0 && changes > 3,
            "{sockets} sockets, {changes} changes were notified"
        );
        check(
            &open,
            &running.outcomes(),
            &format!("with a listener as {identity:?}"),
        );
    }
}

/// Refuses networks and lets metadata pass, which a test may do: nobody attacks it.
fn serve(listener: &filter::Listener) -> (u32, u32) {
    let (mut sockets, mut changes) = (0, 0);
    while let Some(request) = next(listener) {
        match request.call {
            Call::Socket | Call::SocketPair | Call::Connect => {
                sockets += 1;
                listener.refuse(request.id, libc::EACCES).unwrap();
            }
            _ => {
                changes += 1;
                listener.proceed(request.id).unwrap();
            }
        }
    }
    (sockets, changes)
}
