#include "base/stop_signal.h"

#include <poll.h>

#include <algorithm>
#include <climits>

namespace caravel {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

bool stopped_before(const StopSignal& stop, steady_clock::time_point wake) {
  // A loop, because poll(2) may return early (EINTR) and cannot wait longer than INT_MAX
  // milliseconds, which are 24 days.
  while (!stop.requested()) {
    const auto left = wake - steady_clock::now();
    if (left <= left.zero()) return false;
    // Once requested, the descriptor stays readable: a request that comes between the test above
    // and the poll ends the poll at once.
    pollfd polled{stop.fd(), POLLIN, 0};
    (void)::poll(&polled, 1, poll_timeout(left));
  }
  return true;
}

bool stopped_within(const StopSignal& stop, milliseconds wait) {
  return stopped_before(stop, steady_clock::now() + wait);
}

int poll_timeout(steady_clock::duration wait) {
  const auto whole = std::chrono::ceil<milliseconds>(wait).count();
  // A negative timeout would mean to wait for ever (poll(2)).
  return static_cast<int>(std::clamp<milliseconds::rep>(whole, 0, INT_MAX));
}

}  // namespace caravel
