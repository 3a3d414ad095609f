// The least that noticing a closed file can take: a process that waits for IN_CLOSE_WRITE in a
// directory.
//
//   anchor_inotify DIRECTORY        for each file that was closed: its name and when the process
//   woke up
//
// The time is CLOCK_MONOTONIC in nanoseconds.
#include <sys/inotify.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int queue = inotify_init1(IN_CLOEXEC);
  if (queue < 0 || inotify_add_watch(queue, argv[1], IN_CLOSE_WRITE) < 0) return 1;
  std::puts("watching");
  std::fflush(stdout);
  alignas(inotify_event) char buffer[64 << 10];
  for (;;) {
    const ssize_t got = read(queue, buffer, sizeof buffer);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (got <= 0) return 1;
    for (const char* at = buffer; at < buffer + got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      std::printf("%s %lld\n", event->name, now.tv_sec * 1'000'000'000LL + now.tv_nsec);
      at += sizeof(inotify_event) + event->len;
    }
    std::fflush(stdout);
  }
}
