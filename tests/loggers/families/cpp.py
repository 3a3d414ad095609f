"""Loggers of C++, compiled when they are first needed."""
from kit import Logger, writer
from lines import Shape

PADDED = Shape("%s *")
# What glog writes at the start of each file.
GLOG = Shape("%s *", "(Log file created at|Running on machine|Running duration|Log line format).*")


def cpp(name, title, program, kind, header, logs=("app.log",), shape=Shape(), least=0, siblings=()):
    return Logger(name, title, writer(f"{program}.cc", kind, least=least), logs, siblings, shape=shape,
                  needs=("g++", f"/usr/include/{header}"))


def boost(name, title, kind, logs=("app.log",), siblings=()):
    return cpp(f"boost-{name}", f"Boost.Log {title}", "boost_log", kind, "boost/log/core.hpp", logs,
               siblings=siblings)


def poco(name, title, kind):
    return cpp(f"poco-{name}", f"Poco {title}", "poco", kind, "Poco/FileChannel.h")


LOGGERS = [
    cpp("spdlog", "spdlog 1.10 rotating", "spdlog", "rotating", "spdlog/spdlog.h"),
    cpp("spdlog-pattern", "spdlog, pattern app*.log", "spdlog", "rotating", "spdlog/spdlog.h", ("app*.log",)),
    boost("fixed", "1.74, fixed name", "fixed"),
    boost("target", "target app_N.log", "target"),
    boost("pattern", "app_%N.log (pattern)", "pattern", ("app_*.log",)),
    boost("old", "collector into old/", "old", siblings=("old/app_*.log",)),
    boost("same", "collector into the same directory", "same"),
    boost("date", "target with date", "date"),
    cpp("glog", "glog 0.6.0 symlink app.INFO", "glog", "log", "glog/logging.h", ("app.INFO",), GLOG, 1 << 20),
    cpp("glog-pattern", "glog, pattern", "glog", "log", "glog/logging.h", ("app.*.log.INFO.*",), GLOG,
        1 << 20),
    cpp("log4cplus", "log4cplus 2.0.8", "log4cplus", "rolling", "log4cplus/logger.h", shape=PADDED,
        least=200 * 1024),
    cpp("log4cxx", "log4cxx 1.0.0 RollingFileAppender", "log4cxx", "rolling", "log4cxx/logger.h"),
    cpp("log4cxx-time", "log4cxx TimeBasedRollingPolicy", "log4cxx", "time", "log4cxx/logger.h"),
    poco("number", "1.11 number", "number"),
    poco("compress", "number, compress", "compress"),
    poco("timestamp", "timestamp", "timestamp"),
    cpp("easylogging", "easylogging++ 9.97", "easylogging", "roll", "easylogging++.h"),
]
