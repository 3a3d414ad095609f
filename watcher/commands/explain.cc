// caravel explain
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "base/file.h"
#include "base/text.h"
#include "formatter/input/input.h"
#include "uploader/store.h"
#include "watcher/commands/setup.h"
#include "watcher/files/absolute_path.h"
#include "watcher/ledger/history.h"
#include "watcher/ledger/ledger.h"
#include "watcher/report/explain.h"
#include "watcher/service/console.h"

namespace caravel::watcher {
namespace {

/// What a person asks for.
struct Question {
  std::string what;
  bool is_file = false;  // `what` is the path of a file that is there
  /// The feed that `what` names, if it has the shape of a document's id: a row's begins with its
  /// feed, a feed document's with "feed:<feed>".
  std::string feed;

  [[nodiscard]] bool is_document() const { return !feed.empty(); }
  [[nodiscard]] std::string name() const { return std::filesystem::path(what).filename().string(); }
};

Question question_of(const std::string& what) {
  Question question;
  question.what = what;
  std::error_code error;
  question.is_file = std::filesystem::is_regular_file(what, error);
  const std::string body = what.starts_with("feed:") ? what.substr(5) : what;
  const std::size_t colon = body.find(':');
  // A file that is there is meant as a file, even if its name has a colon.
  if (!question.is_file && colon != std::string::npos) question.feed = body.substr(0, colon);
  return question;
}

/// SHA-256 of a file as it is.
Result<std::string> sha256_of(const std::string& path) {
  CARAVEL_ASSIGN_OR_RETURN(auto fd, open_file(path, O_RDONLY | O_NONBLOCK));
  CARAVEL_ASSIGN_OR_RETURN(auto input, formatter::Input::open(std::move(fd), {}));
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    CARAVEL_ASSIGN_OR_RETURN(auto got, input.read(chunk.data(), chunk.size()));
    // The digest of the bytes as they came, packed or not: that is what the ledger has.
    if (got == 0) return input.digests().packed;
  }
}

bool is_sha256_prefix(const std::string& text) {
  constexpr std::size_t kLeast = 8;  // fewer digits are too often the name of something else
  constexpr std::size_t kAll = 64;
  return text.size() >= kLeast && text.size() <= kAll && is_hex(text, text.size());
}

/// A file that is there: by its path, else by its content, else by its name.
Result<std::vector<Extract>> find_by_file(Ledger& ledger, const Question& question) {
  const auto path = absolute_path(question.what);
  // The path is the surest: several files may have one content, or one name.
  CARAVEL_ASSIGN_OR_RETURN(auto by_path, ledger.history().find_name(path));
  if (!by_path.empty()) return by_path;
  if (const auto sha256 = sha256_of(question.what)) {
    CARAVEL_ASSIGN_OR_RETURN(auto by_content, ledger.history().find_sha256(*sha256));
    if (!by_content.empty()) return by_content;
  }
  // The file may have changed since it was loaded: then only its name is left to ask by.
  return ledger.history().find_name(question.name());
}

Result<std::vector<Extract>> find_extracts(Ledger& ledger, const Question& question) {
  if (question.is_file) return find_by_file(ledger, question);
  CARAVEL_ASSIGN_OR_RETURN(auto by_name, ledger.history().find_name(question.what));
  // A name may consist of hex digits: as a name it goes before a digest.
  if (!by_name.empty() || !is_sha256_prefix(question.what)) return by_name;
  return ledger.history().find_sha256(question.what);
}

/// What is known of something that the ledger has no extract of; "" if nothing is.
Result<std::string> explain_absent(Ledger& ledger, const Config& config, const Question& question,
                                   Time now) {
  // The surest answer first. explain_log() is last, because a mere file name may be that of a log.
  CARAVEL_ASSIGN_OR_RETURN(std::string text, explain_left_alone(ledger, question.name()));
  if (text.empty()) text = explain_manifest(ledger, config, question.name());
  if (text.empty()) text = explain_missing(ledger, config, question.name(), now);
  if (text.empty()) text = explain_log(ledger, question.what, question.is_file, now);
  return text;
}

/// Prints the document as its store has it, then the line and the extract that it came from.
Result<int> run_for_document(const Config& config, Ledger& ledger, const FeedConfig& feed,
                             const std::string& id) {
  const auto store = uploader::make_store(*config.find_store(feed.store));
  CARAVEL_ASSIGN_OR_RETURN(auto found, store->find(id));
  if (!found) {
    say("{}: the store {} has no such document", id, feed.store);
    return kExitFailed;
  }
  CARAVEL_TRY(print(found->text + "\n"));
  found->id = id;
  CARAVEL_ASSIGN_OR_RETURN(
      const std::string text,
      explain_document(ledger, config, *found, std::chrono::system_clock::now()));
  CARAVEL_TRY(print(text));
  return kExitGood;
}

Result<int> run_explain(const CommandCall& call) {
  if (call.arguments.operands.empty()) {
    return fail(ErrorKind::usage, "explain: names no file and no document");
  }
  const Question question = question_of(call.arguments.operands.front());
  CARAVEL_ASSIGN_OR_RETURN(
      const Settings settings,
      load_settings(call, question.is_document() ? Secrets::read : Secrets::leave));
  const Config& config = settings.config;
  CARAVEL_ASSIGN_OR_RETURN(auto ledger, open_ledger_to_ask(config));
  // Where the part before the colon names no feed, a file may be meant after all.
  if (const FeedConfig* const feed = config.find_feed(question.feed)) {
    return run_for_document(config, ledger, *feed, question.what);
  }
  const Time now = std::chrono::system_clock::now();
  CARAVEL_ASSIGN_OR_RETURN(const auto extracts, find_extracts(ledger, question));
  if (!extracts.empty()) {
    CARAVEL_TRY(print(explain_extracts(ledger, settings.config.spool, extracts, now)));
    return kExitGood;
  }
  CARAVEL_ASSIGN_OR_RETURN(const std::string text, explain_absent(ledger, config, question, now));
  if (text.empty()) {
    say("{}: the ledger knows no such file{}", question.what,
        question.is_file ? " and none with its content: it was never taken" : "");
    return kExitFailed;
  }
  CARAVEL_TRY(print(text));
  return kExitGood;
}

}  // namespace

Command explain_command() {
  return {.name = "explain",
          .about = "where a file or a document came from, where it is, why",
          .usage = "FILE|DOC_ID",
          .help =
              "Where a file is and why, or which extract and line a document came from. FILE is\n"
              "a name, a path, or the first digits of a SHA-256, or a log that is captured;\n"
              "DOC_ID is the _id of a row or feed document.",
          .operands = Operands::one,
          .run = run_explain};
}

}  // namespace caravel::watcher
