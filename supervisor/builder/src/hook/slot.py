

SLOT = 3
# Bytes of a stack that threads get at most, where the main thread's has no limit.
LARGEST_STACK = 64 << 20
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_RULE_PATH_BENEATH = 1
# Moving a file between folders: a domain that does not grant it denies it, whatever else it is about.
REFER = 1 << 13
# Abstract sockets and signals (landlock(7), ABI 6).
SCOPES = 0b11


def slot():
    """Keeps the backend imported and branches builds off, one for each message on descriptor 3.

    Threads are made before anything of a stranger's is imported, and each enters a domain of its own. A
    build is forked by one of them, so that it can neither signal nor trace this process, which stays
    outside of all these domains. While a thread lives it shares its domain with what it forked; so it
    ends first, and serves one build only.
    """
    import _thread
    import ctypes
    import resource

    backend, builds = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:]
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    _thread.stack_size(stack if 0 < stack < LARGEST_STACK else LARGEST_STACK)
    interpreter = Interpreter(os.getpid())
    branches = [Branch(_thread) for _ in range(builds)]
    for branch in branches:
        _thread.start_new_thread(branch.live, (interpreter, library))
        branch.entered.acquire()
        if not branch.confined:
            os._exit(70)
    _thread.stack_size(0)
    os.write(SLOT, b"entered %d\n" % builds)
    interpreter.take_in(backend)
    os.write(SLOT, b"ready\n")
    for branch in branches:
        branch.turn.release()
        branch.over.acquire()
    # Whoever keeps this process ends it.
    os.read(SLOT, 1)


class Interpreter:
    """What every build begins with."""

    def __init__(self, pid):
        self.pid = pid
        self.backend = None

    def take_in(self, backend):
        import gc
        from importlib import import_module

        try:
            self.backend = import_module(backend.partition(":")[0])
        except BaseException:
            # The build gets an interpreter of its own, and fails there if it has to.
            os._exit(71)
        flush()
        gc.freeze()


class Branch:
    """A thread in a domain of its own, from which one build is forked."""

    def __init__(self, threads):
        self.entered, self.turn, self.over = (threads.allocate_lock() for _ in range(3))
        for lock in (self.entered, self.turn, self.over):
            lock.acquire()
        self.thread = threads.get_native_id
        self.confined = False

    def live(self, interpreter, library):
        try:
            self.confined = enter_domain(library)
            self.entered.release()
            self.turn.acquire()
            self.fork(interpreter)
        except BaseException:
            os._exit(72)
        self.over.release()

    def fork(self, interpreter):
        import warnings

        descriptor = receive(SLOT)
        thread = self.thread()
        with warnings.catch_warnings():
            # The one other thread that runs waits for this one.
            warnings.simplefilter("ignore")
            between = os.fork()
            child = os.fork() if between == 0 else None
        if child == 0:
            build(interpreter, thread, descriptor)
        if between == 0:
            # So the build is no child of the interpreter, which learns nothing of its end.
            os._exit(0)
        os.waitpid(between, 0)
        os.close(descriptor)


def enter_domain(library):
    """Enters a domain that no signal leaves; says whether the kernel did it."""
    import ctypes

    def call(number, *arguments):
        return library.syscall(ctypes.c_long(number), *arguments, ctypes.c_uint32(0))

    # Rights to files, rights to ports, scopes: what files may be reached is the outer domains' business.
    attributes = (ctypes.c_uint64 * 3)(REFER, 0, SCOPES)
    ruleset = call(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(ctypes.sizeof(attributes)))
    if ruleset < 0:
        return False
    descriptor = ctypes.c_int(ruleset)
    root = os.open("/", os.O_PATH)
    # A packed structure: the rights, then the folder below which they are granted.
    rule = REFER.to_bytes(8, sys.byteorder) + root.to_bytes(4, sys.byteorder)
    rule = ctypes.create_string_buffer(rule, len(rule))
    granted = call(LANDLOCK_ADD_RULE, descriptor, ctypes.c_int(LANDLOCK_RULE_PATH_BENEATH), rule)
    entered = granted == 0 and call(LANDLOCK_RESTRICT_SELF, descriptor) == 0
    os.close(root)
    os.close(ruleset)
    return entered


def receive(descriptor):
    """Waits for one byte and the descriptor that comes with it."""
    import _socket

    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, descriptor)
    try:
        byte, messages, _, _ = socket.recvmsg(1, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
    finally:
        socket.detach()
    if byte != b"B":
        os._exit(0)
    (_, _, data), = messages
    return int.from_bytes(data[:4], sys.byteorder)


def build(interpreter, thread, calls):
    """One build: never returns. Each hook is forked once more, without the descriptor of the calls."""
    while is_within_reach(thread):
        os.sched_yield()
    if is_within_reach(interpreter.pid):
        os._exit(73)
    os.close(SLOT)
    if "tempfile" in sys.modules:
        # What was found before the build's rooms were there is found anew.
        sys.modules["tempfile"].tempdir = None
    os.write(calls, b"branched\n")
    while True:
        line = read_line(calls)
        if not line:
            os._exit(0)
        call = json.loads(line)
        try:
            hook = os.fork()
            if hook > 0:
                _, status = os.waitpid(hook, 0)
                tell_of_death(call, status)
        except OSError as error:
            refuse(call, error)
        else:
            if hook == 0:
                os.close(calls)
                run(call, interpreter.backend, None)
        os.write(calls, b"done\n")


def is_within_reach(number):
    try:
        os.kill(number, 0)
        return True
    except OSError:
        return False
