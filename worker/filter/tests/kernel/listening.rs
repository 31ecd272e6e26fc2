//! The conversation between a notifying filter and the holder of its listener.

use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use filter::{Call, Listener, Request};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::child::{Stagehand, errno, say};
use crate::harness::{Identity, folder, identities, start};
use crate::sys::Argument::{In, Number};
use crate::sys::call;

/// How long a child may take for its next step before a case counts as failed.
const PATIENCE: Timespec = Timespec {
    tv_sec: 30,
    tv_nsec: 0,
};

/// Waits until a call arrives, or nobody behind the filter is left (`None`).
pub(crate) fn next(listener: &Listener) -> Option<Request> {
    loop {
        let mut polled = [PollFd::new(listener, PollFlags::IN)];
        let ready = rustix::event::poll(&mut polled, Some(&PATIENCE)).unwrap();
        assert_eq!(ready, 1, "nothing arrived in {} seconds", PATIENCE.tv_sec);
        if !polled[0].revents().contains(PollFlags::IN) {
            assert!(polled[0].revents().contains(PollFlags::HUP));
            return None;
        }
        if let Some(request) = listener.receive().unwrap() {
            return Some(request);
        }
    }
}

/// Waits for one certain call and checks who makes it.
#[track_caller]
fn expect(listener: &Listener, pid: u32, wanted: Call) -> Request {
    let request = next(listener).expect("the child still runs");
    assert_eq!(request.call, wanted);
    assert_eq!(request.pid, i32::try_from(pid).unwrap());
    assert!(listener.is_valid(request.id));
    request
}

/// Copies what an argument of a waiting call points to.
fn read(listener: &Listener, request: &Request, argument: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let address = request.arguments[argument];
    let copied = filter::read_memory(request.pid, address, &mut bytes).unwrap();
    assert!(
        listener.is_valid(request.id),
        "the memory belongs to the caller"
    );
    bytes.truncate(copied);
    bytes
}

pub(crate) fn a_connect_is_reported_with_its_address() {
    for identity in identities() {
        let place = folder();
        let running = start("connect", "listener", identity, place.path());
        let listener = running.listener();
        let pid = running.child.id();

        let datagram = expect(&listener, pid, Call::Socket);
        assert_eq!(datagram.arguments[..2], [1, 2]);
        listener.refuse(datagram.id, libc::EACCES).unwrap();

        // Its arguments are registers, so carrying it out is safe; here it shows `proceed`.
        let stream = expect(&listener, pid, Call::Socket);
        assert_eq!(stream.arguments[..2], [2, 1]);
        listener.proceed(stream.id).unwrap();
        assert!(
            !listener.is_valid(stream.id),
            "an answered call waits no longer"
        );

        let connect = expect(&listener, pid, Call::Connect);
        let address = read(&listener, &connect, 1, 16);
        assert_eq!(address[..8], [2, 0, 0x01, 0xbb, 192, 0, 2, 1]);
        listener.refuse(connect.id, libc::EACCES).unwrap();

        let no_errno = expect(&listener, pid, Call::SocketPair);
        listener.refuse(no_errno.id, 0).unwrap();

        assert_eq!(
            next(&listener),
            None,
            "nothing else was notified, and the child has ended"
        );
        let outcomes = running.outcomes();
        assert_eq!(outcomes["local datagram"], "EACCES");
        assert_eq!(outcomes["inet"], "ok");
        assert_eq!(outcomes["connect"], "EACCES");
        assert_eq!(outcomes["datagram pair"], "EPERM");
        assert_eq!(outcomes["local stream"], "ok");
        assert_eq!(outcomes["fast open"], "EACCES");
    }
}

pub(crate) fn play_connect() {
    let socket =
        |family: i64, kind: i64| call(libc::SYS_socket, [Number(family), Number(kind), Number(0)]);
    say("local datagram", socket(1, 2));
    let inet = socket(2, 1);
    say("inet", inet);
    // 192.0.2.1 port 443, an address that documents only.
    let mut address = [0; 16];
    address[..8].copy_from_slice(&[2, 0, 0x01, 0xbb, 192, 0, 2, 1]);
    let descriptor = inet.unwrap_or(-1);
    say(
        "connect",
        call(
            libc::SYS_connect,
            [Number(descriptor), In(&address), Number(16)],
        ),
    );
    let pair = [Number(1), Number(2), Number(0), Number(0)];
    say("datagram pair", call(libc::SYS_socketpair, pair));
    say("local stream", socket(1, 5));
    let flags = i64::from(libc::MSG_FASTOPEN);
    let send = [
        Number(descriptor),
        In(b"x"),
        Number(1),
        Number(flags),
        In(&address),
        Number(16),
    ];
    say("fast open", call(libc::SYS_sendto, send));
}

pub(crate) fn metadata_is_brokered() {
    for identity in identities() {
        let place = folder();
        let running = start("metadata", "broker", identity, place.path());
        let listener = running.listener();
        let pid = running.child.id();

        let chmod = expect(&listener, pid, Call::Fchmodat);
        let path = read(&listener, &chmod, 1, 4096);
        assert!(path.starts_with(b"before\0"), "{path:x?}");
        assert_eq!(chmod.arguments[2], 0o640);
        // The broker does the work itself, on the file that it found.
        let file = place.path().join("before");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        listener.answer(chmod.id, 0).unwrap();
        let again = listener.answer(chmod.id, 0);
        assert!(again.is_ok() || again.unwrap_err().raw_os_error() == Some(libc::EINPROGRESS));

        let times = expect(&listener, pid, Call::Utimensat);
        assert_eq!(
            times.arguments[1], 0,
            "a descriptor's times are notified as well"
        );
        listener.refuse(times.id, libc::EPERM).unwrap();

        let attribute = expect(&listener, pid, Call::Fsetxattr);
        listener.answer(attribute.id, 7).unwrap();

        assert_eq!(
            next(&listener),
            None,
            "a set-id mode is refused before the broker sees it"
        );
        let outcomes = running.outcomes();
        assert_eq!(outcomes["chmod"], "ok");
        assert_eq!(outcomes["mode"], "ok");
        assert_eq!(outcomes["set-id"], "EPERM");
        assert_eq!(outcomes["times"], "EPERM");
        assert_eq!(outcomes["attribute"], "errno 7");
    }
}

pub(crate) fn play_metadata(stagehand: &Stagehand) {
    std::env::set_current_dir(&stagehand.folder).unwrap();
    let here = i64::from(libc::AT_FDCWD);
    let name = b"before\0";
    let chmod = |mode: i64| call(libc::SYS_fchmodat, [Number(here), In(name), Number(mode)]);
    say("chmod", chmod(0o640));
    let mode = std::fs::metadata("before").unwrap().permissions().mode() & 0o7777;
    say(
        "mode",
        if mode == 0o640 {
            Ok(0)
        } else {
            Err(mode.cast_signed())
        },
    );
    say("set-id", chmod(0o4755));
    let file = std::fs::File::open("before").unwrap();
    let descriptor = i64::from(file.as_raw_fd());
    let times = [Number(descriptor), Number(0), Number(0), Number(0)];
    say("times", call(libc::SYS_utimensat, times));
    let set = [
        Number(descriptor),
        In(b"user.x\0"),
        In(b"y"),
        Number(1),
        Number(0),
    ];
    // The value that the broker chose arrives, so it is said as if it were an errno.
    let value = call(libc::SYS_fsetxattr, set).unwrap_or(-1);
    say("attribute", Err(i32::try_from(value).unwrap_or(-1)));
}

pub(crate) fn opening_and_starting_is_recorded_and_goes_on() {
    for identity in identities() {
        let place = folder();
        let running = start("trace", "tracer", identity, place.path());
        let listener = running.listener();
        let mut recorded = Vec::new();
        while let Some(request) = next(&listener) {
            let (argument, wanted) = match request.call {
                Call::Open | Call::Creat | Call::Execve => (0, request.call),
                Call::Openat | Call::Execveat => (1, request.call),
                other => panic!("{other:?} is no call of a trace"),
            };
            let path = read(&listener, &request, argument, 64);
            let end = path
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(path.len());
            recorded.push((wanted, String::from_utf8_lossy(&path[..end]).into_owned()));
            listener.proceed(request.id).unwrap();
        }
        for wanted in [
            (Call::Openat, "before"),
            (Call::Openat, "made"),
            (Call::Openat, "/etc/shadow.none"),
            (Call::Execve, "./no-program"),
            (Call::Execveat, "./no-program"),
        ] {
            let is_there = |(call, path): &(Call, String)| (*call, path.as_str()) == wanted;
            assert!(recorded.iter().any(is_there), "{wanted:?} of {recorded:?}");
        }
        assert!(
            recorded.iter().all(|(_, path)| path != "set-id"),
            "what is refused is refused before it is recorded: {recorded:?}"
        );
        let outcomes = running.outcomes();
        // The kernel decides as it does without a trace.
        assert_eq!(outcomes["open"], "ok");
        assert_eq!(outcomes["make"], "ok");
        assert_eq!(outcomes["missing"], format!("errno {}", libc::ENOENT));
        assert_eq!(outcomes["start"], format!("errno {}", libc::ENOENT));
        assert_eq!(outcomes["start at"], format!("errno {}", libc::ENOENT));
        assert_eq!(outcomes["set-id"], "EPERM");
        assert_eq!(outcomes["newer"], "ENOSYS");
        assert!(place.path().join("made").exists());
        assert!(!place.path().join("set-id").exists());
    }
}

pub(crate) fn play_trace(stagehand: &Stagehand) {
    std::env::set_current_dir(&stagehand.folder).unwrap();
    let here = i64::from(libc::AT_FDCWD);
    let open = |path: &[u8], flags: i32, mode: i64| {
        let words = [
            Number(here),
            In(path),
            Number(i64::from(flags)),
            Number(mode),
        ];
        call(libc::SYS_openat, words)
    };
    say("open", open(b"before\0", libc::O_RDONLY, 0));
    say(
        "make",
        open(b"made\0", libc::O_CREAT | libc::O_WRONLY, 0o644),
    );
    say("missing", open(b"/etc/shadow.none\0", libc::O_RDONLY, 0));
    say(
        "set-id",
        open(b"set-id\0", libc::O_CREAT | libc::O_WRONLY, 0o4755),
    );
    let program = b"./no-program\0";
    say(
        "start",
        call(libc::SYS_execve, [In(program), Number(0), Number(0)]),
    );
    let words = [Number(here), In(program), Number(0), Number(0), Number(0)];
    say("start at", call(libc::SYS_execveat, words));
    let how = [0_u8; 24];
    let words = [Number(here), In(b"before\0"), In(&how), Number(24)];
    say("newer", call(libc::SYS_openat2, words));
}

pub(crate) fn a_descriptor_is_replaced() {
    for identity in identities() {
        let place = folder();
        let path = place.path().join("s");
        let local = UnixListener::bind(&path).unwrap();
        let running = start("replace", "listener", identity, place.path());
        let listener = running.listener();
        let connect = expect(&listener, running.child.id(), Call::Connect);
        let address = read(&listener, &connect, 1, 110);
        assert_eq!(address[..3], [1, 0, b's']);

        let ours = UnixStream::connect(&path).unwrap();
        let target = i32::try_from(connect.arguments[0]).unwrap();
        for wrong in [-1, i32::MAX] {
            let error = listener.replace_descriptor(connect.id, ours.as_fd(), wrong, true);
            assert_eq!(error.unwrap_err().raw_os_error(), Some(libc::EBADF));
        }
        listener
            .replace_descriptor(connect.id, ours.as_fd(), target, true)
            .unwrap();
        drop(ours);
        assert!(
            listener.is_valid(connect.id),
            "a replaced descriptor is no answer"
        );
        listener.answer(connect.id, 0).unwrap();

        let (mut peer, _) = local.accept().unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let mut heard = [0; 4];
        peer.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"ping");
        peer.write_all(b"pong").unwrap();
        let outcomes = running.outcomes();
        assert_eq!(outcomes["connect"], "ok");
        assert_eq!(outcomes["echo"], "ok");
        assert_eq!(outcomes["close-on-exec"], "ok");

        let gone = UnixStream::connect(&path).unwrap();
        let error = listener.replace_descriptor(connect.id, gone.as_fd(), target, true);
        assert_eq!(error.unwrap_err().raw_os_error(), Some(libc::ENOENT));
    }
}

pub(crate) fn play_replace(stagehand: &Stagehand) {
    std::env::set_current_dir(&stagehand.folder).unwrap();
    // std's own connect: a socket, then connect(2), then reads and writes as ever.
    match UnixStream::connect("s") {
        Err(error) => say("connect", Err(errno(&error))),
        Ok(mut stream) => {
            say("connect", Ok(0));
            let mut heard = [0; 4];
            let talked = stream
                .write_all(b"ping")
                .and_then(|()| stream.read_exact(&mut heard));
            let echoed = talked.map(|()| 0).map_err(|error| errno(&error));
            say("echo", if &heard == b"pong" { echoed } else { Err(-1) });
            let flags = rustix::io::fcntl_getfd(&stream).unwrap();
            let closes = flags.contains(rustix::io::FdFlags::CLOEXEC);
            say("close-on-exec", if closes { Ok(0) } else { Err(-1) });
        }
    }
}

pub(crate) fn a_caller_that_dies_is_no_error() {
    let place = folder();
    let mut running = start("connect", "listener", Identity::Same, place.path());
    let listener = running.listener();
    let request = expect(&listener, running.child.id(), Call::Socket);
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    assert!(!listener.is_valid(request.id));
    listener.refuse(request.id, libc::EACCES).unwrap();
    listener.answer(request.id, 0).unwrap();
    listener.proceed(request.id).unwrap();
    assert_eq!(next(&listener), None);
    let mut byte = [0];
    let read = filter::read_memory(request.pid, request.arguments[0], &mut byte);
    assert_eq!(read.unwrap_err().raw_os_error(), Some(libc::ESRCH));
    let no_listener = Listener::new(UnixStream::pair().unwrap().0.into());
    assert!(no_listener.receive().is_err(), "a socket is no listener");
    assert!(!no_listener.is_valid(0));
}

pub(crate) fn memory_ends_at_a_page() {
    let own = i32::try_from(std::process::id()).unwrap();
    let secret = *b"a text of this process";
    let mut copy = [0; 22];
    let copied = filter::read_memory(own, secret.as_ptr() as u64, &mut copy).unwrap();
    assert_eq!((copied, copy), (mem::size_of_val(&secret), secret));

    // The stack is the last mapping of its neighbourhood: behind it lies nothing.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let stack = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let end = stack.split(['-', ' ']).nth(1).unwrap();
    let end = u64::from_str_radix(end, 16).unwrap();
    let mut long = [0; 3 * 4096];
    assert_eq!(
        filter::read_memory(own, end - 4096 - 7, &mut long).unwrap(),
        4096 + 7
    );
    assert_eq!(filter::read_memory(own, end - 1, &mut long).unwrap(), 1);

    for address in [0, end, u64::MAX, u64::MAX - 4096] {
        let error = filter::read_memory(own, address, &mut long).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EFAULT), "{address:x}");
    }
    let mut much = vec![0; 1 << 20];
    let source = vec![9; 1 << 20];
    let copied = filter::read_memory(own, source.as_ptr() as u64, &mut much).unwrap();
    assert!(
        copied >= 32 * 4096 && much[..copied] == source[..copied],
        "{copied}"
    );
    let nothing: io::Result<usize> = filter::read_memory(own, 0, &mut []);
    assert_eq!(nothing.unwrap(), 0);
}
