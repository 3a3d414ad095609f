// LD_PRELOAD for tests: a system that refuses, at a place that a test chooses. No program links it.
//
//   CARAVEL_REFUSE_READDIR=N   from the Nth call of readdir(3) on: EIO
//   CARAVEL_REFUSE_THREAD=N    from the Nth call of pthread_create(3) on: EAGAIN
//   CARAVEL_REFUSE_NEW=N       the Nth call of operator new throws std::bad_alloc; counted from
//                              std::set_terminate() on: before main() libraries make things of
//                              their own, and no program can say anything yet
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <new>

namespace {

/// Counts the calls of one function.
class Calls {
 public:
  explicit Calls(const char* variable) {
    const char* const text = std::getenv(variable);
    refused_ = text != nullptr ? std::atol(text) : 0;
  }
  [[nodiscard]] bool is_refused() { return refused_ > 0 && ++made_ >= refused_; }
  [[nodiscard]] bool is_the_one() { return refused_ > 0 && ++made_ == refused_; }

 private:
  std::atomic<long> made_{0};
  long refused_ = 0;
};

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::atomic<bool> begun{false};

void* allocate(std::size_t size) {
  static Calls calls("CARAVEL_REFUSE_NEW");
  void* const memory = begun && calls.is_the_one() ? nullptr : std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

extern "C" {

struct dirent64* readdir64(DIR* stream) {
  static Calls calls("CARAVEL_REFUSE_READDIR");
  static const auto next = next_of<struct dirent64* (*)(DIR*)>("readdir64");
  if (calls.is_refused()) {
    errno = EIO;
    return nullptr;
  }
  return next(stream);
}

// On 64 bits the two are one function with two names.
struct dirent* readdir(DIR* stream) {
  return reinterpret_cast<dirent*>(readdir64(stream));
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*),
                   void* argument) {
  static Calls calls("CARAVEL_REFUSE_THREAD");
  static const auto next =
      next_of<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>(
          "pthread_create");
  if (calls.is_refused()) return EAGAIN;
  return next(thread, attributes, run, argument);
}
}

std::terminate_handler std::set_terminate(std::terminate_handler handler) noexcept {
  static const auto next =
      next_of<std::terminate_handler (*)(std::terminate_handler)>("_ZSt13set_terminatePFvvE");
  begun = true;
  return next(handler);
}

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
