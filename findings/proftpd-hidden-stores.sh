#!/bin/sh
# Claim      With HiddenStores, ProFTPD gives an upload its name although the sender was killed in the
#            middle of it: half a file stands there as if it were whole.
# Version    Debian proftpd-core 1.3.8+dfsg-4+deb12u5
# Good guess HiddenStores keeps an upload under a hidden name until it is complete, so what has its name
#            is whole. But in FTP's stream mode the end of the connection is the end of the file (RFC 959,
#            3.4.1): a sender's kernel closes it in order, whatever became of the sender.
# Matters    Behind an FTP server no name, and no rename, says that a file is whole. A reader needs a count
#            or a digest beside it, such as a manifest.
. "$(dirname "$0")/support.sh"
debian proftpd-core 1.3.8+dfsg-4+deb12u5
command -v openssl >/dev/null || cannot "there is no openssl"

cd "$work"
mkdir drop
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'drop:%s:%s:%s::%s:/bin/false\n' "$(openssl passwd -5 secret)" "$(id -u)" "$(id -g)" "$work/drop" >users
chmod 600 users
cat >conf <<CONF
ServerType standalone
DefaultAddress 127.0.0.1
Port $port
UseIPv6 off
User $(id -un)
Group $(id -gn)
RootLogin on
RequireValidShell off
AuthOrder mod_auth_file.c
AuthUserFile $work/users
PidFile $work/pid
ScoreboardFile $work/score
SystemLog $work/log
WtmpLog off
TransferLog none
UseReverseDNS off
HiddenStores on
CONF
start proftpd -n -c "$work/conf" >/dev/null 2>&1
await "ProFTPD" python3 -c 'import socket, sys; assert socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).recv(3) == b"220"' "$port"

# Half of the file, then nothing: killed, this sender says no more.
start python3 - "$port" <<'SENDER'
import ftplib, sys, time
ftp = ftplib.FTP()
ftp.connect("127.0.0.1", int(sys.argv[1]))
ftp.login("drop", "secret")
data = ftp.transfercmd("STOR extract.log")
data.sendall(b"a line of the log\n" * 500)
time.sleep(60)
SENDER
sender=$pid
await "half of the upload" sh -c 'test "$(cat drop/.in.extract.log. 2>/dev/null | wc -c)" = 9000'
say "while it is sent:          $(ls -A drop)"
kill -9 "$sender"
await "a name without a dot" test -e drop/extract.log
say "the sender has been killed: $(ls -A drop), $(wc -c <drop/extract.log) bytes"
verdict test "$(ls -A drop) $(wc -c <drop/extract.log)" = "extract.log 9000"
