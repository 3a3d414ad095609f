"""Loggers of Ruby, Perl and Erlang."""
from kit import Logger, writer
from lines import Shape


def erlang(name, title, kind, logs=("app.log",)):
    return Logger(f"erlang-{name}", f"Erlang {title}", writer("erlang_logger.erl", kind), logs,
                  needs=("erl", "erlc"))


LOGGERS = [
    Logger("ruby", "Ruby 3.1 Logger", writer("ruby_logger.rb", "size"), needs=("ruby",),
           shape=Shape(own="# Logfile created on .*")),
    Logger("perl", "Log::Dispatch::FileRotate 1.19", writer("file_rotate.pl", "size"),
           needs=("/usr/share/perl5/Log/Dispatch/FileRotate.pm",)),
    erlang("std", "25 logger_std_h", "std"),
    erlang("std-gz", "logger_std_h, compress_on_rotate", "std-gz"),
    erlang("disk-log", "logger_disk_log_h wrap 5 (pattern)", "disk-log", ("app.log.[0-9]*",)),
]
