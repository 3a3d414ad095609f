// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with log4cplus' RollingFileAppender.
#include <log4cplus/fileappender.h>
#include <log4cplus/initializer.h>
#include <log4cplus/layout.h>
#include <log4cplus/logger.h>
#include <log4cplus/loggingmacros.h>

#include <cstdlib>
#include <iostream>
#include <string>

int main(int, char** arguments) {
  log4cplus::Initializer initializer;
  log4cplus::SharedAppenderPtr appender(new log4cplus::RollingFileAppender(
      std::string(arguments[2]) + "/app.log", std::atol(arguments[3]), 5000));
  appender->setLayout(std::make_unique<log4cplus::PatternLayout>("%m%n"));
  log4cplus::Logger logger = log4cplus::Logger::getRoot();
  logger.addAppender(appender);
  const std::string pad(std::strtoul(arguments[5], nullptr, 10), ' ');
  for (std::string line; std::getline(std::cin, line);) LOG4CPLUS_INFO(logger, line + pad);
}
