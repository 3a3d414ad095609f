// The feed document: what a store says of a whole extract, written after its last row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "formatter/rows/sidecar.h"
#include "uploader/store.h"

namespace caravel::uploader {

struct FeedField {
  std::string name;
  std::variant<std::string, std::uint64_t, bool> value;
};

/// "feed:<feed>:<sha256>".
[[nodiscard]] std::string feed_document_id(const std::string& feed, std::string_view sha256);

/// The fields without the `_id`: doc_type, status "new", timestamp, name, host, feed, format,
/// lines, rows, dropped, rejected (`refused` rows too), sha256; year_guessed if it was. `refused`:
/// rows that the store refused; `rows` stays what the format yielded.
[[nodiscard]] std::vector<FeedField> feed_fields(const ExtractInfo& extract,
                                                 const formatter::RowReader& rows,
                                                 std::uint64_t refused);

/// Is this a field that an existing feed document keeps, whatever we have to say? What a consumer
/// made of it (status), and the first upload's name and time.
[[nodiscard]] bool is_kept_feed_field(std::string_view name);

}  // namespace caravel::uploader
