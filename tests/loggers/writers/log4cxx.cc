// KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with log4cxx' rolling appenders.
#include <log4cxx/helpers/properties.h>
#include <log4cxx/logger.h>
#include <log4cxx/propertyconfigurator.h>

#include <iostream>
#include <string>

int main(int, char** arguments) {
  const std::string log = std::string(arguments[2]) + "/app.log";
  log4cxx::helpers::Properties properties;
  const auto set = [&](const std::string& name, const std::string& value) {
    properties.setProperty(log4cxx::LogString(name), log4cxx::LogString(value));
  };
  set("log4j.rootLogger", "INFO, app");
  set("log4j.appender.app.File", log);
  set("log4j.appender.app.layout", "org.apache.log4j.PatternLayout");
  set("log4j.appender.app.layout.ConversionPattern", "%m%n");
  if (std::string(arguments[1]) == "time") {
    set("log4j.appender.app", "org.apache.log4j.rolling.RollingFileAppender");
    set("log4j.appender.app.rollingPolicy", "org.apache.log4j.rolling.TimeBasedRollingPolicy");
    set("log4j.appender.app.rollingPolicy.FileNamePattern", log + ".%d{yyyyMMdd-HHmmss}");
  } else {
    set("log4j.appender.app", "org.apache.log4j.RollingFileAppender");
    set("log4j.appender.app.MaxFileSize", arguments[3]);
    set("log4j.appender.app.MaxBackupIndex", "5000");
  }
  log4cxx::PropertyConfigurator::configure(properties);
  auto logger = log4cxx::Logger::getRootLogger();
  for (std::string line; std::getline(std::cin, line);) LOG4CXX_INFO(logger, line);
}
