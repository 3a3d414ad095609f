// The program around its commands: which one is meant, what it is called with, what comes out.
#include <gmock/gmock.h>

#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "watcher/commands/command.h"

namespace caravel::watcher {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Prints what it was called with.
Result<int> print_call(const CommandCall& call) {
  fmt::print("config {}; operands {}", call.config.value_or("(none)"),
             fmt::join(call.arguments.operands, ","));
  for (const auto& [name, given] : call.arguments.options) fmt::print("; {}={}", name, given);
  std::fflush(stdout);
  return kExitRejects;
}

std::vector<Command> Commands() {
  return {{.name = "load",
           .about = "load files",
           .usage = "[options] FILE…",
           .help = "Loads files.",
           .options = {value("year,y=YEAR", "the year"), flag("dry-run", "only say")},
           .operands = Operands::many,
           .run = print_call},
          {.name = "follow",
           .about = "follow a log",
           .usage = "LOG",
           .help = "Follows.",
           .options = {flag("own", "of another parser")},
           .operands = Operands::unparsed,
           .run = print_call},
          {.name = "look",
           .about = "look at nothing",
           .help = "Takes nothing.",
           .run = [](const CommandCall&) -> Result<int> {
             return fail(ErrorKind::retry, "the disk is full");
           }},
          {.name = "read",
           .about = "read one file",
           .help = "Takes one.",
           .operands = Operands::one,
           .run = [](const CommandCall& call) -> Result<int> {
             CARAVEL_TRY(call.arguments.year());
             return fail(ErrorKind::usage, "which file?");
           }}};
}

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran RunProgram(const std::vector<std::string>& arguments) {
  StopSignal stop;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_program(Commands(), {}, arguments, stop);
  std::fflush(stdout);
  std::fflush(stderr);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(Program, GivesACommandWhatStoodOnTheLine) {
  const struct {
    std::vector<std::string> arguments;
    const char* call;
  } cases[] = {
      {{"load"}, "config (none); operands "},
      {{"load", "a", "--year", "2012", "b"}, "config (none); operands a,b; year=2012"},
      {{"load", "-y", "2012", "--dry-run"}, "config (none); operands ; dry-run=; year=2012"},
      {{"load", "--", "--year"}, "config (none); operands --year"},
      // The configuration may be named before the command and behind it.
      {{"--config", "c.yaml", "load", "a"}, "config c.yaml; operands a"},
      {{"load", "a", "--config=c.yaml"}, "config c.yaml; operands a"},
      // Another parser's arguments are passed on as they stand.
      {{"follow", "--own", "x", "--", "--help"}, "config (none); operands --own,x,--,--help"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(c.arguments, " ")));
    const Ran ran = RunProgram(c.arguments);
    EXPECT_EQ(ran.code, kExitRejects);
    EXPECT_EQ(ran.out, c.call);
    EXPECT_EQ(ran.err, "");
  }
}

TEST(Program, SaysInOneLineWhatIsWrongWithTheCommandLine) {
  const struct {
    std::vector<std::string> arguments;
    const char* message;
  } cases[] = {
      {{"laod"}, "unknown command 'laod'; did you mean 'load'?; `caravel --help` lists them"},
      {{"zzzzzzzz"}, "unknown command 'zzzzzzzz'; `caravel --help` lists them"},
      {{"load", "--yaer", "1"}, "unknown option --yaer; did you mean --year?"},
      {{"load", "--config"}, "--config: names no file"},
      {{"look", "a"}, "'a': this command takes no files"},
      {{"read", "a", "b"}, "'b': this command takes one argument only"},
      {{"read"}, "which file?"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(c.arguments, " ")));
    const Ran ran = RunProgram(c.arguments);
    EXPECT_EQ(ran.code, kExitUsage);
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(ran.err, fmt::format("caravel: {}\n", c.message));
  }
}

TEST(Program, AnAbbreviatedOptionIsUnknown) {
  EXPECT_THAT(RunProgram({"load", "--dry"}).err, StartsWith("caravel: unknown option --dry"));
}

TEST(Program, AnErrorThatIsNoMistakeOfThePersonHasAnotherExitCode) {
  const Ran ran = RunProgram({"look"});
  EXPECT_EQ(ran.code, kExitFailed);
  EXPECT_EQ(ran.err, "caravel: the disk is full\n");
}

TEST(Program, HelpListsTheCommandsInTheirOrder) {
  const Ran ran = RunProgram({"--help"});
  EXPECT_EQ(ran.code, kExitGood);
  EXPECT_THAT(ran.out, HasSubstr("none twice.\n\nCommands:\n"
                                 "  load      load files\n"
                                 "  follow    follow a log\n"
                                 "  look      look at nothing\n"
                                 "  read      read one file\n\n"));
  EXPECT_EQ(RunProgram({"help"}).out, ran.out);
  // Without a command the help is an answer to a mistake.
  const Ran without = RunProgram({});
  EXPECT_EQ(without.code, kExitUsage);
  EXPECT_EQ(without.err, ran.out);
}

TEST(Program, HelpOfACommandNamesItsOptions) {
  const Ran ran = RunProgram({"load", "--help", "--year", "x"});
  EXPECT_EQ(ran.code, kExitGood);
  EXPECT_THAT(
      ran.out,
      AllOf(StartsWith("Usage: caravel load [options] FILE…\n\nLoads files.\n\nOptions:\n"),
            HasSubstr("\n  -y, --year YEAR      the year\n"), HasSubstr("\n  --dry-run "),
            EndsWith("  --config FILE        the configuration; else $CARAVEL_CONFIG, else\n"
                     "                       /etc/caravel/caravel.yaml\n"
                     "  -h, --help           this text\n")));
  EXPECT_THAT(RunProgram({"follow", "-h"}).out,
              StartsWith("Usage: caravel follow LOG\n\nFollows.\n\nOptions:\n"
                         "  --own                of another parser\n"));
  EXPECT_THAT(RunProgram({"look", "-h"}).out,
              StartsWith("Usage: caravel look\n\nTakes nothing.\n"));
}

TEST(Arguments, AYearIsFromOneToNineThousand) {
  const auto year_of = [](const std::string& text) {
    return Arguments{.options = {{"year", text}}}.year();
  };
  EXPECT_EQ(Arguments{}.year().value(), std::nullopt);
  EXPECT_EQ(year_of("2012").value(), std::chrono::year(2012));
  for (const char* const wrong : {"0", "10000", "x", "2012x", "-1", ""}) {
    SCOPED_TRACE(wrong);
    ASSERT_FALSE(year_of(wrong).has_value());
    EXPECT_EQ(year_of(wrong).error().message,
              fmt::format("--year {}: is no year from 1 to 9999", wrong));
  }
}

}  // namespace
}  // namespace caravel::watcher
