"""Handlers of Python's standard library and of Debian's modules."""
from kit import Logger, writer


def handler(name, title, logs=("app.log",), module=None):
    needs = (f"/usr/lib/python3/dist-packages/{module}",) if module else ()
    return Logger(f"python-{name}", title, writer("python_handlers.py", name), logs, needs=needs)


LOGGERS = [
    handler("rotating", "Python 3.11 RotatingFileHandler"),
    handler("rotating-3", "Python RotatingFileHandler, backupCount 3"),
    handler("timed", "Python TimedRotatingFileHandler S"),
    handler("namer", "Python, namer app_N.log"),
    handler("rotator-gz", "Python, rotator that compresses"),
    handler("concurrent", "concurrent-log-handler 0.9.20", module="concurrent_log_handler"),
    handler("logbook", "logbook 1.5.3 rotating", module="logbook"),
    handler("logbook-timed", "logbook timed, current has a date", ("app-*.log",), module="logbook"),
    handler("loguru", "loguru 0.6.0", module="loguru"),
    handler("loguru-time", "loguru, file name with {time}", ("app_*.log",), module="loguru"),
    handler("loguru-gz", "loguru, compression gz", module="loguru"),
    handler("twisted", "Twisted 22.4 LogFile", module="twisted"),
    handler("twisted-daily", "Twisted DailyLogFile (days unpadded)", module="twisted"),
]
