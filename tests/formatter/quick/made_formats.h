// Formats that were made to lead the quick way astray: unit tests and a fuzz target read them.
#pragma once

namespace caravel::test {

/// YAML, one format each.
inline constexpr const char* kMadeFormats[] = {
    // Options that begin alike, a number right behind one, kinds that begin alike, constants.
    R"(
format: made-options
identity: position
columns: [Mode, Level, Count, Who, Where]
blanks: any
kinds:
  - {kind: one, line: "mode={Mode:choice(on,once,o)}{Count:int} {Who:word}", set: {Where: "here, there"}}
  - {kind: two, line: "mode={Mode:choice(on,off)} {Level:bracketed(hi=H,lo=L)} n:{Count:int}"}
  - {kind: three, line: "mode={Mode:choice(on=1,*=0)} {Level:bracketed(hi=H,*=X)} n:{Count:int} {Who:rest}"}
  - {kind: four, action: drop, line: "mode={word} {bracketed} {rest}"}
)",
    // Times with and without fractions, offsets that may go on, dates that differ from line to
    // line.
    R"(
format: made-times
identity: line
key: Who
time: [Day, At, Zone]
columns: [Day, At, Zone, Who, Took]
kinds:
  - {kind: one, line: "{Day:date} {At:time(fraction)}{Zone:offset}:{Who:word} took {Took:decimal}"}
  - {kind: two, line: "{Day:date(%d/%b/%Y)} {At:time} {Zone:offset} {Who:word}, took {Took:implied(3)}"}
  - {kind: three, line: "{Day:date(%d/%b/%Y)} {At:time} {Zone:offset} {Who:uuid} {Took:int}"}
)",
    // Texts that may end later, quoted values, words up to a byte, two kinds behind a text.
    R"(
format: made-texts
identity: position
columns: [Who, What, Code, More]
kinds:
  - {kind: one, line: "{Who:text} [{Code:int}] {What:quoted} {More:rest}"}
  - {kind: two, line: "{Who:text} [{Code:int}]: {What:text};{More:word}"}
  - {kind: three, line: "<{Who:word}> {What:quoted} {Code:int}"}
  - {kind: four, line: "<{Who:word}> {What:ip} {Code:decimal(2)}"}
)",
    R"(
format: made-csv
reader: csv
identity: position
time: {column: At}
key: Who
columns: [At, Who, What]
)"};

}  // namespace caravel::test
