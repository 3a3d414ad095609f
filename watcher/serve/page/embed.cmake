# Writes OUTPUT, a C++ source with the files of FOLDER as texts, for watcher/serve/page/page_files.h:
#
#   cmake -DFOLDER=files -DOUTPUT=page_files.cc -P embed.cmake
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(source "#include \"watcher/serve/page/page_files.h\"\n\nnamespace caravel::watcher {\n\n")
string(APPEND source "std::string_view page_file(std::string_view name) {\n")
foreach(file ${files})
  # As bytes, because the text may hold anything that would end a literal.
  file(READ ${FOLDER}/${file} bytes HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  # A literal may be broken anywhere behind a byte; lines of a bearable length are kinder to tools.
  string(REGEX REPLACE "((\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..)(\\\\x..))" "\\1\"\n      \"" bytes "${bytes}")
  string(APPEND source "  if (name == \"${file}\") {\n    return\n      \"${bytes}\";\n  }\n")
endforeach()
string(APPEND source "  return {};\n}\n\n}  // namespace caravel::watcher\n")
file(WRITE ${OUTPUT} "${source}")
