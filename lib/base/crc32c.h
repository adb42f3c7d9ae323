/* CRC-32C (Castagnoli, RFC 3720 appendix B.4), with the processor's instruction where it has one. */
#ifndef TTG_BASE_CRC32C_H
#define TTG_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continue from `crc` (0 to begin) over len bytes. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* The same without the instruction: what other processors use, and what tests compare with. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
