"""An event listener of supervisord: ends supervisord when its program has ended."""
import os
import signal
import sys

sys.stdout.write("READY\n")
sys.stdout.flush()
sys.stdin.readline()
os.kill(os.getppid(), signal.SIGTERM)
