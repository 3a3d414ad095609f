# Writes OUTPUT, which defines caravel::kCommit, when the commit is another one than it says.
#   cmake -D SOURCE=DIR -D OUTPUT=FILE [-D COMMIT=TEXT] -P commit.cmake
if(NOT COMMIT)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[
#include "base/words/commit.h"

const char* const caravel::kCommit = "@COMMIT@";
]] @ONLY)
