// Any text as a server's reply to a bulk request or a question about rows: refused, or one answer
// for each id that was asked about, in that order, and words that are safe to log. The readers of
// the replies that are usual believe what the parser does, and nothing else.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "uploader/couchdb/documents/bulk_docs.h"
#include "uploader/couchdb/documents/found.h"

namespace caravel::uploader {
namespace {

using fuzz::Require;

const std::vector<std::string_view> kIds = {
    "hrt:20120309T094800:V.1:00", "hrt:20120309T094801:V.1:01", "hrt:20120309T094802:V.1:02"};

/// Both readers of bulk replies, the fast one and the one that parses.
void CompareReaders(std::string_view reply) {
  const auto entries = read_bulk_reply(reply, kIds);
  const auto any_entries = read_any_bulk_reply(reply, kIds);
  Require(entries.has_value() == any_entries.has_value(), "both readers believe a reply, or none");
  for (std::size_t i = 0; entries && i < kIds.size(); ++i) {
    Require((*entries)[i].result == (*any_entries)[i].result &&
                (*entries)[i].reason == (*any_entries)[i].reason,
            "the same entry");
  }
  const auto all = read_bulk_get_reply(reply, kIds);
  const auto any = read_any_bulk_get_reply(reply, kIds);
  Require(all.has_value() == any.has_value(), "both readers believe a reply, or none");
  for (std::size_t i = 0; all && i < kIds.size(); ++i) {
    const Found& a = (*all)[i];
    const Found& b = (*any)[i];
    Require(a.id == b.id && a.exists == b.exists && a.deleted == b.deleted && a.rev == b.rev &&
                a.extract == b.extract && a.line == b.line && a.sum == b.sum,
            "the same answer");
  }
}

void ReadReply(std::string_view reply) {
  CompareReaders(reply);
  if (const auto entries = read_bulk_reply(reply, kIds)) {
    Require(entries->size() == kIds.size(), "an entry for each document");
    for (const BulkEntry& entry : *entries) {
      Require(entry.result != EntryResult::ok || entry.reason.empty(), "a success needs no reason");
      Require(entry.reason.size() <= 2000, "a reason is bounded");
    }
  }
  for (const auto& found : {read_keys_reply(reply, kIds), read_bulk_get_reply(reply, kIds)}) {
    if (!found) continue;
    Require(found->size() == kIds.size(), "an answer for each id");
    for (std::size_t i = 0; i < kIds.size(); ++i) {
      Require((*found)[i].id == kIds[i], "in the order of the question");
    }
  }
  Require(error_of_reply(reply).size() <= 2000, "the words of an error are bounded");
}

}  // namespace
}  // namespace caravel::uploader

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  caravel::uploader::ReadReply({reinterpret_cast<const char*>(data), size});
  return 0;
}
