"""Programs that talk to their children: asyncio's, and pipes of every kind."""

import asyncio
import os
import subprocess
import sys
import threading


async def ask():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input())", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    said, _ = await child.communicate(b"hello\n")
    return said


assert asyncio.run(ask()) == b"hello\n"
assert subprocess.run([sys.executable, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True).stdout.strip() == sys.prefix
told = []
thread = threading.Thread(target=told.append, args=[os.getpid()])
thread.start()
thread.join()
assert told == [os.getpid()]
