/*
 * CRC-32C: reflected polynomial 0x82f63b78, initial value and final XOR all ones (RFC 3720, 12.1).
 *
 * Pure; any thread. The x86 instruction is chosen at run time, because packages are built for the
 * oldest processor of the architecture; the ARM one at compile time. Everybody else gets the table.
 *
 * The x86 instruction takes three cycles and can be begun each cycle, so long runs go in three lanes
 * side by side. Joining them is multiplying a lane's sum by x^(8 n), n the bytes that follow it: a
 * carry-less multiplication by x^(8 n - 33), the instruction itself being x^32 and the bit order 1.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#elif defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#endif

/* Remainders of the sixteen half-bytes: small enough to check by eye, and rarely used. */
static const uint32_t half_byte_table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *at = data;

	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		crc = (crc >> 4) ^ half_byte_table[crc & 15];
		crc = (crc >> 4) ^ half_byte_table[crc & 15];
	}
	return ~crc;
}

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *at = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		crc = __crc32cd(crc, word);
	}
	for (; len > 0; len--)
		crc = __crc32cb(crc, *at++);
	return ~crc;
}

#elif defined(__x86_64__)

#define LANE 1024u		     /* bytes */
#define BEHIND_ONE_LANE 0x170076fau /* x^(8 LANE - 33), bits reversed */
#define BEHIND_TWO_LANES 0xa51b6135u /* x^(16 LANE - 33) */

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, const uint8_t *at,
                                                                   size_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--)
		crc = _mm_crc32_u8(crc, *at++);
	return crc;
}

__attribute__((target("sse4.2,pclmul"))) static uint64_t moved_on(uint64_t crc, uint32_t by)
{
	__m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc),
	                                       _mm_cvtsi32_si128((int)by), 0);

	return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t in_lanes(uint32_t crc, const uint8_t *at,
                                                                  size_t len)
{
	for (; len >= 3 * LANE; len -= 3 * LANE, at += 3 * LANE) {
		uint64_t first = crc, second = 0, third = 0;

		for (size_t i = 0; i < LANE; i += 8) {
			uint64_t words[3];

			memcpy(&words[0], at + i, 8);
			memcpy(&words[1], at + LANE + i, 8);
			memcpy(&words[2], at + 2 * LANE + i, 8);
			first = _mm_crc32_u64(first, words[0]);
			second = _mm_crc32_u64(second, words[1]);
			third = _mm_crc32_u64(third, words[2]);
		}
		crc = (uint32_t)(moved_on(first, BEHIND_TWO_LANES) ^
		                 moved_on(second, BEHIND_ONE_LANE) ^ third);
	}
	return with_instruction(crc, at, len);
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	if (len >= 3 * LANE && __builtin_cpu_supports("sse4.2") &&
	    __builtin_cpu_supports("pclmul"))
		return ~in_lanes(~crc, data, len);
	if (__builtin_cpu_supports("sse4.2"))
		return ~with_instruction(~crc, data, len);
	return crc32c_portable(crc, data, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return crc32c_portable(crc, data, len);
}

#endif
