// injector: runs a program, counts its system calls over all threads and children, and kills it at
// a call, lets calls fail, or writes down what it does to the disk. `injector` without arguments
// says how. x86-64 only.
#include "tests/torture/injector/options.h"
#include "tests/torture/injector/tracer.h"

int main(int argc, char** argv) {
  const auto options = caravel::torture::read_options(argc, argv);
  if (!options) return 125;
  return caravel::torture::Tracer(*options).run();
}
