// An HttpTransport with a small CouchDB behind it, in memory: no sockets, and faults on request.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "uploader/http/transport.h"

namespace caravel::testing {

/// A request as it was sent, with its body read.
struct SentRequest {
  std::string method;
  std::string url;
  std::vector<std::string> headers;
  std::string body;
};

class FakeCouch : public uploader::HttpTransport {
 public:
  using Intercept = std::function<std::optional<uploader::HttpReply>(const SentRequest&)>;

  std::uint64_t start(uploader::HttpRequest request) override;
  Result<uploader::HttpReply> wait(const StopSignal& stop) override;
  void cancel_all() override;

  /// Called before the database answers. A reply that it returns is sent instead, and the request
  /// has no effect.
  Intercept intercept;
  /// Called after the database has answered. A reply that it returns is sent instead; the request
  /// has had its effect.
  Intercept intercept_reply;
  /// Says why a row's document is refused; "" if it is not.
  std::function<std::string(const nlohmann::json&)> validate;

  bool database_there = true;
  /// Of the database, as GET tells it; "" tells nothing.
  std::string instance_start_time = "1700000000000001";
  /// Deletes the database and makes it again: all documents are gone, and nobody is told.
  void make_anew();
  /// What GET /_session says that we are.
  std::vector<std::string> roles = {"_admin"};
  bool knows_bulk_get = true;
  std::map<std::string, nlohmann::json> documents;  // with _rev
  std::map<std::string, std::string> attachments;   // by document id
  std::vector<SentRequest> requests;
  std::size_t most_in_flight = 0;

  /// Requests whose method and URL are like these.
  [[nodiscard]] std::size_t count(const std::string& method, const std::string& part_of_url) const;

 private:
  struct InFlight {
    std::uint64_t ticket;
    SentRequest request;
  };
  uploader::HttpReply answer(const SentRequest& request);
  uploader::HttpReply bulk(const nlohmann::json& body);
  uploader::HttpReply all_docs(const nlohmann::json& body);
  uploader::HttpReply page_of_ids(const std::string& query);
  uploader::HttpReply bulk_get(const nlohmann::json& body);
  uploader::HttpReply put(const SentRequest& request, const std::string& id);
  nlohmann::json store(nlohmann::json document);

  std::deque<InFlight> in_flight_;
  std::uint64_t last_ticket_ = 0;
  int revisions_ = 0;
};

[[nodiscard]] uploader::HttpReply reply_of(int status, std::string body = "{}");
/// No reply: "timeout" and the like.
[[nodiscard]] uploader::HttpReply no_reply(ErrorKind kind, std::string message);

}  // namespace caravel::testing
