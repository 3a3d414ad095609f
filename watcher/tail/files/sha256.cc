#include "watcher/tail/files/sha256.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace caravel::tail {
namespace {

/// FIPS 180-4, 4.2.2.
constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian(const unsigned char* p) {
  return std::uint32_t{p[0]} << 24U | std::uint32_t{p[1]} << 16U | std::uint32_t{p[2]} << 8U | p[3];
}

/// FIPS 180-4, 6.2.2, on any processor. The working variables a to h are s[0] to s[7]; moving the
/// array by one place is the renaming at the end of each round.
void portable_blocks(std::uint32_t* state, const unsigned char* data, std::size_t blocks) {
  for (; blocks > 0; --blocks, data += 64) {
    std::uint32_t w[64];
    for (std::size_t i = 0; i < 16; ++i) w[i] = big_endian(data + 4 * i);
    for (std::size_t i = 16; i < 64; ++i) {
      const std::uint32_t a = w[i - 15];
      const std::uint32_t b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3U) +
             (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10U);
    }
    std::uint32_t s[8];
    std::memcpy(s, state, sizeof s);
    for (std::size_t i = 0; i < 64; ++i) {
      const std::uint32_t e = s[4];
      const std::uint32_t a = s[0];
      const std::uint32_t one = s[7] + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                ((e & s[5]) ^ (~e & s[6])) + kRound[i] + w[i];
      const std::uint32_t two = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                                ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
      std::memmove(s + 1, s, 7 * sizeof *s);
      s[4] += one;
      s[0] = one + two;
    }
    for (std::size_t i = 0; i < 8; ++i) state[i] += s[i];
  }
}

const unsigned char* bytes_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

#if defined(__x86_64__)
// Intel, "New Instructions Supporting the Secure Hash Algorithm on Intel Architecture Processors":
// the state lives as ABEF and CDGH, four rounds are two sha256rnds2. Each of those waits for the
// one before; a second message fills the gaps. The parts are inlined into one loop, so that all of
// it stays in registers.
#define CARAVEL_SHA_NI __attribute__((target("sha,sse4.1"), always_inline)) inline

CARAVEL_SHA_NI __m128i load(const void* p) {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}

/// The eight words of the state in the order that sha256rnds2 wants: A B E F and C D G H, from the
/// highest lane to the lowest.
struct ShaNiState {
  __m128i abef;
  __m128i cdgh;
};

CARAVEL_SHA_NI ShaNiState load_state(const std::uint32_t* state) {
  const __m128i dcba = _mm_shuffle_epi32(load(state), 0xB1);
  const __m128i hgfe = _mm_shuffle_epi32(load(state + 4), 0x1B);
  return {_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xF0)};
}

CARAVEL_SHA_NI void store_state(const ShaNiState& from, std::uint32_t* state) {
  const __m128i feba = _mm_shuffle_epi32(from.abef, 0x1B);
  const __m128i dchg = _mm_shuffle_epi32(from.cdgh, 0xB1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// The next four words of the schedule, in the place of the oldest four of 16:
/// w[t] = s1(w[t-2]) + w[t-7] + s0(w[t-15]) + w[t-16].
CARAVEL_SHA_NI void extend(__m128i* w, int i) {
  __m128i& oldest = w[i & 3];
  const __m128i& last = w[(i + 3) & 3];
  oldest = _mm_sha256msg1_epu32(oldest, w[(i + 1) & 3]);
  oldest = _mm_add_epi32(oldest, _mm_alignr_epi8(last, w[(i + 2) & 3], 4));
  oldest = _mm_sha256msg2_epu32(oldest, last);
}

/// Rounds 4i to 4i + 3. One sha256rnds2 does two rounds and reads two sums of word and constant,
/// from the lower half of its operand; the shuffle brings the upper two down.
CARAVEL_SHA_NI void four_rounds(ShaNiState& state, __m128i words, int i) {
  __m128i sum = _mm_add_epi32(words, load(kRound + 4 * i));
  state.cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, sum);
  sum = _mm_shuffle_epi32(sum, 0x0E);
  state.abef = _mm_sha256rnds2_epu32(state.abef, state.cdgh, sum);
}

/// `blocks` blocks of 64 bytes of each message. One template for one and for two messages: the
/// loops over `kMessages` are unrolled, so the instructions of both stand side by side.
template <std::size_t kMessages>
__attribute__((target("sha,sse4.1"))) void sha_ni_blocks(
    const std::array<std::uint32_t*, kMessages>& states,
    std::array<const unsigned char*, kMessages> data, std::size_t blocks) {
  // The words of a block are big-endian (FIPS 180-4, 3.1); this shuffle turns four of them round.
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  ShaNiState now[kMessages];
#pragma GCC unroll 2
  for (std::size_t m = 0; m < kMessages; ++m) now[m] = load_state(states[m]);
  for (; blocks > 0; --blocks) {
    ShaNiState before[kMessages];
    __m128i w[kMessages][4];
#pragma GCC unroll 2
    for (std::size_t m = 0; m < kMessages; ++m) {
      before[m] = now[m];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) w[m][i] = _mm_shuffle_epi8(load(data[m] + 16 * i), order);
      data[m] += 64;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
#pragma GCC unroll 2
      for (std::size_t m = 0; m < kMessages; ++m) {
        if (i >= 4) extend(w[m], i);
        four_rounds(now[m], w[m][i & 3], i);
      }
    }
#pragma GCC unroll 2
    for (std::size_t m = 0; m < kMessages; ++m) {
      now[m].abef = _mm_add_epi32(now[m].abef, before[m].abef);
      now[m].cdgh = _mm_add_epi32(now[m].cdgh, before[m].cdgh);
    }
  }
#pragma GCC unroll 2
  for (std::size_t m = 0; m < kMessages; ++m) store_state(now[m], states[m]);
}
#undef CARAVEL_SHA_NI

bool has_sha_ni() {
  // __builtin_cpu_supports of GCC 12 does not know "sha": CPUID leaf 7, EBX bit 29.
  unsigned a = 7;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (b >> 29U & 1U) != 0 && __builtin_cpu_supports("sse4.1") != 0;
}
#endif

}  // namespace

Sha256::Sha256(Use use)
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
#if defined(__x86_64__)
  // Asked once: CPUID traps into the hypervisor on virtual machines, which takes microseconds.
  static const bool kShaNi = has_sha_ni();
  instructions_ = use == Use::best && kShaNi;
#else
  static_cast<void>(use);
#endif
}

void Sha256::blocks(const unsigned char* data, std::size_t count) {
#if defined(__x86_64__)
  if (instructions_) return sha_ni_blocks<1>({state_.data()}, {data}, count);
#endif
  portable_blocks(state_.data(), data, count);
}

void Sha256::update(std::string_view bytes) {
  const unsigned char* data = bytes_of(bytes);
  std::size_t size = bytes.size();
  size_ += size;
  // What an earlier call left over comes first; if the block is still not full, it waits on.
  if (rest_size_ > 0) {
    const std::size_t part = std::min(size, rest_.size() - rest_size_);
    if (part > 0) std::memcpy(rest_.data() + rest_size_, data, part);
    rest_size_ += part;
    data += part;
    size -= part;
    if (rest_size_ < rest_.size()) return;
    blocks(rest_.data(), 1);
    rest_size_ = 0;
  }
  blocks(data, size / 64);
  rest_size_ = size % 64;
  if (rest_size_ > 0) std::memcpy(rest_.data(), data + size - rest_size_, rest_size_);
}

void Sha256::update_both(Sha256& a, std::string_view a_bytes, Sha256& b, std::string_view b_bytes) {
#if defined(__x86_64__)
  // Both must stand at a block's beginning. Whole blocks that both have go together; what one of
  // them has more, and what fills no block, goes the usual way below.
  if (a.instructions_ && b.instructions_ && a.rest_size_ == 0 && b.rest_size_ == 0) {
    const std::size_t count = std::min(a_bytes.size(), b_bytes.size()) / 64;
    sha_ni_blocks<2>({a.state_.data(), b.state_.data()}, {bytes_of(a_bytes), bytes_of(b_bytes)},
                     count);
    a.size_ += 64 * count;
    b.size_ += 64 * count;
    a_bytes.remove_prefix(64 * count);
    b_bytes.remove_prefix(64 * count);
  }
#endif
  a.update(a_bytes);
  b.update(b_bytes);
}

std::string Sha256::finish() {
  // FIPS 180-4, 5.1.1: a one bit, zeros up to 8 bytes before the end of a block, then the length in
  // bits. `size_` is read first, for update() counts the padding too.
  const std::uint64_t bits = size_ * 8;
  char padding[72] = {'\x80'};
  const std::size_t zeros = (rest_size_ < 56 ? 56 : 120) - rest_size_;
  for (std::size_t i = 0; i < 8; ++i) {
    padding[zeros + i] = static_cast<char>(bits >> (56 - 8 * i) & 0xFFU);
  }
  update({padding, zeros + 8});
  std::string hex;
  for (const std::uint32_t word : state_) {
    for (unsigned shift = 32; shift > 0; shift -= 4) {
      hex += "0123456789abcdef"[word >> (shift - 4) & 15U];
    }
  }
  return hex;
}

}  // namespace caravel::tail
