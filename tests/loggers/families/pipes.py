"""Programs that log their stdin: Apache's rotatelogs, cronolog, and the loggers of service supervisors."""
from kit import LINE_BYTES, PYTHON, WRITERS, Logger, piped

PAGE = 4096  # the block of a writer that buffers


def rotatelogs(name, title, logs, *arguments, block=0):
    return Logger(f"rotatelogs-{name}", f"rotatelogs {title}", piped("rotatelogs", *arguments), logs,
                  block=block, needs=("rotatelogs",))


def cronolog(name, title, logs, *arguments, block=0):
    return Logger(f"cronolog-{name}", f"cronolog {title}", piped("cronolog", *arguments), logs,
                  block=block, status=3, needs=("cronolog",))


def svlogd(name, title, logs, config=""):
    def start(cell):
        size = cell.mode.lines_a_file * LINE_BYTES
        with open(cell.path("config"), "w", encoding="ascii") as file:
            file.write(f"s{size}\nn5000\n{config}")
        return cell.spawn(["svlogd", "-b", "1024", cell.logs])
    return Logger(f"svlogd-{name}", f"svlogd {title}", start, logs, needs=("svlogd",))


def supervisor(name, title, block=0):
    def start(cell):
        size = cell.mode.lines_a_file * LINE_BYTES
        fifo = f"{cell.work}/fifo"
        config = cell.file("supervisord.conf", f"""
[supervisord]
nodaemon=true
user=root
logfile={cell.work}/supervisord.log
pidfile={cell.work}/supervisord.pid
childlogdir={cell.work}
[program:app]
command=cat {fifo}
stdout_logfile={cell.path('app.log')}
stdout_logfile_maxbytes={size}
stdout_logfile_backups=5000
autorestart=false
startsecs=0
[eventlistener:end]
command={PYTHON} {WRITERS}/supervisor_end.py
events=PROCESS_STATE_EXITED
""")
        return cell.spawn(["sh", "-c", 'mkfifo "$1" && { supervisord -c "$2" & cat >"$1"; wait; }', "sh", fifo,
                           config])
    return Logger(f"supervisor-{name}", f"supervisor 4.2.5, {title}", start, block=block,
                  needs=("supervisord",))


SIZE = "{bytes}B"
LOGGERS = [
    rotatelogs("n", "2.4 -n 4000, whole lines", ("app.log*",), "-n", "4000", "{logs}/app.log", SIZE),
    rotatelogs("n-log", "-n 4000, LOG the first file", ("app.log",), "-n", "4000", "{logs}/app.log", SIZE),
    rotatelogs("n-buffered", "-n, writer buffered by 4096", ("app.log*",), "-n", "4000", "{logs}/app.log",
               SIZE, block=PAGE),
    rotatelogs("wrap", "-n 5 (wraps)", ("app.log*",), "-n", "5", "{logs}/app.log", SIZE),
    rotatelogs("link", "-L current app (hard link)", ("current",), "-L", "{logs}/current", "{logs}/app", SIZE),
    rotatelogs("link-log", "-L app.log app.log.DATE", ("app.log",), "-L", "{logs}/app.log",
               "{logs}/app.log.%Y%m%d-%H%M%S", "{seconds}"),
    rotatelogs("pattern", "app SECONDS (pattern)", ("app.*",), "{logs}/app", "{seconds}"),
    rotatelogs("truncate", "-t", ("app.log",), "-t", "{logs}/app.log", SIZE),
    cronolog("pattern", "1.6.2 (pattern)", ("app-*.log",), "{logs}/app-%Y%m%d-%H%M%S.log"),
    cronolog("link", "-S app.log", ("app.log",), "-S", "{logs}/app.log", "-P", "{logs}/previous",
             "{logs}/app.log.%Y%m%d-%H%M%S"),
    cronolog("link-stuck", "-S current (cronolog never moves it)", ("current",), "-S", "{logs}/current",
             "{logs}/app-%Y%m%d-%H%M%S.log"),
    cronolog("buffered", "writer buffered by 4096", ("app-*.log",), "{logs}/app-%Y%m%d-%H%M%S.log",
             block=PAGE),
    Logger("multilog", "multilog (daemontools 0.76), LOG current",
           piped("multilog", "s{bytes}", "n5000", "{logs}"), ("current",), needs=("multilog",)),
    Logger("s6-log", "s6-log 2.11.3, LOG current", piped("s6-log", "-b", "n5000", "s{bytes}", "{logs}"),
           ("current",), needs=("s6-log",)),
    svlogd("current", "(runit 2.1.2), LOG current", ("current",)),
    svlogd("both", "LOGs current and @*.s", ("current", "@*.s")),
    svlogd("gzip", "!gzip", ("current",), "!gzip\n"),
    supervisor("lines", "whole lines"),
    supervisor("buffered", "child buffered by 4096", PAGE),
]
