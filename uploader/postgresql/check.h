// What `caravel check` says of a server: who answers, how safely, and what our user may do there.
#pragma once

#include <string>

#include "base/error.h"
#include "base/stop_signal.h"
#include "uploader/postgresql/session.h"

namespace caravel::uploader {

/// A sentence for people; changes nothing. Errors: those of the connection; fault: a right that is
/// missing, with the GRANT that gives it; tables that have vanished (`may_create` as in Store).
[[nodiscard]] Result<std::string> check_server(Session& session, bool may_create,
                                               const StopSignal& stop);

}  // namespace caravel::uploader
