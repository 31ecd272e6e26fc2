"""Changes limits, priority, processors and scheduling of another process of the same user."""

import os
import resource

import calls
from attempts import Attempts

IOPRIO_WHO_PROCESS = 1
IOPRIO_IDLE = 3 << 13


def do(targets):
    pid = targets["pid"]
    tried = Attempts()
    tried("limit", resource.prlimit, pid, resource.RLIMIT_NOFILE, (7, 7))
    tried("nice", os.setpriority, os.PRIO_PROCESS, pid, 7)
    tried("processors", os.sched_setaffinity, pid, {min(os.sched_getaffinity(0))})
    tried("scheduler", os.sched_setscheduler, pid, os.SCHED_BATCH, os.sched_param(0))
    tried("input and output", calls.syscall, "ioprio_set", IOPRIO_WHO_PROCESS, pid, IOPRIO_IDLE)
    return tried
