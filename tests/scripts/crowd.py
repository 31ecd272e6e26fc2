"""Many threads of one user, which do nothing and wait to be dismissed.

argv = how many. Standard input brings one line, which is not read further; standard output answers with the number of
threads when all of them are there.
"""

import sys
import threading

sys.stdin.readline()
end = threading.Event()
threads = [threading.Thread(target=end.wait, daemon=True) for _ in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
print(len(threads), flush=True)
sys.stdin.read()
