"""What honest builds ask the system: who they are, where they are, which time and text there is."""

import getpass
import locale
import os
import platform
import pwd
import ssl
import time
import zoneinfo

assert pwd.getpwuid(0).pw_name == "root"
assert getpass.getuser() == "build"
assert os.path.isdir(os.path.expanduser("~")) and os.access(os.path.expanduser("~"), os.W_OK)
assert "ID=" in open("/etc/os-release").read()
assert platform.system() == "Linux"
locale.setlocale(locale.LC_ALL, "")
assert locale.getpreferredencoding(False).lower().replace("-", "") == "utf8"
assert time.tzname[0] == "UTC"
assert zoneinfo.ZoneInfo("Europe/Berlin").key == "Europe/Berlin"
assert 1 <= len(os.sched_getaffinity(0)) <= os.cpu_count()
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 0
