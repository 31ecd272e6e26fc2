"""Facts about the processor, as numeric libraries read them."""

import os

assert "processor" in open("/proc/cpuinfo").read()
assert "MemTotal" in open("/proc/meminfo").read()
assert os.listdir("/sys/devices/system/cpu")
