// One row on its way to a server that misbehaves: for what goes wrong on the way.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/extract_fixture.h"
#include "tests/support/fault_server.h"
#include "uploader/couchdb/store.h"
#include "uploader/http/curl_transport.h"

namespace caravel::testing {

/// The reply to that row.
inline constexpr const char* kStored =
    R"([{"ok":true,"id":"hrt:20120309T000000:V.1:000000","rev":"1-x"}])";

inline uploader::CouchdbConfig config_for(const std::string& url) {
  uploader::CouchdbConfig config;
  config.name = "couch";
  config.server.url = url;
  config.database = "feed";
  config.server.client.user = "caravel";
  config.server.client.password = "sesame-open";
  config.documents = uploader::Documents::rows;
  config.server.client.timeout = std::chrono::milliseconds(5000);
  return config;
}

inline std::unique_ptr<uploader::Store> store_for(const uploader::CouchdbConfig& config) {
  return uploader::make_couchdb_store(config, uploader::make_curl_transport(config.server.client));
}

/// Uploads one row and returns the result.
inline Result<> upload_one(const uploader::CouchdbConfig& config) {
  const StopSignal never;
  auto store = store_for(config);
  return store->start(info_of(), extract_of(1).reader(), {})->run(never);
}

/// What a CouchDB that takes everything answers to `request`.
inline FaultReply all_is_well(const std::string& request) {
  using nlohmann::json;
  if (request.starts_with("GET")) {
    return {200, R"({"db_name":"feed","instance_start_time":"17"})"};
  }
  const json body = json::parse(request.substr(request.find("\r\n\r\n") + 4));
  const bool asks = request.find("/_bulk_get") != std::string::npos;
  json entries = json::array();
  for (const json& document : body.at("docs")) {
    const json id = document.at(asks ? "id" : "_id");
    if (asks) {
      const json leaf = {{"ok", {{"_id", id}, {"_rev", "1-x"}}}};
      entries.push_back({{"id", id}, {"docs", json::array({leaf})}});
    } else {
      entries.push_back({{"ok", true}, {"id", id}, {"rev", "1-x"}});
    }
  }
  return {asks ? 200 : 201, asks ? json{{"results", entries}}.dump() : entries.dump()};
}

}  // namespace caravel::testing
