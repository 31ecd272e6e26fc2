"""Hides what it can read outside, so that nobody finds it in the wheel: turned around, encoded, compressed."""

import base64
import codecs

from attempts import Attempts


def read(path):
    with open(path) as file:
        return file.read().strip()


FORMS = {
    "turned around": lambda text: text[::-1],
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in digits": lambda text: text.encode().hex(),
    "in another alphabet": lambda text: codecs.encode(text, "rot13"),
}


def do(targets):
    tried = Attempts()
    for way, form in FORMS.items():
        tried(way, lambda: form(read(targets[way])))
    return tried
