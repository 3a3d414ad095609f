# KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with Ruby's own logger.
require "logger"

logger = Logger.new(File.join(ARGV[1], "app.log"), 5000, ARGV[2].to_i)
logger.formatter = proc { |_severity, _time, _program, message| message + "\n" }
STDIN.each_line { |line| logger.info(line.chomp) }
