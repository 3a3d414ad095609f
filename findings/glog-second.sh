#!/bin/sh
# Claim      When a file of glog is full in the same second in which it was begun, what is logged until the
#            next second is in no file: the new file would have the same name, so it is not created.
# Version    libgoogle-glog0v6 0.6.0-2 (Debian 12)
# Good guess `max_log_size` bounds a file, and all that is logged is in one of the files.
# Matters    A program that logs more than max_log_size in a second (in trouble: when its log is wanted most)
#            loses most of that second. Only its stderr says so, in capitals: COULD NOT CREATE A LOGGINGFILE.
. "$(dirname "$0")/support.sh"
debian libgoogle-glog0v6 0.6.0-2
debian libgoogle-glog-dev 0.6.0-2
command -v g++ >/dev/null || cannot "there is no g++"

cat >"$work/write.cc" <<'END'
#include <glog/logging.h>
#include <chrono>
#include <string>
#include <thread>
// 8,000 lines of 1,000 bytes, in bursts of 4,000 (4 MB, four files) that begin with a new second.
int main(int, char** arguments) {
  FLAGS_log_dir = arguments[1];
  FLAGS_max_log_size = 1;  // MB
  FLAGS_log_prefix = false;
  google::InitGoogleLogging("app");
  for (int i = 0; i < 8000; i++) {
    if (i % 4000 == 0) {
      const auto now = std::chrono::system_clock::now();
      std::this_thread::sleep_until(std::chrono::ceil<std::chrono::seconds>(now) +
                                    std::chrono::milliseconds(50));
    }
    std::string line = "line " + std::to_string(i) + " ";
    line.resize(999, '.');
    LOG(INFO) << line;
  }
}
END
libraries="$work/root/usr/lib/$(machine_name)-linux-gnu"
g++ -std=c++17 -w -I"$work/root/usr/include" -o "$work/write" "$work/write.cc" -L"$libraries" -lglog \
  2>"$work/g++.log" || cannot "it cannot be compiled: $(grep -m 1 error "$work/g++.log")"
mkdir "$work/logs"
"$work/write" "$work/logs" 2>"$work/said" || cannot "it cannot be run: $(tail -1 "$work/said")"
lines=$(cat "$work"/logs/app.*.log.INFO.* | grep -c '^line ')
say "8000 lines logged, $lines in $(find "$work/logs" -type f | wc -l) files; on stderr: $(head -1 "$work/said")"
verdict test "$lines" -lt 7000
