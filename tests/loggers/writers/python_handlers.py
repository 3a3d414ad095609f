"""python_handlers.py KIND FOLDER BYTES SECONDS: logs each line of its stdin with a handler of Python's."""
import gzip
import logging
import logging.handlers
import os
import sys

kind, folder, size, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
path = os.path.join(folder, "app.log")
MANY = 5000


def standard(handler):
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("app")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    return logger.info


def rotating(count=MANY):
    return logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=count)


def namer():
    handler = rotating()
    handler.namer = lambda name: path[:-4] + "_" + name.rsplit(".", 1)[1] + ".log"
    return handler


def compressing():
    handler = rotating()
    handler.namer = lambda name: name + ".gz"

    def rotator(source, target):
        with open(source, "rb") as plain, gzip.open(target, "wb") as packed:
            packed.write(plain.read())
        os.remove(source)
    handler.rotator = rotator
    return handler


def concurrent():
    from concurrent_log_handler import ConcurrentRotatingFileHandler
    return ConcurrentRotatingFileHandler(path, maxBytes=size, backupCount=MANY)


def logbook(timed):
    import logbook as module
    if timed:  # it knows days at the shortest, and asks time only through the records
        handler = module.TimedRotatingFileHandler(os.path.join(folder, "app.log"),
                                                  date_format="%Y-%m-%d-%H-%M-%S", format_string="{record.message}")
    else:
        handler = module.RotatingFileHandler(path, max_size=size, backup_count=MANY,
                                             format_string="{record.message}")
    handler.push_application()
    return module.Logger("app").info


def loguru(name="app.log", **options):
    from loguru import logger
    logger.remove()
    logger.add(os.path.join(folder, name), format="{message}", rotation=size, retention=MANY, **options)
    return logger.info


def twisted():
    from twisted.python import logfile
    log = logfile.LogFile("app.log", folder, rotateLength=size)
    return lambda line: (log.write(line + "\n"), log.flush())


def twisted_daily():
    """A day lasts `seconds`, so that its rotations can be waited for."""
    import time
    from twisted.python import logfile

    class ShortDays(logfile.DailyLogFile):
        def toDate(self, *moment):
            days = 19000 + int((moment[0] if moment else time.time()) - begin) // seconds
            return time.gmtime(days * 86400)[:3]
    begin = time.time()
    log = ShortDays("app.log", folder)
    return lambda line: (log.write(line + "\n"), log.flush())


KINDS = {
    "rotating": lambda: standard(rotating()),
    "rotating-3": lambda: standard(rotating(3)),
    "timed": lambda: standard(logging.handlers.TimedRotatingFileHandler(path, "S", seconds, MANY)),
    "namer": lambda: standard(namer()),
    "rotator-gz": lambda: standard(compressing()),
    "concurrent": lambda: standard(concurrent()),
    "logbook": lambda: logbook(False),
    "logbook-timed": lambda: logbook(True),
    "loguru": loguru,
    "loguru-time": lambda: loguru("app_{time:YYYY-MM-DD_HH-mm-ss_SSSSSS}.log"),
    "loguru-gz": lambda: loguru(compression="gz"),
    "twisted": twisted,
    "twisted-daily": twisted_daily,
}

log_line = KINDS[kind]()
for text in sys.stdin:
    log_line(text.rstrip("\n"))
