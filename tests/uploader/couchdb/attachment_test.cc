// The feed document's attachment against a real server.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/extract_fixture.h"
#include "tests/support/pouch_server.h"
#include "uploader/couchdb/store.h"
#include "uploader/http/curl_transport.h"

namespace caravel::testing {
namespace {

using nlohmann::json;

class Attachment : public ::testing::Test {
 protected:
  Attachment() {
    config_.name = "couch";
    config_.server.url = shared_pouch_server().url();
    config_.gzip = true;
    info_.attach_csv = true;
  }
  void Send(const TestExtract& extract, uploader::UploadOptions options = {}) {
    const StopSignal never;
    auto store = uploader::make_couchdb_store(config_, uploader::make_curl_transport({}));
    auto upload = store->start(info_, extract.reader(), options);
    const auto ran = upload->run(never);
    ASSERT_TRUE(ran) << ran.error().message;
    EXPECT_TRUE(upload->notes().empty()) << upload->notes().front();
  }
  std::string Path() { return "/" + config_.database + "/feed%3Ahrt%3A" + std::string(64, 'a'); }

  uploader::CouchdbConfig config_;
  uploader::ExtractInfo info_ = info_of();
};

TEST_F(Attachment, IsTheCsvByteForByte) {
  config_.database = "attached";
  const TestExtract extract = extract_of(3000);
  Send(extract);
  const PouchServer& server = shared_pouch_server();
  const json feed = json::parse(server.request("GET", Path()));
  EXPECT_EQ(feed["_attachments"]["feed"]["content_type"], "text/csv");
  EXPECT_EQ(feed["_attachments"]["feed"]["length"], extract.csv().size());
  EXPECT_EQ(server.request("GET", Path() + "/feed"), extract.csv());
}

TEST_F(Attachment, IsReplacedWhenTheExtractIsReprocessed) {
  config_.database = "reattached";
  TestExtract extract = extract_of(20);
  Send(extract);
  extract.rows[0].record = "2012-03-09,42";
  uploader::UploadOptions options;
  options.reprocess = true;
  Send(extract, options);
  EXPECT_EQ(shared_pouch_server().request("GET", Path() + "/feed"), extract.csv());
}

TEST_F(Attachment, StaysWhenTheExtractIsReprocessedWithoutIt) {
  config_.database = "kept";
  TestExtract extract = extract_of(20);
  Send(extract);
  info_.attach_csv = false;
  extract.dropped = 5;
  uploader::UploadOptions options;
  options.reprocess = true;
  Send(extract, options);
  const PouchServer& server = shared_pouch_server();
  EXPECT_EQ(json::parse(server.request("GET", Path()))["dropped"], 5);
  EXPECT_EQ(server.request("GET", Path() + "/feed"), extract.csv());
}

TEST_F(Attachment, AloneItIsTheWholeExtract) {
  config_.database = "alone";
  config_.documents = uploader::Documents::feed;
  const TestExtract extract = extract_of(20);
  Send(extract);
  Send(extract);
  EXPECT_EQ(json::parse(shared_pouch_server().request("GET", "/alone"))["doc_count"], 1);
  EXPECT_EQ(shared_pouch_server().request("GET", Path() + "/feed"), extract.csv());
}

}  // namespace
}  // namespace caravel::testing
