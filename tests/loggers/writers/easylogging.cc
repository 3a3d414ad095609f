// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with easylogging++, which rolls by
// emptying.
#include <easylogging++.h>

#include <iostream>
#include <string>

INITIALIZE_EASYLOGGINGPP

int main(int, char** arguments) {
  el::Configurations configurations;
  configurations.setGlobally(el::ConfigurationType::Filename,
                             std::string(arguments[2]) + "/app.log");
  configurations.setGlobally(el::ConfigurationType::Format, "%msg");
  configurations.setGlobally(el::ConfigurationType::ToStandardOutput, "false");
  configurations.setGlobally(el::ConfigurationType::MaxLogFileSize, arguments[3]);
  el::Loggers::addFlag(el::LoggingFlag::StrictLogFileSizeCheck);
  el::Loggers::reconfigureAllLoggers(configurations);
  for (std::string line; std::getline(std::cin, line);) LOG(INFO) << line;
}
