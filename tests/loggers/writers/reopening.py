"""reopening.py LOG PIDFILE [hold]: appends each line of its stdin to LOG, and opens LOG again at SIGHUP,
as a daemon does. With `hold` it goes on writing to the file that it has for half a second more."""
import os
import signal
import sys
import time

log, pid_file = sys.argv[1:3]
hold = 0.5 if "hold" in sys.argv else 0
reopen_at = None


def hang_up(*_):
    global reopen_at
    reopen_at = reopen_at or time.monotonic() + hold


signal.signal(signal.SIGHUP, hang_up)
descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
with open(pid_file + ".new", "w", encoding="ascii") as file:
    file.write(str(os.getpid()))
os.rename(pid_file + ".new", pid_file)
for line in sys.stdin.buffer:
    if reopen_at is not None and time.monotonic() >= reopen_at:
        reopen_at = None
        os.close(descriptor)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(descriptor, line)
