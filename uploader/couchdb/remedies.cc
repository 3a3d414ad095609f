#include "uploader/couchdb/remedies.h"

#include <fmt/format.h>

namespace caravel::uploader {
namespace {

bool says(const ErrorWords& words, std::string_view part) {
  return words.reason.find(part) != std::string::npos;
}

bool says_no_member(const ErrorWords& words) {
  return says(words, "not allowed to access this db") ||
         says(words, "not authorized to access this db");
}

std::string whom(const RemedyContext& context) {
  return context.user.empty() ? "nobody (no user is configured)"
                              : fmt::format("the user '{}'", context.user);
}

std::string creation_remedy(const RemedyContext& context) {
  return fmt::format(
      "; only an admin of the server may create a database, and {} is none: let an admin create "
      "'{}' and make the user a member of it (_security)",
      whom(context), context.database);
}

std::string login_remedy(const RemedyContext& context) {
  if (context.user.empty()) {
    return "; the server wants a user: set user and password_file of this store";
  }
  return fmt::format("; check the user '{}' and its password ({}), which is read again by itself",
                     context.user, context.password);
}

std::string member_remedy(const RemedyContext& context) {
  return fmt::format("; {} is no member of the database '{}': add the user to its _security",
                     whom(context), context.database);
}

/// 401: CouchDB says it of a wrong login, and of a good one that has not the right.
std::string of_unauthorized(const ErrorWords& words, Asked asked, const RemedyContext& context) {
  if (says(words, "not a server admin") || says(words, "not a db or server admin")) {
    if (asked == Asked::creation) return creation_remedy(context);
    return fmt::format("; {} is no admin, and this needs one", whom(context));
  }
  if (says_no_member(words)) return member_remedy(context);
  return login_remedy(context);
}

/// 403: of a locked account (since CouchDB 3.4), a lack of rights, a validation function, or a
/// firewall that has never heard of CouchDB.
std::string of_forbidden(const ErrorWords& words, Asked asked, const RemedyContext& context) {
  if (says(words, "temporarily locked")) {
    return fmt::format(
        "; the server has locked {} after too many wrong passwords: put the right one into {}; "
        "the lock ends by itself after some minutes",
        whom(context), context.password);
  }
  if (says_no_member(words)) return member_remedy(context);
  if (words.error == "partition_overflow") {
    return "; the database is partitioned, and this feed's partition is full: use a database that "
           "is not partitioned";
  }
  if (words.error.empty()) {
    return "; these are not CouchDB's words: does a proxy or a firewall stand in between?";
  }
  if (asked == Asked::creation) return creation_remedy(context);
  if (asked == Asked::document) {
    return fmt::format(
        "; a validation function of the database '{}' refuses this document: let the function pass "
        "it (by its doc_type)",
        context.database);
  }
  return fmt::format(
      "; {} may not do this: make the user a member of the database '{}' "
      "(_security)",
      whom(context), context.database);
}

std::string of_missing(const ErrorWords& words, const RemedyContext& context) {
  if (words.error.empty()) {
    return "; these are not CouchDB's words: is the url of this store really a CouchDB server's "
           "root?";
  }
  return fmt::format(
      "; the database '{}' is missing: create it, or correct url and database of this store",
      context.database);
}

}  // namespace

bool speaks_of_rights(const ErrorWords& words) {
  return words.error != "forbidden" || says(words, "temporarily locked") || says_no_member(words);
}

std::string remedy(int status, const ErrorWords& words, Asked asked, const RemedyContext& context) {
  if (says_broken_rule(words.error) && status >= 400) {
    return fmt::format(
        "; a validation function of the database '{}' is broken: it may throw {{forbidden: …}} and "
        "{{unauthorized: …}} and nothing else. Mend the function, and this is sent again",
        context.database);
  }
  switch (status) {
    case 401:
      return of_unauthorized(words, asked, context);
    case 403:
      return of_forbidden(words, asked, context);
    case 404:
    case 410:
      return of_missing(words, context);
    case 405:
    case 415:
      return "; is this URL really a CouchDB server's root?";
    case 407:
      return "; a proxy in between wants a login: the loading host must reach the server without "
             "it";
    default:
      return {};
  }
}

}  // namespace caravel::uploader
