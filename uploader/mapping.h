// A mapping: a table that says what the numbers in rows stand for (which bus has the radio 2683),
// and from which day on. A store keeps each as one document, or row, with the CSV as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace caravel::uploader {

struct Mapping {
  std::string type;            // vehicle, route or stop
  std::string effective_date;  // YYYY-MM-DD
  std::string timestamp;       // UTC, ISO 8601 with Z: now
  std::string csv;             // the file as it is
};

/// Checks the type, the date (a real day) and the CSV: UTF-8, a header with the columns of its type
/// (vehicle: vid, bus; route: rid, Route; stop: sid, Stop; others may be there too), at least one
/// record, and every record with as many fields. Errors: kind usage; for the CSV with the line.
[[nodiscard]] Result<> check_mapping(const Mapping& mapping);

/// "mapping:<type>:<date>:<XXH3-128 of the CSV>": the same file for the same day is one document.
[[nodiscard]] std::string mapping_id(const Mapping& mapping);

/// All but the CSV, as JSON:
/// {"_id":…,"doc_type":"Mapping","mapping_type":…,"effective_date":…,"timestamp":…}
[[nodiscard]] std::string mapping_text(const Mapping& mapping);

}  // namespace caravel::uploader
