#!/bin/sh
# Claim      logger -f cuts a line of the file into messages of 1,024 bytes: each piece is sent as a message of its
#            own, with its own header, and nothing marks it. The manual speaks of a maximum size of the message that
#            includes the header; it is the size of the text, and what is longer is no error and not cut off.
# Version    util-linux's logger 2.38.1 (package bsdutils, Debian 12)
# Good guess One line is one message: longer ones are refused or end at the limit.
# Matters    Long lines (requests, JSON) arrive as several lines, the later of which begin anywhere. For a loader those
#            are other lines. `--size 64KiB`, and a receiver that takes as much.
. "$(dirname "$0")/support.sh"
debian bsdutils '1:2.38.1-5+deb12u3'
command -v python3 >/dev/null || cannot "there is no python3"

cd "$work"
python3 -c 'print("A" * 1000 + "B" * 1000 + "C"); print("short")' >long
cat >receive.py <<'END'
import os, socket, subprocess, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("log")
receiver.settimeout(5)
sent = subprocess.run(["logger", "--socket", "log", "--tag", "bus"] + sys.argv[1:] + ["--file", "long"])
texts = []
while not texts or not texts[-1].endswith("short"):
    message = receiver.recv(65536).decode()
    texts.append(message[message.index("bus: ") + 5:])
    print(f"{len(message)} bytes, {len(texts[-1])} of them text: {texts[-1][:3]}...{texts[-1][-3:]}")
print("status", sent.returncode)
os.unlink("log")
END
say "a line of 2,001 bytes and a short one:"
python3 receive.py | tee default
say "with --size 64KiB:"
python3 receive.py --size 64KiB | tee large
verdict sh -c 'test "$(grep -c bytes default)" = 3 && grep -q " 1024 of them text: AAA...BBB" default &&
               grep -q " 977 of them text: BBB...BBC" default && grep -q "status 0" default &&
               test "$(grep -c bytes large)" = 2'
