// The other direction of Input: bytes written plain, as gzip (RFC 1952) or as zstd (RFC 8878).
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"
#include "formatter/input/input.h"
#include "formatter/output/output.h"

namespace caravel::formatter {

/// Packs in constant memory. The same bytes give the same file, as long as the library is the same:
/// no time and no name is written. Errors: kind retry if there is no memory.
class Packer {
 public:
  /// `output` must outlive it, and is flushed by whoever has it.
  [[nodiscard]] static Result<Packer> open(Input::Packing packing, Output& output);

  Packer(Packer&&) noexcept;
  Packer& operator=(Packer&&) noexcept;
  ~Packer();

  [[nodiscard]] Result<> add(std::string_view bytes);
  /// Once, behind the last byte: what is packed ends here.
  [[nodiscard]] Result<> finish();

 private:
  class Stream;
  class Plain;
  class Gzip;
  class Zstd;

  explicit Packer(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

}  // namespace caravel::formatter
