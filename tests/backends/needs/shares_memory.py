"""multiprocessing with its locks: a pool, an executor, a queue, shared memory."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory

if multiprocessing.current_process().name == "MainProcess":
    fork = multiprocessing.get_context("fork")
    with fork.Pool(2) as pool:
        assert pool.map(abs, [-1, -2, 3]) == [1, 2, 3]
    with ProcessPoolExecutor(2, mp_context=fork) as executor:
        assert list(executor.map(abs, [-4, 5])) == [4, 5]
    queue = fork.Queue()
    child = fork.Process(target=queue.put, args=["hello"])
    child.start()
    assert queue.get(timeout=60) == "hello"
    child.join()
    part = shared_memory.SharedMemory(create=True, size=4096)
    part.buf[0] = 7
    again = shared_memory.SharedMemory(name=part.name)
    assert again.buf[0] == 7
    again.close()
    part.close()
    part.unlink()
