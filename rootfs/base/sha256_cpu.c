/*
 * SHA-256 by the processor's own instructions: SHA-NI on x86-64, the ARMv8 extension on aarch64 and,
 * where the same processors run 32-bit programs, on armhf.
 */
#include "rootfs/base/sha256.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* Four rounds; M0 becomes the message words that come 16 after it. */
#define QUAD(m0, m1, m2, m3, k) do { \
	__m128i t = _mm_add_epi32(m0, _mm_load_si128((const __m128i *)(sha256_k + (k)))); \
	cdgh = _mm_sha256rnds2_epu32(cdgh, abef, t); \
	abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(t, 0x0e)); \
	t = _mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4)); \
	m0 = _mm_sha256msg2_epu32(t, m3); \
} while (0)

__attribute__((target("sha,sse4.1,ssse3")))
static __m128i message(const unsigned char *data)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data), swap);
}

__attribute__((target("sha,sse4.1,ssse3")))
static void with_sha_ni(uint32_t state[8], const unsigned char *data, size_t blocks)
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)state);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(state + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

	for (; blocks; blocks--, data += SHA256_BLOCK) {
		__m128i abef_before = abef, cdgh_before = cdgh;
		__m128i m0 = message(data), m1 = message(data + 16);
		__m128i m2 = message(data + 32), m3 = message(data + 48);
		for (int k = 0; k < 64; k += 16) {
			QUAD(m0, m1, m2, m3, k);
			QUAD(m1, m2, m3, m0, k + 4);
			QUAD(m2, m3, m0, m1, k + 8);
			QUAD(m3, m0, m1, m2, k + 12);
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	__m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* CPUID leaf 7: SHA is EBX bit 29; leaf 1: SSSE3 is ECX bit 9, SSE4.1 bit 19. */
sha256_blocks *sha256_accelerated(void)
{
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 9) || !(c & 1u << 19))
		return NULL;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1u << 29))
		return NULL;
	return with_sha_ni;
}

#elif defined(__aarch64__) || defined(__ARM_PCS_VFP)

#include <arm_neon.h>
#include <sys/auxv.h>

#ifdef __aarch64__
#define WITH_SHA2 __attribute__((target("+crypto")))
#define SHA2_WORD AT_HWCAP
#define SHA2_BIT (1ul << 6) /* arch/arm64/include/uapi/asm/hwcap.h */
#else
#define WITH_SHA2 __attribute__((target("arch=armv8-a,fpu=crypto-neon-fp-armv8")))
#define SHA2_WORD AT_HWCAP2
#define SHA2_BIT (1ul << 3) /* arch/arm/include/uapi/asm/hwcap.h */
#endif

#define QUAD(m0, m1, m2, m3, k) do { \
	uint32x4_t t = vaddq_u32(m0, vld1q_u32(sha256_k + (k))), before = abcd; \
	abcd = vsha256hq_u32(abcd, efgh, t); \
	efgh = vsha256h2q_u32(efgh, before, t); \
	m0 = vsha256su1q_u32(vsha256su0q_u32(m0, m1), m2, m3); \
} while (0)

WITH_SHA2
static uint32x4_t message(const unsigned char *data)
{
	return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data)));
}

WITH_SHA2
static void with_armv8(uint32_t state[8], const unsigned char *data, size_t blocks)
{
	uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
	for (; blocks; blocks--, data += SHA256_BLOCK) {
		uint32x4_t abcd_before = abcd, efgh_before = efgh;
		uint32x4_t m0 = message(data), m1 = message(data + 16);
		uint32x4_t m2 = message(data + 32), m3 = message(data + 48);
		for (int k = 0; k < 64; k += 16) {
			QUAD(m0, m1, m2, m3, k);
			QUAD(m1, m2, m3, m0, k + 4);
			QUAD(m2, m3, m0, m1, k + 8);
			QUAD(m3, m0, m1, m2, k + 12);
		}
		abcd = vaddq_u32(abcd, abcd_before);
		efgh = vaddq_u32(efgh, efgh_before);
	}
	vst1q_u32(state, abcd);
	vst1q_u32(state + 4, efgh);
}

sha256_blocks *sha256_accelerated(void)
{
	return getauxval(SHA2_WORD) & SHA2_BIT ? with_armv8 : NULL;
}

#else

sha256_blocks *sha256_accelerated(void)
{
	return NULL;
}

#endif
