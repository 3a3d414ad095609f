"""Loggers of node."""
from kit import LINE_BYTES, Logger, writer
from lines import Shape

BUNYAN = Shape(r'\{"name":"app","hostname":".*","pid":\d+,"level":30,"msg":"%s","time":"[^"]*","v":0\}')


def logger(name, title, kind, module, logs=("app.log",), shape=Shape(), **options):
    return Logger(name, title, writer("node.js", kind), logs, shape=shape,
                  needs=("node", f"npm:{module}"), **options)


def logrotate_stream(name, title, block=0):
    def start(cell):
        program = cell.builder.npm_module("logrotate-stream") + "/bin/logrotate-stream"
        size = cell.mode.lines_a_file * LINE_BYTES
        return cell.spawn(["node", program, cell.path("app.log"), "--keep", "5000", "--size", str(size)])
    return Logger(name, title, start, block=block, needs=("node", "npm:logrotate-stream"))


WDRF = "winston-daily-rotate-file"
RFS = "rotating-file-stream"
LOGGERS = [
    logger("winston", "winston 3.19.0 File, maxsize", "winston", "winston", siblings=("app*.log",)),
    logger("winston-tailable", "winston File, tailable", "winston-tailable", "winston",
           siblings=("app*.log",)),
    logger("winston-pattern", "winston File, pattern app*.log", "winston", "winston", ("app*.log",)),
    logger(f"{WDRF}-link", f"{WDRF}, createSymlink", "daily-link", WDRF, ("current.log",)),
    logger(f"{WDRF}-size", f"{WDRF} 5.0.0 maxSize (pattern)", "daily-size", WDRF, ("app.log*",)),
    logger(f"{WDRF}-second", f"{WDRF} by the second", "daily-second", WDRF, ("app-*.log",)),
    logger("pino-roll", "pino-roll 4.0.0 (pattern)", "pino-roll", "pino-roll", ("app.*.log",)),
    logger("pino-roll-link", "pino-roll, symlink current.log", "pino-roll-link", "pino-roll",
           ("current.log",)),
    logger(RFS, f"{RFS} 3.2.10 (prefix names)", "rfs", RFS, siblings=("*-app.log",)),
    logger(f"{RFS}-rotate", f"{RFS}, rotate (app.log.N)", "rfs-rotate", RFS),
    logger(f"{RFS}-immutable", f"{RFS}, immutable (pattern)", "rfs-immutable", RFS, ("*app.log",)),
    logger("file-stream-rotator", "file-stream-rotator 1.0.0 (dies by itself)", "fsr",
           "file-stream-rotator", dies=True),
    logger("file-stream-rotator-pattern", "file-stream-rotator, pattern", "fsr", "file-stream-rotator",
           ("app.log*",), dies=True),
    logger("log4js", "log4js 6.9.1 file", "log4js", "log4js"),
    logger("log4js-extension", "log4js file, keepFileExt", "log4js-extension", "log4js"),
    logger("log4js-date", "log4js dateFile", "log4js-date", "log4js"),
    logger("bunyan", "bunyan 2.0.5 rotating-file", "bunyan", "bunyan", shape=BUNYAN),
    logrotate_stream("logrotate-stream", "logrotate-stream 0.2.9"),
    logrotate_stream("logrotate-stream-blocks", "logrotate-stream, piped by 4096", 4096),
]
