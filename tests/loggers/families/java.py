"""Loggers of the JVM."""
from kit import Logger, writer

JAVA = ("java", "javac")


def java(name, title, program, kind, logs=("app.log",), jar=None):
    needs = JAVA + ((f"/usr/share/java/{jar}.jar",) if jar else ())
    return Logger(name, title, writer(f"{program}.java", kind), logs, needs=needs)


def jul(name, title, kind, *logs):
    return java(f"java-{name}", f"java {title}", "JavaUtilLogging", kind, logs)


def log4j2(name, title, kind, logs=("app.log",)):
    return java(f"log4j2-{name}", f"log4j2 {title}", "Log4j2", kind, logs, "log4j-core")


def logback(name, title, kind, logs=("app.log",)):
    return java(f"logback-{name}", f"logback {title}", "Logback", kind, logs, "logback-classic")


LOGGERS = [
    jul("first", "FileHandler, LOG app.log.0", "many", "app.log.0"),
    jul("three", "FileHandler, count 3, LOG app.log.0", "three", "app.log.0"),
    jul("pattern", "FileHandler, pattern app.log*", "many", "app.log*"),
    jul("between", "FileHandler app.%g.log, pattern", "between", "app.*.log"),
    java("log4j1", "log4j 1.2.17", "Log4j1", "rolling", jar="log4j-1.2"),
    log4j2("default", "2.19 default (max 7, upwards)", "default"),
    log4j2("max", "max 2000 upwards", "max"),
    log4j2("min", "fileIndex min", "min"),
    log4j2("date", "date and %i", "date"),
    log4j2("gz", ".gz", "gz"),
    log4j2("direct", "direct write (pattern)", "direct", ("app-*.log",)),
    logback("fixed", "1.2.11 fixed window", "fixed"),
    logback("size-time", "size and time", "size-time"),
    logback("gz", "size and time, .gz", "gz"),
    logback("direct", "no file (pattern)", "direct", ("app-*.log",)),
    logback("second", "by the second", "second"),
]
