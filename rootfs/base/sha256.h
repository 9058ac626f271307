/* SHA-256 with the processor's own instructions where it has them, and digests as text. */
#ifndef ROOTFS_BASE_SHA256_H
#define ROOTFS_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64, DIGEST_HEX = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	unsigned char rest[SHA256_BLOCK];
};

/* A digest as its 64 hexadecimal digits, NUL behind. */
struct digest {
	char hex[DIGEST_HEX + 1];
};

void sha256_init(struct sha256 *);
void sha256_update(struct sha256 *, const void *data, size_t size);
void sha256_final(struct sha256 *, struct digest *);

/* All in one. */
struct digest sha256_of(const void *data, size_t size);

/* "sha256:" and 64 lower-case hexadecimal digits, nothing else (IMAGES.md rule 2). */
bool digest_parse(const char *text, struct digest *);
bool digest_is_hex(const char *text, size_t length);
bool digest_equal(const struct digest *, const struct digest *);

/* Blocks of 64 bytes into the state; each processor's own way, and the one that works on all. */
typedef void sha256_blocks(uint32_t state[8], const unsigned char *data, size_t blocks);
sha256_blocks sha256_portable;

/* What this processor can do: NULL where it has no such instructions. */
sha256_blocks *sha256_accelerated(void);

extern const uint32_t sha256_k[64];

#endif
