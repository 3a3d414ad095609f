#include "uploader/couchdb/documents/usual_replies.h"

#include <gtest/gtest.h>

#include <random>

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

using Ids = std::vector<std::string_view>;

const Ids kIds = {"hrt:20120309T094800:V.1:00ff", "hrt:20120309T094801:V%20.1:01",
                  "hrt:20120309T094802:V.2:02"};

std::string stored(std::string_view id) {
  return fmt::format(R"({{"ok":true,"id":"{}","rev":"1-967a00dff5e02add41819138abb3284d"}})", id);
}
std::string conflict(std::string_view id) {
  return fmt::format(R"({{"id":"{}","error":"conflict","reason":"Document update conflict."}})",
                     id);
}
/// As CouchDB 3.5 writes one: blanks around what is not of the document.
std::string result(std::string_view id, std::string_view members) {
  return fmt::format(R"({{"id": "{0}", "docs": [{{"ok":{{"_id":"{0}","_rev":"1-0a",{1}}}}}]}})", id,
                     members);
}
std::string origin(unsigned line) {
  return fmt::format(R"("caravel":{{"feed":"hrt","kind":"location","extract":"0123456789abcdef",)"
                     R"("line":{},"sum":"00112233445566ff"}})",
                     line);
}

/// What each reply holds; "refused" if it was refused.
std::string shown(const Result<std::vector<BulkEntry>>& entries) {
  if (!entries) return "refused";
  std::string text;
  for (const BulkEntry& entry : *entries) {
    text += fmt::format("{} {}\n", static_cast<int>(entry.result), entry.reason);
  }
  return text;
}
std::string shown(const Result<std::vector<Found>>& all) {
  if (!all) return "refused";
  std::string text;
  for (const Found& found : *all) {
    text += fmt::format("{} {} {} {} {} {} {}\n", found.id, found.exists, found.deleted, found.rev,
                        found.extract, found.line, found.sum);
  }
  return text;
}

void expect_same(const std::string& reply, const Ids& ids = kIds) {
  EXPECT_EQ(shown(read_bulk_reply(reply, ids)), shown(read_any_bulk_reply(reply, ids))) << reply;
  EXPECT_EQ(shown(read_bulk_get_reply(reply, ids)), shown(read_any_bulk_get_reply(reply, ids)))
      << reply;
}

TEST(UsualReplies, OfBulkDocsAreRead) {
  const std::string reply =
      fmt::format("[{},{},{}]\n", stored(kIds[0]), conflict(kIds[1]), stored(kIds[2]));
  const auto entries = read_usual_bulk_reply(reply, kIds);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].result, EntryResult::ok);
  EXPECT_EQ((*entries)[1].result, EntryResult::conflict);
  EXPECT_EQ((*entries)[2].result, EntryResult::ok);
  expect_same(reply);
}

TEST(UsualReplies, OfBulkGetAreRead) {
  const std::string more =
      R"("doc_type":"Row","Lat":36.7751738166,"n":-7,"t":true,"x":null,"a":[],"o":{"k":[1,{}]},)"
      R"("s":"a\"b\\c\n\u00e9é")";
  const std::string reply =
      fmt::format(R"({{"results": [{},{},{}]}})", result(kIds[0], more + "," + origin(7)),
                  result(kIds[1], origin(8) + "," + more), result(kIds[2], R"("nobody":"knows")"));
  const auto all = read_usual_bulk_get_reply(reply, kIds);
  ASSERT_TRUE(all);
  EXPECT_EQ(shown(*all),
            "hrt:20120309T094800:V.1:00ff true false 1-0a 0123456789abcdef 7 00112233445566ff\n"
            "hrt:20120309T094801:V%20.1:01 true false 1-0a 0123456789abcdef 8 00112233445566ff\n"
            "hrt:20120309T094802:V.2:02 true false 1-0a  0 \n");
  expect_same(reply);
}

// Each of these is a reply that a fast reader could take for another.
TEST(UsualReplies, OfOtherKindsAreLeftToTheParser) {
  const std::string a = stored("a");
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const std::string large(400, '9');
  const auto get = [](const std::string& members) {
    return R"({"results":[)" + result("a", members) + "]}";
  };
  const std::string cases[] = {
      "",
      "[",
      "[]",
      "<html>",
      "\xEF\xBB\xBF[" + a + "]",
      "[" + a,
      "[" + a + "]]",
      "[" + a + "] x",
      "[" + a + "]" + std::string(1, '\0'),
      "[" + a + "," + a + "]",
      "[" + stored("b") + "]",
      "[" + stored("a\\u0061") + "]",
      "[" + stored("\\u0061") + "]",
      "[" + stored("a\x01") + "]",
      "[" + stored("\xff") + "]",
      R"([{"ok":false,"id":"a","rev":"1-0"}])",
      R"([{"ok":true,"id":"a","rev":7}])",
      R"([{"ok":true,"id":"a","rev":"1-0","error":"forbidden"}])",
      R"([{"ok":true,"id":"a","rev":"1-0","id":"b"}])",
      R"([{"ok":true,"id":"b","rev":"1-0","id":"a"}])",
      R"([{"id":"a","error":"conflict","reason":"x","error":"forbidden"}])",
      R"([{"id":"a","error":"conflict","reason":{}}])",
      R"([{"id":"a","error":"forbidden","reason":"x"}])",
      R"([{"id":"a","rev":"1-0"}])",
      get(origin(7) + R"(,"_deleted":true)"),
      get(origin(7) + R"(,"_deleted":false)"),
      get(origin(7) + R"(,"_id":"b")"),
      get(origin(7) + R"(,"_rev":"2-0")"),
      get(origin(7) + "," + origin(8)),
      get(origin(7) + R"(,"caravel":7)"),
      get(R"("caravel":{"line":7,"line":8,"sum":"a","sum":"b","extract":"c","extract":"d"})"),
      get(R"("caravel":{"line":7.0})"),
      get(R"("caravel":{"line":7e1})"),
      get(R"("caravel":{"line":-7})"),
      get(R"("caravel":{"line":07})"),
      get(R"("caravel":{"line":18446744073709551615})"),
      get(R"("caravel":{"line":18446744073709551616})"),
      get(R"("caravel":{"line":"7","sum":7,"extract":null})"),
      get(R"("caravel":{"s\u0075m":"a"})"),
      get(R"("caravel":{})"),
      get(R"("carave\u006c":{"line":7})"),
      get(R"("n":1e400)"),
      get(R"("n":1e4)"),
      get(R"("n":)" + large),
      get(R"("n":-)" + large + ".5"),
      get(R"("n":01)"),
      get(R"("n":1.)"),
      get(R"("n":.5)"),
      get(R"("n":-)"),
      get(R"("n":+1)"),
      get(R"("n":tru)"),
      get(R"("n":truex)"),
      get(R"("n":NaN)"),
      get(R"("n":[1,])"),
      get(R"("n":{"a":1,})"),
      get(R"("n":{"a"})"),
      get(R"("n":{a:1})"),
      get(R"("n":[1}])"),
      get(R"("n":)" + deep),
      get(R"("n":"\ud800")"),
      get(R"("n":"\udc00")"),
      get(R"("n":"\ud83d\ude00")"),
      get(R"("n":"\uD7FF")"),
      get(R"("n":"\u12G4")"),
      get(R"("n":"\x41")"),
      get("\"n\":\"\t\""),
      get("\"n\":\"\xc3\""),
      get("\"n\":\"\xed\xa0\x80\""),
      get("\"n\":\"\xc0\x80\""),
      get("\"\xc3\xa9\":1"),
      get(R"("":1)"),
      R"({"results":[]})",
      R"({"results":[{"id":"a","docs":[]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a"}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":""}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"b","_rev":"1-0"}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-0"}},)"
      R"({"ok":{"_id":"a","_rev":"2-0"}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-0"},"error":"not_found"}]}]})",
      R"({"results":[{"id":"a","docs":[{"error":{"id":"a","error":"not_found"}}]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-0"}}],"docs":[]}]})",
      R"({"results":[{"id":"a","docs":[{"ok":{"_id":"a","_rev":"1-0"}}]}],"results":[]})",
  };
  for (const std::string& reply : cases) expect_same(reply, {"a"});
}

/// Replies with bytes changed, taken out, doubled and cut off: whatever comes of it, both readers
/// say the same.
TEST(UsualReplies, ReadNothingThatTheParserDoesNot) {
  std::mt19937 random(1);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  const std::string seeds[] = {
      fmt::format("[{},{},{}]\n", stored(kIds[0]), conflict(kIds[1]), stored(kIds[2])),
      fmt::format(R"({{"results": [{},{},{}]}})", result(kIds[0], origin(7)),
                  result(kIds[1], R"("a":[1,-2.5,{"b":null}],"c":"\u00e9\\é",)" + origin(8)),
                  result(kIds[2], R"("Lat":36.77,)" + origin(9))),
  };
  constexpr std::string_view kBytes = "{}[]\",:\\ \n019-.eut\x01\xff\xc3\xa9";
  for (int round = 0; round < 20'000; ++round) {
    std::string reply = seeds[round % 2];
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = below(reply.size());
      switch (below(4)) {
        case 0:
          reply[at] = kBytes[below(kBytes.size())];
          break;
        case 1:
          reply.erase(at, 1 + below(4));
          break;
        case 2:
          reply.insert(at, 1, kBytes[below(kBytes.size())]);
          break;
        default:
          reply.insert(at, reply.substr(below(reply.size()), below(60)));
          break;
      }
      if (reply.empty()) break;
    }
    expect_same(reply);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace caravel::uploader
