"""Prints what a terminal obeys: a title, a colour, a jump, a line that hides the one before."""

import sys


def do(targets):
    for text in targets.values():
        print(text)
    sys.stdout.flush()
    return {}
