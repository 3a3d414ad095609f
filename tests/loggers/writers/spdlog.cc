// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with spdlog's rotating file.
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <iostream>
#include <string>

int main(int, char** arguments) {
  auto logger = spdlog::rotating_logger_mt("app", std::string(arguments[2]) + "/app.log",
                                           std::strtoul(arguments[3], nullptr, 10), 5000);
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::info);
  for (std::string line; std::getline(std::cin, line);) logger->info("{}", line);
}
