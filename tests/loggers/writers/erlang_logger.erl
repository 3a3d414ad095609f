%% KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with one of the handlers of Erlang's logger.
-module(erlang_logger).
-export([main/0]).

main() ->
    [Kind, Folder, Bytes | _] = init:get_plain_arguments(),
    Config = config(Kind, Folder ++ "/app.log", list_to_integer(Bytes)),
    Module = case Kind of "disk-log" -> logger_disk_log_h; _ -> logger_std_h end,
    ok = logger:set_primary_config(level, info),
    ok = logger:remove_handler(default),
    %% No line shall be dropped for coming too fast.
    ok = logger:add_handler(app, Module, #{
        config => Config#{burst_limit_enable => false, drop_mode_qlen => 100000, flush_qlen => 100000},
        formatter => {logger_formatter, #{template => [msg, "\n"], single_line => true}}}),
    log_lines(),
    Module:filesync(app),
    logger:remove_handler(app),
    halt(0).

config("disk-log", Log, Bytes) ->
    #{file => Log, type => wrap, max_no_files => 5, max_no_bytes => Bytes};
config(Kind, Log, Bytes) ->
    #{file => Log, max_no_files => 5000, max_no_bytes => Bytes, compress_on_rotate => Kind =:= "std-gz"}.

log_lines() ->
    case io:get_line("") of
        eof -> ok;
        Line -> logger:notice("~ts", [string:trim(Line, trailing, "\n")]), log_lines()
    end.
