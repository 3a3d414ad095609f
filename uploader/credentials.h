// Where the password of a store's user comes from. Paths may show in messages; what is in them
// never does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "uploader/store_type.h"

namespace caravel::uploader {

struct Password {
  std::string text;
  std::string file;  // where it comes from
};

/// The password of `user`: the content of the file that the key `password_file` names, without one
/// line end; else the service's credential STORE.password. "" without a user, and where the section
/// wants no secrets. `instead`: what else a person may say in the place of a password ("netrc:
/// true"), "" if nothing. Warns of a file that everybody can read. Errors: kind usage, with file,
/// line and key.
[[nodiscard]] Result<Password> read_password(const StoreSection& section, const std::string& user,
                                             std::string_view instead);

/// Whether the service has a credential STORE.password for this store.
[[nodiscard]] bool has_credential(const StoreSection& section);

/// The password in `file` now. Nothing if there is none now: somebody may be about to mend it, and
/// the one that is known stays.
[[nodiscard]] std::optional<std::string> reread_password(const std::string& file);

}  // namespace caravel::uploader
