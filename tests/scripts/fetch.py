"""Fetches the suite's pinned inputs into a folder: argv = wheels.txt, sdists.txt, folder.

With the word `batch`, argv = batch, pins, requirements, folder: the sdists of a bench's pins, and wheels of what
builds require, each paragraph a set by itself, with all that those depend on. The pins have no digests; the index's own are checked.

Wheels come through pip with its hash checking. An sdist comes from the link on the project page of
the index that pip is set to use, because pip would run its code. Both only with the pinned digest.
"""

import hashlib
import html.parser
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request


class Links(html.parser.HTMLParser):
    """Collects the targets of all anchors."""

    def __init__(self):
        super().__init__()
        self.targets = []

    def handle_starttag(self, tag, attributes):
        if tag == "a":
            self.targets += [value for name, value in attributes if name == "href" and value]


def default_index():
    """Returns the index that pip is configured to use, else the one it was built with."""
    chosen = os.environ.get("PIP_INDEX_URL") or subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "get", "global.index-url"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ).stdout.strip()
    if not chosen:
        from pip._internal.models.index import PyPI

        chosen = PyPI.simple_url
    return chosen.rstrip("/") + "/"


def get(url):
    request = urllib.request.Request(url, headers={"Accept": "text/html"})
    context = ssl.create_default_context(cafile=os.environ.get("PIP_CERT") or None)
    with urllib.request.urlopen(request, timeout=120, context=context) as answer:
        return answer.read(), answer.geturl()


def fetch_sdist(index, project, filename, digest, folder):
    page, base = get(urllib.parse.urljoin(index, project + "/"))
    links = Links()
    links.feed(page.decode())
    for target in links.targets:
        url = urllib.parse.urljoin(base, target.partition("#")[0])
        if urllib.parse.unquote(urllib.parse.urlsplit(url).path).endswith("/" + filename):
            break
    else:
        sys.exit("the index has no file " + filename)
    content, _ = get(url)
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        sys.exit("%s: sha256 is %s, pinned is %s" % (filename, found, digest))
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as staged:
        staged.write(content)
    os.chmod(staged.name, 0o644)
    os.replace(staged.name, os.path.join(folder, filename))


def fetch_batch(pins, requirements, folder):
    os.makedirs(folder, exist_ok=True)
    wheels = os.path.join(folder, "wheels")
    if not os.path.isdir(wheels):
        with open(requirements) as lines:
            groups = lines.read().split("\n\n")
        with tempfile.TemporaryDirectory(dir=folder) as staged:
            for group in groups:
                subprocess.run(
                    [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--only-binary", ":all:",
                     "--dest", os.path.join(staged, "wheels"), *group.split()],
                    check=True, stdin=subprocess.DEVNULL,
                )
            os.rename(os.path.join(staged, "wheels"), wheels)
    sdists = os.path.join(folder, "sdists")
    os.makedirs(sdists, exist_ok=True)
    index = default_index()
    there = os.listdir(sdists)
    with open(pins) as lines:
        for line in filter(None, map(str.strip, lines)):
            if not any(is_of(name, line) for name in there):
                fetch_pin(index, line, sdists)


def is_of(filename, pin):
    """Whether a file is the sdist of `name==version`."""
    name, _, version = pin.partition("==")
    flat = re.sub("[-_.]+", "-", name).lower()
    for ending in (".tar.gz", ".zip", ".tar.bz2"):
        if filename.endswith("-" + version + ending):
            return re.sub("[-_.]+", "-", filename[: -len("-" + version + ending)]).lower() == flat
    return False


def fetch_pin(index, pin, folder):
    project = re.sub("[-_.]+", "-", pin.partition("==")[0]).lower()
    page, base = get(urllib.parse.urljoin(index, project + "/"))
    links = Links()
    links.feed(page.decode())
    for target in links.targets:
        url, _, fragment = urllib.parse.urljoin(base, target).partition("#")
        filename = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
        if is_of(filename, pin):
            break
    else:
        sys.exit("the index has no sdist of " + pin)
    content, _ = get(url)
    if fragment and fragment != "sha256=" + hashlib.sha256(content).hexdigest():
        sys.exit(filename + " has another digest than its page says")
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as staged:
        staged.write(content)
    os.chmod(staged.name, 0o644)
    os.replace(staged.name, os.path.join(folder, filename))


def main(wheels, sdists, folder):
    os.makedirs(folder, exist_ok=True)
    subprocess.run(
        [sys.executable, "-I", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
         "--only-binary", ":all:", "--requirement", wheels, "--dest", folder],
        check=True, stdin=subprocess.DEVNULL,
    )
    index = default_index()
    with open(sdists) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                project, filename, digest = line.split()
                if not os.path.exists(os.path.join(folder, filename)):
                    fetch_sdist(index, project, filename, digest, folder)


if __name__ == "__main__":
    if sys.argv[1] == "batch":
        fetch_batch(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
