#include "watcher/manual/pages.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "watcher/manual/roff.h"

namespace caravel::watcher {
namespace {

using Json = nlohmann::ordered_json;

Roff page_of(std::string_view name, char section, std::string_view about, const Edition& edition) {
  Roff page(name, section, edition.date, edition.source());
  page.name(name, about);
  return page;
}

void add_options(Roff& page, const std::vector<OptionHelp>& options) {
  page.heading("OPTIONS");
  for (const OptionHelp& option : options) page.tagged(option.head(), option.help, true);
}

/// The help of a command: lines are joined to paragraphs; "word  explanation", with two blanks
/// between and lines indented below, is a tagged paragraph.
void add_help(Roff& page, std::string_view help) {
  std::string tag;
  std::string text;
  const auto end_paragraph = [&] {
    if (!tag.empty()) {
      page.tagged(tag, text, true);
    } else if (!text.empty()) {
      page.paragraph(text);
    }
    tag.clear();
    text.clear();
  };
  while (!help.empty()) {
    std::string_view line = help.substr(0, help.find('\n'));
    help.remove_prefix(std::min(line.size() + 1, help.size()));
    const std::size_t gap = line.find("  ");
    const std::size_t begin = line.find_first_not_of(' ');
    if (line.empty()) {
      end_paragraph();
      continue;
    }
    if (begin == 0 && gap != std::string_view::npos) {
      end_paragraph();
      tag = line.substr(0, gap);
      line = line.substr(line.find_first_not_of(' ', gap));
    } else {
      line = line.substr(begin);
    }
    if (!text.empty()) text += ' ';
    text += line;
  }
  end_paragraph();
}

void add_see_also(Roff& page, const std::vector<std::string>& others) {
  page.heading("SEE ALSO");
  page.paragraph(fmt::format("{}", fmt::join(others, ", ")));
}

/// "`rows`, `feed` or `both`", "a size: …", or nothing.
std::string values_of(const Json& key, const Json& schema) {
  std::string out;
  const auto append = [&out](const Json& value) {
    if (!value.is_null()) {
      out += fmt::format("{}`{}`", out.empty() ? "" : ", ",
                         value.is_string() ? value.get<std::string>() : value.dump());
    }
  };
  for (const Json& value : key.value("enum", Json::array())) append(value);
  for (const Json& other : key.value("allOf", Json::array())) {
    const std::string name = other.value("$ref", "");
    const Json& definitions = schema["definitions"];
    const auto found = definitions.find(name.substr(name.rfind('/') + 1));
    if (found != definitions.end() && found->contains("description")) {
      out += (*found)["description"].get<std::string>();
    }
  }
  if (key.value("type", Json()) == "boolean") out = "`true`, `false`.";
  // What beside an environment variable may stand there.
  if (key.contains("anyOf")) return values_of(key["anyOf"][0], schema);
  return out;
}

void add_keys(Roff& page, const Json& section, const Json& schema) {
  for (const auto& [name, key] : section["properties"].items()) {
    const std::string description = key.value("description", "");
    const std::string values = values_of(key, schema);
    page.tagged(name, description + (description.empty() || values.empty() ? "" : " ") + values,
                true);
  }
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    lines.push_back(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
  }
  return lines;
}

}  // namespace

std::string program_page(const DescribedProgram& program, const Edition& edition) {
  Roff page = page_of(program.name, '1', program.about, edition);
  page.heading("SYNOPSIS");
  page.paragraph("`caravel` *COMMAND* [*options*]");
  page.heading("DESCRIPTION");
  page.paragraph(
      "Caravel takes the growing logs of hosts and turns them into rows of a database: no line "
      "lost, none stored twice. A piece of a log, an *extract*, is dropped into a directory; "
      "Caravel waits until it is whole, turns each line into a typed row by a *format*, stores the "
      "rows, and puts the extract away. Lines that it cannot read are kept, each with the reason.");
  page.heading("COMMANDS");
  for (const DescribedCommand& command : program.commands) {
    page.tagged(fmt::format("`caravel-{}`(1)", command.name), command.about, false);
  }
  add_options(page, program.options);
  page.heading("EXIT STATUS");
  page.tagged("0", "all well", true);
  page.tagged("1", "something failed", true);
  page.tagged("2", "the command line or the configuration is wrong", true);
  page.tagged("3", "done, but with rejects", true);
  page.heading("ENVIRONMENT");
  page.tagged("CARAVEL_CONFIG", "the configuration, if `--config` names none", true);
  page.tagged("CREDENTIALS_DIRECTORY",
              "where passwords of stores are looked for: see systemd.exec(5)", true);
  page.tagged("NO_COLOR", "if it is not empty, output has no colours", true);
  page.heading("FILES");
  page.tagged("/etc/caravel/caravel.yaml", "the configuration", true);
  page.tagged("/var/spool/caravel", "the spool: drop/, work/, done/, rejects/, failed/", true);
  page.tagged("/var/lib/caravel/ledger.db", "what became of each extract", true);
  page.tagged("/usr/share/caravel/formats", "the formats that come with the program", true);
  std::vector<std::string> others = {"`caravel.yaml`(5)", "`caravel-formats`(5)",
                                     "`caravel-tail`(1)"};
  add_see_also(page, others);
  return page.text();
}

std::string command_page(const DescribedProgram& program, const DescribedCommand& command,
                         const Edition& edition) {
  Roff page =
      page_of(fmt::format("{}-{}", program.name, command.name), '1', command.about, edition);
  page.heading("SYNOPSIS");
  page.paragraph(fmt::format("`{} {}` {}", program.name, command.name, command.usage));
  page.heading("DESCRIPTION");
  add_help(page, command.help);
  add_options(page, command.options);
  page.heading("EXIT STATUS");
  page.paragraph(
      "0 all well, 1 something failed, 2 usage or configuration, 3 done, but with "
      "rejects.");
  add_see_also(page, {"`caravel`(1)", "`caravel.yaml`(5)", "`caravel-formats`(5)"});
  return page.text();
}

std::string tail_page(const DescribedProgram& program, std::string_view manual,
                      const Edition& edition) {
  const DescribedCommand& command = program.commands.front();
  Roff page = page_of(program.name, '1', program.about, edition);
  page.heading("SYNOPSIS");
  page.paragraph(fmt::format("`{}` {}", program.name, command.usage));
  page.heading("DESCRIPTION");
  page.paragraph(
      "Follows logs and cuts what is appended to them into extracts: files of whole lines, each "
      "with a manifest, for a loading host to fetch or to be sent. *LOG* is a path or a quoted "
      "pattern.");
  add_options(page, command.options);
  page.heading("EXIT STATUS");
  page.paragraph("0 well, 1 something failed, 2 usage.");
  page.heading("FILES");
  page.tagged("/etc/caravel-tail/NAME.conf",
              "the options of the service caravel-tail@NAME, one a line", true);
  page.tagged("/var/spool/caravel-tail", "the outbox", true);
  page.tagged("/var/lib/caravel-tail/state", "what was read so far", true);
  add_markdown(page, manual);
  add_see_also(page, {"`caravel`(1)"});
  return page.text();
}

std::string script_page(const std::string& name, std::string_view script, const Edition& edition) {
  std::string text;
  for (const std::string_view line : split_lines(script)) {
    if (line.starts_with("#!")) continue;
    if (!line.starts_with('#')) break;
    // A line that is indented is code for Markdown too, if by four blanks.
    const std::string_view words = line.substr(std::min<std::size_t>(2, line.size()));
    if (words.starts_with("  ")) text += "  ";
    (text += words) += '\n';
  }
  Roff page = page_of(name, '1', "sends an extract of caravel-tail to another host", edition);
  page.heading("DESCRIPTION");
  add_markdown(page, text);
  add_see_also(page, {"`caravel-tail`(1)"});
  return page.text();
}

Result<std::string> config_page(const std::string& schema_text, std::string_view example,
                                const Edition& edition) {
  const Json schema = Json::parse(schema_text, nullptr, false);
  if (schema.is_discarded() || !schema.contains("properties") || !schema.contains("definitions")) {
    return fail(ErrorKind::content, "the schema of the configuration cannot be read");
  }
  Roff page = page_of("caravel.yaml", '5', "the configuration of Caravel", edition);
  page.heading("DESCRIPTION");
  page.paragraph(
      "A YAML file that names a *spool* (where files are), *stores* (where rows go) and *feeds* "
      "(which files, by which format, into which store). It is read from `--config` *FILE*, else "
      "from *$CARAVEL_CONFIG*, else from `/etc/caravel/caravel.yaml`. Relative paths are relative "
      "to its folder. `caravel check` tries a change, `systemctl reload caravel` puts it to work.");
  page.paragraph("The least that works is:");
  page.verbatim({"feeds: {hrt: {}}"});
  page.heading("KEYS");
  add_keys(page, schema, schema);
  const Json& definitions = schema["definitions"];
  // A definition with keys of its own is a section, or a kind of one.
  for (const auto& [name, definition] : definitions.items()) {
    if (!definition.contains("properties") || name == "store") continue;
    page.heading(name == "feed" ? "A FEED: feeds.NAME"
                 : definition["properties"].contains("type")
                     ? fmt::format("A STORE OF TYPE {}: stores.NAME", name)
                     : name);
    add_keys(page, definition, schema);
  }
  page.heading("EVERY KEY, EXPLAINED");
  page.verbatim(split_lines(example));
  add_see_also(page, {"`caravel`(1)", "`caravel-check`(1)", "`caravel-formats`(5)"});
  return page.text();
}

std::string formats_page(std::string_view manual, const Edition& edition) {
  Roff page = page_of("caravel-formats", '5', "how one line of an extract becomes a row", edition);
  page.heading("DESCRIPTION");
  add_markdown(page, manual);
  add_see_also(page, {"`caravel`(1)", "`caravel-format`(1)", "`caravel.yaml`(5)"});
  return page.text();
}

}  // namespace caravel::watcher
