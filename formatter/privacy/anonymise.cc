#include "formatter/privacy/anonymise.h"

#include <utility>

#include <fmt/format.h>

#include "formatter/input/line_splitter.h"
#include "formatter/privacy/line_anonymiser.h"
#include "formatter/privacy/packer.h"

namespace caravel::formatter {
namespace {

/// A small file may unpack to any ratio: of so little, nobody can make a danger.
constexpr std::uint64_t kAnyRatioBelow = std::uint64_t{64} << 20;
/// How often a stop is noticed and progress told.
constexpr std::uint64_t kBytesBetweenLooks = 1 << 20;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// One run over one extract.
class Anonymising {
 public:
  Anonymising(Input& input, const AnonymiseRequest& request, const HashKeys& keys,
              const FormatMonitor& monitor)
      : input_(input),
        request_(request),
        monitor_(monitor),
        lines_(input, request.max_line),
        anonymiser_(request.format, request_.years, keys, request.accept_unterminated) {}

  Result<Anonymised> run(Packer& packer) {
    for (;;) {
      Line line;
      auto more = lines_.next(line);
      if (!more && more.error().kind == ErrorKind::content) {
        result_.damage = std::move(more).error();
        break;
      }
      if (!more) return tl::unexpected(std::move(more).error());
      if (!*more) break;
      CARAVEL_TRY(take(line, packer));
      if (lines_.bytes() >= next_look_) CARAVEL_TRY(look_around());
      if (result_.damage) break;
    }
    CARAVEL_TRY(packer.finish());
    if (!result_.damage) result_.original = input_.digests();
    result_.removed = anonymiser_.removed();
    result_.forgotten = anonymiser_.forgotten();
    result_.forgotten_day = anonymiser_.forgotten_day();
    return std::move(result_);
  }

 private:
  Result<> take(Line& line, Packer& packer) {
    // The splitter skips the mark; the copy has it again, so that it counts in offsets as before.
    if (line.number == 1 && line.offset == kByteOrderMark.size() && !std::exchange(begun_, true)) {
      CARAVEL_TRY(packer.add(kByteOrderMark));
    }
    if (!line.oversized || line.last_piece) ++result_.lines;
    const bool terminated = line.terminated;
    CARAVEL_ASSIGN_OR_RETURN(const auto text, anonymiser_.rewrite(line));
    gathered_.assign(text);
    if (terminated && (!line.oversized || line.last_piece)) gathered_.push_back('\n');
    return packer.add(gathered_);
  }

  Result<> look_around() {
    next_look_ = lines_.bytes() + kBytesBetweenLooks;
    if (monitor_.on_progress) monitor_.on_progress(input_.packed_bytes());
    if (monitor_.stop != nullptr && monitor_.stop->requested()) {
      return fail(ErrorKind::stopped, "stopped");
    }
    const std::uint64_t unpacked = lines_.bytes();
    const bool too_large = unpacked > request_.max_unpacked;
    // Not a product, which could overflow.
    const bool bomb =
        unpacked > kAnyRatioBelow && unpacked / request_.max_ratio > input_.packed_size();
    if (too_large || bomb) {
      result_.damage =
          Error{ErrorKind::content, too_large ? "unpacks to more bytes than max_unpacked"
                                              : "unpacks to more times its size than max_ratio"};
    }
    return {};
  }

  Input& input_;
  const AnonymiseRequest& request_;
  const FormatMonitor& monitor_;
  LineSplitter lines_;
  LineAnonymiser anonymiser_;
  Anonymised result_;
  std::string gathered_;
  std::uint64_t next_look_ = kBytesBetweenLooks;
  bool begun_ = false;
};

}  // namespace

Result<Anonymised> anonymise_extract(Input& input, const AnonymiseRequest& request,
                                     const HashKeys& keys, Output& output,
                                     const FormatMonitor& monitor) {
  CARAVEL_ASSIGN_OR_RETURN(
      auto packer, Packer::open(request.plain ? Input::Packing::none : input.packing(), output));
  Anonymising anonymising(input, request, keys, monitor);
  CARAVEL_ASSIGN_OR_RETURN(auto result, anonymising.run(packer));
  CARAVEL_TRY(output.flush());
  return result;
}

}  // namespace caravel::formatter
