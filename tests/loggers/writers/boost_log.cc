// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with Boost.Log's text file backend.
#include <boost/log/expressions.hpp>
#include <boost/log/sinks.hpp>
#include <boost/log/sources/logger.hpp>
#include <boost/log/sources/record_ostream.hpp>
#include <boost/log/utility/setup/file.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

namespace expressions = boost::log::expressions;
namespace keywords = boost::log::keywords;
namespace sinks = boost::log::sinks;

int main(int, char** arguments) {
  const std::string kind = arguments[1];
  const std::string folder = std::string(arguments[2]) + "/";
  const std::map<std::string, std::string> targets = {
      {"target", "app_%N.log"}, {"old", "app_%N.log"}, {"date", "app_%Y%m%d_%H%M%S_%N.log"}};

  auto backend = boost::make_shared<sinks::text_file_backend>(
      keywords::file_name = folder + (kind == "pattern" ? "app_%N.log" : "app.log"),
      keywords::rotation_size = std::strtoul(arguments[3], nullptr, 10),
      keywords::auto_flush = true);
  if (targets.count(kind)) backend->set_target_file_name_pattern(folder + targets.at(kind));
  if (kind == "old" || kind == "same") {
    backend->set_file_collector(
        sinks::file::make_collector(keywords::target = folder + (kind == "old" ? "old" : "")));
  }
  auto sink = boost::make_shared<sinks::synchronous_sink<sinks::text_file_backend>>(backend);
  sink->set_formatter(expressions::stream << expressions::smessage);
  boost::log::core::get()->add_sink(sink);

  boost::log::sources::logger logger;
  for (std::string line; std::getline(std::cin, line);) BOOST_LOG(logger) << line;
  // As a program does that is killed: at an orderly end the backend would rotate once more.
  std::_Exit(0);
}
