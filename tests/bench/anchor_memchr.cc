// Finds the end of each line of a file, and does nothing else: less than this no formatter can do.
//
//   anchor_memchr FILE        prints how many lines there are
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  std::string buffer(1 << 20, '\0');
  unsigned long lines = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) ||
         file.gcount() > 0) {
    const char* at = buffer.data();
    const char* const end = at + file.gcount();
    while (at != end) {
      const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
      if (found == nullptr) break;
      at = static_cast<const char*>(found) + 1;
      ++lines;
    }
  }
  std::printf("%lu\n", lines);
}
