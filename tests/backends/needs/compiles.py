"""C, C++ and what drives them: headers, libraries, make with several jobs, pkg-config."""

import os
import subprocess
import tempfile


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


place = tempfile.mkdtemp()
where = lambda name: os.path.join(place, name)
with open(where("one.c"), "w") as text:
    text.write('#include <stdio.h>\n#include <math.h>\nint main(int n, char **v) { printf("%g", sqrt(n * 4.0)); }\n')
with open(where("two.cc"), "w") as text:
    text.write("#include <iostream>\n#include <vector>\nint main() { std::vector<int> all(3, 2); std::cout << all.size(); }\n")
run("gcc", "-O2", where("one.c"), "-o", where("one"), "-lm")
assert run(where("one")) == "2"
run("g++", "-O2", "-pipe", where("two.cc"), "-o", where("two"))
assert run(where("two")) == "3"
with open(where("Makefile"), "w") as text:
    text.write("all: a b c d\na b c d:\n\t@sleep 0.01; echo $@ > $@.out; cat $@.out\n")
assert sorted(run("make", "-j4", "all", cwd=place).split()) == ["a", "b", "c", "d"]
run("pkg-config", "--version")
assert subprocess.run(["pkg-config", "--exists", "no-such-library"]).returncode == 1
run("sh", "-c", "cat <<END | sort\nb\na\nEND")
run("perl", "-MFile::Spec", "-e", "1")
