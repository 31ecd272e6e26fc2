"""Compiles the sources of an environment: `BASE -I -S -c <this> TREE OUT WORKERS [MODE]`.

For every TREE/a/b.py writes OUT/a/__pycache__/b.TAG.pyc: hash-based and unchecked (PEP 552) if nothing else is
said; with the source's time in it where MODE is `timestamp`.
Nothing of TREE is imported. What does not compile is left out without a word: templates for other
versions of Python are no errors. Paths inside the bytecode are relative to TREE.
"""

import os
import py_compile
import sys
import warnings


def sources(tree):
    found = []
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(".py") and os.path.isfile(path) and not os.path.islink(path):
                found.append(os.path.relpath(path, tree))
    return found


def compile_all(tree, out, paths, mode):
    for path in paths:
        folder, name = os.path.split(path)
        target = "%s.%s.pyc" % (name[:-3], sys.implementation.cache_tag)
        try:
            py_compile.compile(
                os.path.join(tree, path),
                cfile=os.path.join(out, folder, "__pycache__", target),
                dfile=path,
                doraise=True,
                invalidation_mode=mode,
            )
        except Exception:
            pass


def main():
    tree, out, workers = sys.argv[1], sys.argv[2], max(1, int(sys.argv[3]))
    modes = py_compile.PycInvalidationMode
    mode = modes.TIMESTAMP if sys.argv[4:] == ["timestamp"] else modes.UNCHECKED_HASH
    warnings.simplefilter("ignore")
    if not sys.implementation.cache_tag:
        return
    paths = sources(tree)
    children = []
    # A source that makes the compiler crash takes one worker with it, not the rest.
    for number in range(workers):
        try:
            child = os.fork()
        except OSError:
            compile_all(tree, out, paths[number::workers], mode)
            continue
        if child == 0:
            try:
                compile_all(tree, out, paths[number::workers], mode)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


main()
