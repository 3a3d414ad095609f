#include "base/idle_memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>

namespace caravel {
namespace {

/// Of one loaded object (dl_iterate_phdr(3)). A segment that cannot be written is as its file has
/// it, so MADV_DONTNEED loses nothing (madvise(2)); what relocation has changed lies in others.
int give_back_segments(dl_phdr_info* object, std::size_t /*size*/, void* /*context*/) {
  // The kernel's own part of the process is no file (vdso(7)).
  if (std::string_view(object->dlpi_name).starts_with("linux-vdso")) return 0;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) & ~(page - 1);
    const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // Only a wish.
    (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void give_back_idle_memory() {
  (void)::malloc_trim(0);
  (void)::dl_iterate_phdr(give_back_segments, nullptr);
}

}  // namespace caravel
