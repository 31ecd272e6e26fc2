"""Does a deed unconfined, to show that it is real: argv = folder of the deed, targets.json."""

import json
import sys

sys.path.insert(0, sys.argv[1])

import deed  # noqa: E402

with open(sys.argv[2], encoding="utf-8") as text:
    targets = json.load(text)
print("deed:", json.dumps(deed.do(targets)), flush=True)
