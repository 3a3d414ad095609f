// caravel-manual: writes the manual pages and the completion of the programs into a folder, when
// they are built. It is not installed.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "watcher/all_commands.h"
#include "watcher/manual/completion.h"
#include "watcher/manual/pages.h"
#include "watcher/service/console.h"

namespace {

namespace fs = std::filesystem;
using namespace caravel;
using namespace caravel::watcher;

constexpr std::size_t kMostBytes = 4 << 20;

/// Writes files below one folder.
class Output {
 public:
  explicit Output(fs::path folder) : folder_(std::move(folder)) {}

  Result<> write(const std::string& name, const std::string& text) const {
    std::error_code error;
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path(), error);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    return file ? Result<>() : fail(ErrorKind::retry, path.string() + ": cannot be written");
  }
  Result<> write_completion(const DescribedProgram& program) const {
    CARAVEL_TRY(write("bash/" + program.name, bash_completion(program)));
    CARAVEL_TRY(write("zsh/_" + program.name, zsh_completion(program)));
    return write("fish/" + program.name + ".fish", fish_completion(program));
  }

 private:
  fs::path folder_;
};

Result<> write_all_pages(const fs::path& source, const Output& output, const Edition& edition) {
  const std::vector<Command> commands = all_commands();
  const DescribedProgram caravel = describe_caravel(commands);
  const DescribedProgram tail = describe_tail();
  const auto text_of = [&](const char* name) {
    return read_file((source / name).string(), kMostBytes);
  };
  CARAVEL_ASSIGN_OR_RETURN(const auto tail_manual, text_of("docs/tail.md"));
  CARAVEL_ASSIGN_OR_RETURN(const auto formats, text_of("docs/formats.md"));
  CARAVEL_ASSIGN_OR_RETURN(const auto schema, text_of("etc/schema/caravel.schema.json"));
  CARAVEL_ASSIGN_OR_RETURN(const auto example, text_of("etc/caravel.yaml"));
  CARAVEL_ASSIGN_OR_RETURN(const auto config, config_page(schema, example, edition));
  CARAVEL_TRY(output.write("man/man1/caravel.1", program_page(caravel, edition)));
  for (const DescribedCommand& command : caravel.commands) {
    CARAVEL_TRY(output.write("man/man1/caravel-" + command.name + ".1",
                             command_page(caravel, command, edition)));
  }
  CARAVEL_TRY(output.write("man/man1/caravel-tail.1", tail_page(tail, tail_manual, edition)));
  for (const std::string script : {"send-scp", "send-rsync"}) {
    CARAVEL_ASSIGN_OR_RETURN(const auto text, text_of(("scripts/" + script).c_str()));
    CARAVEL_TRY(output.write("man/man1/" + script + ".1", script_page(script, text, edition)));
  }
  CARAVEL_TRY(output.write("man/man5/caravel.yaml.5", config));
  CARAVEL_TRY(output.write("man/man5/caravel-formats.5", formats_page(formats, edition)));
  CARAVEL_TRY(output.write_completion(caravel));
  return output.write_completion(tail);
}

}  // namespace

/// caravel-manual SOURCE OUTPUT VERSION DATE
int main(int argc, char** argv) {
  if (argc != 5) {
    say("usage: caravel-manual SOURCE OUTPUT VERSION DATE");
    return kExitUsage;
  }
  const auto written = write_all_pages(argv[1], Output(argv[2]), {argv[4], argv[3]});
  return written ? kExitGood : report_error(written.error());
}
