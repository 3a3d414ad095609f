# KIND FOLDER BYTES SECONDS PAD: logs each line of its stdin with Log::Dispatch::FileRotate.
use strict;
use warnings;
use Log::Dispatch::FileRotate;

my $log = Log::Dispatch::FileRotate->new(
    name => "app", min_level => "info", mode => "append", filename => "$ARGV[1]/app.log",
    size => $ARGV[2], max => 5000);
while (my $line = <STDIN>) {
    $log->log(level => "info", message => $line);
}
