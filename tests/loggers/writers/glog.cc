// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with glog, which knows megabytes only.
#include <glog/logging.h>

#include <cstdlib>
#include <iostream>
#include <string>

int main(int, char** arguments) {
  FLAGS_log_dir = arguments[2];
  FLAGS_max_log_size = std::atoi(arguments[3]) >> 20;
  FLAGS_log_prefix = false;
  FLAGS_logbufsecs = 0;
  FLAGS_logbuflevel = -1;
  google::InitGoogleLogging("app");
  const std::string pad(std::strtoul(arguments[5], nullptr, 10), ' ');
  for (std::string line; std::getline(std::cin, line);) LOG(INFO) << line << pad;
}
