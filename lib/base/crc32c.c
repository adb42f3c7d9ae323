/*
 * CRC-32C: reflected polynomial 0x82f63b78, initial value and final XOR all ones (RFC 3720, 12.1).
 *
 * Pure; any thread. The x86 instruction is chosen at run time, because packages are built for the
 * oldest processor of the architecture; the ARM one at compile time. Everybody else gets the table.
 */
#include "base/crc32c.h"

#include <string.h>

#if defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#elif defined(__x86_64__)
#include <nmmintrin.h>
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

__attribute__((target("sse4.2"))) static uint32_t with_instruction(uint32_t crc, const uint8_t *at,
                                                                   size_t len)
{
	uint64_t wide = ~crc;

	for (; len >= 8; len -= 8, at += 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		wide = _mm_crc32_u64(wide, word);
	}
	crc = (uint32_t)wide;
	for (; len > 0; len--)
		crc = _mm_crc32_u8(crc, *at++);
	return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	if (__builtin_cpu_supports("sse4.2"))
		return with_instruction(crc, data, len);
	return crc32c_portable(crc, data, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	return crc32c_portable(crc, data, len);
}

#endif
