// Which names can be those of a log's rotated files. Names only: whether such a file is there, and
// whether its times fit, is for others to see (follow/log_files.h).
//
//   app.log.1  app.log.2.gz  app.log.old     a count (logrotate), compressed or not
//   app.log-20240131  app-20240131.log       a date behind the name, or before its extension
//   app.1.log  app__2024-01-31.log           a count before its extension; two separators
//   app.log.O                                cups
//   20240131-1010-01-app.log                 a date in front
//   @4000000065….s  of `current`             multilog, svlogd, s6-log
//   app.log.3 of app.log.0,  app1.log        doubtful: such a name may be another program's log
//   app.log.part  app.log.swp                none
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace caravel::tail {

/// What gzip, xz and others put behind a name, as the name has it (".gz"); empty if it has none.
[[nodiscard]] std::string_view packed_suffix(std::string_view name);
[[nodiscard]] inline bool is_packed(std::string_view name) { return !packed_suffix(name).empty(); }

/// What stands for the rotation in a name that can be a rotation of `base`: "1" for "app.log.1",
/// "20240131" for "app-20240131.log" and "app.log-20240131.gz", "old" for "app.log.old"; nothing
/// for other names. These names are safe enough for a pattern's matches too (bases_of()).
[[nodiscard]] std::optional<std::string_view> rotation_of(std::string_view name,
                                                          std::string_view base);

/// All names of which `name` can be a rotation, in the sense of rotation_of().
[[nodiscard]] std::vector<std::string> bases_of(std::string_view name);

/// What the times of a file must show before it is taken for a log's (follow/writing_chain.h); two
/// programs' logs are as a rule written at the same time.
enum class Proof {
  none,   // the name is enough
  gap,    // it was written before the log's other files or after them, never meanwhile
  touch,  // besides, one of them was begun just when the other fell still
};
/// A name that can be a rotated file's of one certain log.
struct Kin {
  std::string rotation;  // what stands for the rotation
  Proof proof = Proof::none;
};
/// As rotation_of(), with the names that only a log which is named itself takes for its own.
[[nodiscard]] std::optional<Kin> kin_of(std::string_view name, std::string_view base);
/// The same; a name of one of these shapes (shape_of()) can be one of the log's too.
[[nodiscard]] std::optional<Kin> kin_of(std::string_view name, std::string_view base,
                                        const std::vector<std::string>& shapes);

/// Whether the rotation is surely a date, of this century or the last; any other may be a number.
[[nodiscard]] bool is_date(std::string_view rotation);

/// The name with a '#' for each run of digits, without a compressor's suffix: "app.#.log" for
/// "app.12.log.gz". Names of one shape are made by one program that counts or dates its files.
/// Empty if there are no digits to tell them apart.
[[nodiscard]] std::string shape_of(std::string_view name);
/// What differs among names of one shape: from the first digit to the last.
[[nodiscard]] std::string_view digits_of(std::string_view name);

}  // namespace caravel::tail
