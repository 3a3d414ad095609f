# spysocket -> CSV, the yardstick of scripts/bench: the same lines, rows and checks as the format,
# written the way one would write it in awk.
#
#   mawk -v year=2012 -f spysocket.awk EXTRACT > CSV         rejects are counted on stderr
#
# Not covered: invalid UTF-8, control characters, a last line without its end, a value that needs
# quotes. tests/oracle/awk_test.py compares it with the oracle on everything else.

function integer(word, label) {
  if (index(word, label) != 1) return 0
  value = substr(word, length(label) + 1)
  return value ~ /^-?[0-9]+$/
}

function is_time(word) {
  return word ~ /^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)$/
}

function bracketed(word) { return word ~ /^\[.*\]$/ }

function flag(word) { return word == "[Valid]" ? "V" : "I" }

function with_point(digits) {
  if (digits ~ /^-/) return substr(digits, 1, 3) "." substr(digits, 4)
  return substr(digits, 1, 2) "." substr(digits, 3)
}

# Sets date.
function is_date(word) {
  if (word == last_day) return 1  # a log's lines are mostly of one day
  if (word !~ /^[0-9][0-9]\/[0-9][0-9]$/) return 0
  month = substr(word, 1, 2) + 0
  day = substr(word, 4, 2) + 0
  if (month < 1 || month > 12 || day < 1 || day > days[month]) return 0
  last_day = word
  date = year "-" substr(word, 1, 2) "-" substr(word, 4, 2)
  return 1
}

# Fields p … p+7 of both kinds. Sets fix, lat, lon.
function is_position(p) {
  if (index($p, "Lat/Lon:") != 1 || !bracketed($(p + 1)) || !integer($(p + 2), "Adher:")) return 0
  adherence = value
  if (!bracketed($(p + 3)) || !integer($(p + 4), "Odom:") || !bracketed($(p + 5))) return 0
  if (($(p + 6) != "DGPS:On" && $(p + 6) != "DGPS:Off") || !integer($(p + 7), "FOM:")) return 0
  position = substr($p, 9)
  fix = (position != "0/0")
  if (!fix) return 1
  if (position !~ /^-?[0-9][0-9][0-9]+\/-?[0-9][0-9][0-9]+$/) return 0
  slash = index(position, "/")
  lat = with_point(substr(position, 1, slash - 1))
  lon = with_point(substr(position, slash + 1))
  return 1
}

function is_crossing() {
  if (index($6, "Time:") != 1 || !is_time(substr($6, 6))) return 0
  if ($7 != "Arrival" && !integer($7, "Dwell:")) return 0
  if (!integer($8, "Rte:")) return 0
  route = value
  if (!integer($9, "Dir:")) return 0
  direction = value
  if (!integer($10, "TP:") || !integer($11, "Stop:")) return 0
  stop = value
  return integer($12, "Svc:") && integer($13, "Blk:")
}

BEGIN {
  split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
  if ((year % 4 == 0 && year % 100 != 0) || year % 400 == 0) days[2] = 29
  print "Date,Time,Vehicle,Lat,Lon,Location Valid/Invalid,Adherence,Adherence Valid/Invalid,Route,Direction,Stop"
}

{
  ok = 0
  if (is_time($1) && is_date($2)) {
    if (NF == 13 && $5 == "MT_LOCATION") {
      p = 6
      route = direction = stop = ""
      ok = is_position(6)
    } else if (NF == 21 && $5 == "MT_TIMEPOINTCROSSING" && is_crossing()) {
      p = 14
      ok = is_position(14)
    }
  }
  if (!ok) {
    ++rejected
  } else if (fix && !(NF == 21 && $7 != "Arrival")) {
    print date "," $1 "," $3 "," lat "," lon "," flag($(p + 1)) "," adherence "," flag($(p + 3)) \
          "," route "," direction "," stop
  }
}

END { if (rejected) print rejected " rejected" > "/dev/stderr" }
