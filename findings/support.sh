# shellcheck shell=sh
# What the findings share; each of them sources this file. It makes a temporary folder $work, and at
# the end it stops every process that was started with `start` and removes the folder.
set -eu
export LC_ALL=C
# Where Debian's packages have programs that are no commands.
PATH="$PATH:/usr/sbin:/sbin:/lib/systemd"

work=$(mktemp -d)
started=

clean_up() {
  for pid in $started; do
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*"; }

# Exit status 2: this machine cannot run the finding, which says nothing of the claim.
cannot() {
  printf 'cannot be run here: %s\n' "$*" >&2
  exit 2
}

# The last line of a finding. The condition is a command: `verdict test "$a" = "$b"`.
verdict() {
  if "$@"; then
    say "STILL SO."
  else
    say "NO LONGER SO: change or delete this finding, and the pages that repeat it."
    exit 1
  fi
}

# debian NAME VERSION: puts exactly that version of a Debian package on the PATH. An installed one is
# used as it is; another one is downloaded and unpacked into $work, so no right of root is needed.
debian() {
  if [ "$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null)" = "$2" ]; then
    say "Debian $1 $2 (installed)"
    return
  fi
  command -v apt-get >/dev/null || cannot "there is no apt-get to fetch $1 with"
  mkdir -p "$work/debs" "$work/root"
  (cd "$work/debs" && apt-get -qq download "$1=$2" >apt.log 2>&1) ||
    cannot "$1 $2 cannot be downloaded: $(tail -1 "$work/debs/apt.log")"
  dpkg-deb -x "$work/debs/$1"_*.deb "$work/root"
  PATH="$work/root/usr/sbin:$work/root/usr/bin:$work/root/lib/systemd:$PATH"
  LD_LIBRARY_PATH="$work/root/usr/lib/$(machine_name)-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  LD_LIBRARY_PATH="$work/root/lib/$(machine_name)-linux-gnu:$LD_LIBRARY_PATH"
  export PATH LD_LIBRARY_PATH
  say "Debian $1 $2 (unpacked into a temporary folder)"
}

machine_name() { uname -m; }

# npm_packages NAME@VERSION...: installs them into $work, without running their scripts.
npm_packages() {
  command -v npm >/dev/null || cannot "there is no npm"
  say '{"private": true}' >"$work/package.json"
  (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$@" >npm.log 2>&1) ||
    cannot "npm: $(tail -1 "$work/npm.log")"
  say "npm $* (node $(node --version))"
}

# start COMMAND...: runs it in the background; its process id is in $pid afterwards. Its stdin is that
# of the call: a shell gives /dev/null to what it starts with &, so the descriptor takes a detour.
start() {
  exec 9<&0
  "$@" <&9 9<&- &
  pid=$!
  exec 9<&-
  started="$started $pid"
}

# await WHAT COMMAND...: returns as soon as COMMAND succeeds; gives up after 20 s.
await() {
  what=$1
  shift
  give_up=$(($(date +%s) + 20))
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$give_up" ] || cannot "20 s have passed, still waiting for: $what"
    sleep 0.02
  done
}
