# nginx's combined access log -> CSV, the yardstick of scripts/bench: the same columns and checks as the
# format, written the way one would write it in awk.
#
#   mawk -f nginx.awk LOG > CSV         rejects are counted on stderr
#
# Not covered: escaped quotes in a quoted string, "-" for the bytes, invalid UTF-8, control characters.

function field(text) { return text ~ /[,"]/ ? "\"" text "\"" : text }

BEGIN {
  FS = "\""
  split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " ")
  for (n = 1; n <= 12; ++n) month[names[n]] = sprintf("%02d", n)
  split("31 29 31 30 31 30 31 31 30 31 30 31", days, " ")
  print "Date,Time,Zone,Client,User,Request,Status,Bytes,Referer,Agent"
}

# FIELDS: client - user [date:time zone], request, status bytes, referer, blank, agent, nothing.
{
  ok = 0
  if (NF == 7 && split($1, head, " ") == 5 && split($3, sizes, " ") == 2) {
    day = substr(head[4], 2, 2)
    name = substr(head[4], 5, 3)
    time = substr(head[4], 14, 8)
    zone = substr(head[5], 1, 5)
    ok = (name in month) && day ~ /^[0-3][0-9]$/ && day + 0 <= days[month[name] + 0] + 0 &&
         time ~ /^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)$/ && zone ~ /^[-+][0-9][0-9][0-9][0-9]$/ &&
         sizes[1] ~ /^-?[0-9]+$/ && sizes[2] ~ /^-?[0-9]+$/
  }
  if (ok)
    print substr(head[4], 9, 4) "-" month[name] "-" day "," time "," zone "," field(head[1]) "," \
          field(head[3]) "," field($2) "," sizes[1] "," sizes[2] "," field($4) "," field($6)
  else
    ++rejected
}

END { if (rejected) print rejected " rejected" > "/dev/stderr" }
