// The keys of a store that is a server which speaks HTTP, whatever it is asked for.
#pragma once

#include <string>
#include <vector>

#include "uploader/http/curl_transport.h"
#include "uploader/store_type.h"

namespace caravel::uploader {

/// The password is in here: never log one.
struct ServerConfig {
  std::string url;  // without user and password, and without a slash at its end
  CurlOptions client;
};

/// url, user, password_file, netrc, ca_file, timeout.
[[nodiscard]] std::vector<std::string> server_keys();

/// Reads these keys, and the password if the section wants secrets. Warns of a password that goes
/// over the network unencrypted. Errors: kind usage, with file, line and key.
[[nodiscard]] Result<ServerConfig> read_server_config(const StoreSection& section);

}  // namespace caravel::uploader
