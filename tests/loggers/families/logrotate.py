"""logrotate beside a writer that opens its log again when it is told to; and savelog."""
import os

from kit import Logger, reopening_writer, run


def hang_up(cell):
    with open(f"{cell.work}/pid", encoding="ascii") as file:
        os.kill(int(file.read()), 1)


def rotate_with(settings, hang_up_after):
    def rotate(cell):
        if not os.path.exists(cell.path("app.log")):
            return  # the writer has not opened it again yet
        path = f"{cell.work}/logrotate.conf"
        if not os.path.exists(path):
            script = f"postrotate\n kill -HUP $(cat {cell.work}/pid)\nendscript\n" if hang_up_after else ""
            cell.file("logrotate.conf", f"{cell.path('app.log')} {{\n size 1\n missingok\n"
                                        f"{settings.replace('; ', chr(10))}\n{script}}}\n")
        os.makedirs(cell.path("old"), exist_ok=True) if "olddir" in settings else None
        run("/usr/sbin/logrotate", "--force", "--state", f"{cell.work}/status", path)
    return rotate


def rotated(name, settings, title="", hang_up_after=True, hold=False, siblings=()):
    return Logger(f"logrotate-{name}", f"logrotate 3.21 {title or name}",
                  lambda cell: reopening_writer(cell, *(["hold"] if hold else [])),
                  rotate=rotate_with(settings, hang_up_after), siblings=siblings,
                  needs=("/usr/sbin/logrotate",))


def saved(name, title, *options):
    def rotate(cell):
        if os.path.exists(cell.path("app.log")):
            run("savelog", "-q", *options, "-c", "5000", cell.path("app.log"))
            hang_up(cell)
    return Logger(name, title, reopening_writer, rotate=rotate, needs=("savelog",))


PLAIN = "rotate 5000; create"
LOGGERS = [
    rotated("plain", PLAIN),
    rotated("create-hold", PLAIN, hold=True),
    rotated("compress", PLAIN + "; compress"),
    rotated("delaycompress", PLAIN + "; compress; delaycompress"),
    rotated("olddir", PLAIN + "; olddir old", siblings=("old/app.log.*",)),
    rotated("olddir-copytruncate", "rotate 5000; copytruncate; olddir old", hang_up_after=False,
            siblings=("old/app.log.*",)),
    rotated("copytruncate", "rotate 5000; copytruncate", hang_up_after=False),
    rotated("copytruncate-compress", "rotate 5000; copytruncate; compress", hang_up_after=False),
    rotated("copy", "rotate 5000; copy", hang_up_after=False),
    rotated("renamecopy", "rotate 5000; renamecopy"),
    rotated("datedot", PLAIN + "; dateext; dateformat .%Y%m%d-%s"),
    rotated("datehour-ext", PLAIN + "; dateext; dateformat -%Y%m%d%H-%s; extension .log"),
    rotated("datesec", PLAIN + "; dateext; dateformat -%Y%m%d-%H%M%S"),
    rotated("dmy", PLAIN + "; dateext; dateformat -%d%m%Y-%s"),
    rotated("extension", PLAIN + "; extension .log"),
    rotated("rotate0", "rotate 0; create"),
    rotated("start5", PLAIN + "; start 5"),
    saved("savelog", "savelog 5.7"),
    saved("savelog-d", "savelog -d", "-d"),
    saved("savelog-l", "savelog -l", "-l"),
]
