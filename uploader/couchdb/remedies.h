// What a person can do about a reply of CouchDB, from its own words. Pure.
#pragma once

#include <string>
#include <string_view>

#include "uploader/couchdb/documents/bulk_docs.h"

namespace caravel::uploader {

/// What a refused request was about: the same words ask for something else.
enum class Asked {
  server,    // its greeting
  database,  // read or written
  creation,  // of the database
  document,  // one document: the feed document or a mapping
};

/// The words of a remedy need these names.
struct RemedyContext {
  std::string user;      // "" if none is configured
  std::string database;  // its name
  std::string password;  // where it comes from: a path, "~/.netrc"; never itself
};

/// Is a 403 with these words about our login or our rights, and not about the document that was
/// sent?
[[nodiscard]] bool speaks_of_rights(const ErrorWords& words);

/// What a person can do about a reply with `status` and `words`: "; the account is locked …". "" if
/// there is nothing to teach.
[[nodiscard]] std::string remedy(int status, const ErrorWords& words, Asked asked,
                                 const RemedyContext& context);

}  // namespace caravel::uploader
