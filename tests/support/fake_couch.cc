#include "tests/support/fake_couch.h"

#include <algorithm>

#include <fmt/format.h>
#include <zlib.h>

namespace caravel::testing {
namespace {

using nlohmann::json;
using uploader::HttpReply;
using uploader::HttpRequest;

std::string body_of(const HttpRequest& request) {
  if (!request.read_body) return std::string(request.body);
  std::string body;
  char buffer[1000];
  while (body.size() < request.body_bytes) {
    const auto got = request.read_body(body.size(), buffer, sizeof buffer);
    if (got <= 0) break;
    body.append(buffer, static_cast<std::size_t>(got));
  }
  return body;
}

bool has_header(const SentRequest& request, const std::string& start) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const std::string& header) { return header.starts_with(start); });
}

std::string unpacked(const std::string& packed) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return {};
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

}  // namespace

HttpReply reply_of(int status, std::string body) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

HttpReply no_reply(ErrorKind kind, std::string message) {
  HttpReply reply;
  reply.failure = Error{kind, std::move(message)};
  return reply;
}

std::uint64_t FakeCouch::start(HttpRequest request) {
  SentRequest sent{request.method, request.url, request.headers, body_of(request)};
  if (has_header(sent, "Content-Encoding: gzip")) sent.body = unpacked(sent.body);
  requests.push_back(sent);
  in_flight_.push_back({++last_ticket_, std::move(sent)});
  most_in_flight = std::max(most_in_flight, in_flight_.size());
  return last_ticket_;
}

Result<HttpReply> FakeCouch::wait(const StopSignal& stop) {
  if (stop.requested()) return fail(ErrorKind::stopped, "asked to stop");
  if (in_flight_.empty()) return no_reply(ErrorKind::retry, "nothing was asked");
  const InFlight next = std::move(in_flight_.front());
  in_flight_.pop_front();
  std::optional<HttpReply> reply;
  if (intercept) reply = intercept(next.request);
  if (!reply) {
    reply = answer(next.request);
    if (intercept_reply) {
      if (auto other = intercept_reply(next.request)) reply = std::move(other);
    }
  }
  reply->ticket = next.ticket;
  return std::move(*reply);
}

void FakeCouch::cancel_all() { in_flight_.clear(); }

std::size_t FakeCouch::count(const std::string& method, const std::string& part_of_url) const {
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(), [&](const SentRequest& request) {
        return request.method == method && request.url.find(part_of_url) != std::string::npos;
      }));
}

HttpReply FakeCouch::answer(const SentRequest& request) {
  // http://server/database/path
  const std::size_t server = request.url.find('/', std::string("http://").size());
  const std::size_t database = request.url.find('/', server + 1);
  if (request.url.ends_with("/_session")) {
    return reply_of(200, json{{"ok", true}, {"userCtx", {{"roles", roles}}}}.dump());
  }
  if (server + 1 == request.url.size()) return reply_of(200, R"({"version":"3.5.0"})");
  if (database == std::string::npos && request.method == "PUT") {
    if (database_there) return reply_of(412, R"({"error":"file_exists","reason":"exists"})");
    database_there = true;
    return reply_of(201, R"({"ok":true})");
  }
  if (!database_there) {
    return reply_of(404, R"({"error":"not_found","reason":"Database does not exist."})");
  }
  if (database == std::string::npos) {
    json facts = {{"db_name", "feed"}, {"doc_count", documents.size()}};
    if (!instance_start_time.empty()) facts["instance_start_time"] = instance_start_time;
    return reply_of(200, facts.dump());
  }
  const std::string path = request.url.substr(database + 1);
  if (path == "_bulk_docs") return bulk(json::parse(request.body));
  if (path == "_bulk_get" && knows_bulk_get) return bulk_get(json::parse(request.body));
  if (path == "_bulk_get") return reply_of(405, R"({"error":"method_not_allowed"})");
  if (path.starts_with("_all_docs?startkey")) return page_of_ids(path);
  if (path.starts_with("_all_docs")) return all_docs(json::parse(request.body));
  const std::string id = decoded(path);
  if (request.method == "PUT") return put(request, id);
  const auto found = documents.find(id);
  if (found == documents.end()) return reply_of(404, R"({"error":"not_found"})");
  return reply_of(200, found->second.dump());
}

void FakeCouch::make_anew() {
  documents.clear();
  attachments.clear();
  if (!instance_start_time.empty() && instance_start_time != "0") {
    instance_start_time = std::to_string(std::stoll(instance_start_time) + 1'000'000);
  }
}

json FakeCouch::store(json document) {
  const std::string id = document.at("_id");
  const auto found = documents.find(id);
  const std::string rev = document.value("_rev", "");
  if (found == documents.end() ? !rev.empty() : rev != found->second.at("_rev")) {
    return {{"id", id}, {"error", "conflict"}, {"reason", "Document update conflict."}};
  }
  if (validate && document.contains("caravel")) {
    if (const std::string reason = validate(document); !reason.empty()) {
      return {{"id", id}, {"error", "forbidden"}, {"reason", reason}};
    }
  }
  document["_rev"] = fmt::format("{}-x", ++revisions_);
  const json entry = {{"ok", true}, {"id", id}, {"rev", document["_rev"]}};
  documents[id] = std::move(document);
  return entry;
}

HttpReply FakeCouch::bulk(const json& body) {
  json entries = json::array();
  for (const json& document : body.at("docs")) entries.push_back(store(document));
  return reply_of(201, entries.dump());
}

HttpReply FakeCouch::all_docs(const json& body) {
  json rows = json::array();
  for (const json& key : body.at("keys")) {
    const auto found = documents.find(key);
    if (found == documents.end()) {
      rows.push_back({{"key", key}, {"error", "not_found"}});
    } else {
      rows.push_back({{"id", key},
                      {"key", key},
                      {"value", {{"rev", found->second.at("_rev")}}},
                      {"doc", found->second}});
    }
  }
  return reply_of(200, json{{"total_rows", documents.size()}, {"rows", rows}}.dump());
}

HttpReply FakeCouch::bulk_get(const json& body) {
  json results = json::array();
  for (const json& asked : body.at("docs")) {
    const std::string id = asked.at("id");
    const auto found = documents.find(id);
    const json missing = {{"id", id}, {"rev", "undefined"}, {"error", "not_found"}};
    const json leaf =
        found == documents.end() ? json{{"error", missing}} : json{{"ok", found->second}};
    results.push_back({{"id", id}, {"docs", json::array({leaf})}});
  }
  return reply_of(200, json{{"results", results}}.dump());
}

HttpReply FakeCouch::page_of_ids(const std::string& query) {
  const auto parameter = [&](const std::string& name) {
    const std::size_t at = query.find(name + "=") + name.size() + 1;
    return decoded(query.substr(at, query.find('&', at) - at));
  };
  const std::string from = json::parse(parameter("startkey"));
  const std::string until = json::parse(parameter("endkey"));
  const std::size_t limit = std::stoul(parameter("limit"));
  json rows = json::array();
  for (auto at = documents.lower_bound(from); at != documents.end() && at->first < until; ++at) {
    if (rows.size() == limit) break;
    rows.push_back({{"id", at->first}, {"key", at->first}});
  }
  return reply_of(200, json{{"rows", rows}}.dump());
}

HttpReply FakeCouch::put(const SentRequest& request, const std::string& id) {
  std::string text = request.body;
  std::string attached;
  if (has_header(request, "Content-Type: multipart/related")) {
    const std::size_t head = text.find("\r\n\r\n") + 4;
    const std::size_t tail = text.find("\r\n--", head);
    const std::size_t second = text.find("\r\n\r\n", tail) + 4;
    const std::size_t end = text.rfind("\r\n--");
    attached = text.substr(second, end - second);
    text = text.substr(head, tail - head);
  }
  json document = json::parse(text);
  document["_id"] = id;
  const json entry = store(std::move(document));
  if (entry.contains("error")) return reply_of(409, entry.dump());
  if (!attached.empty()) attachments[id] = attached;
  return reply_of(201, entry.dump());
}

}  // namespace caravel::testing
