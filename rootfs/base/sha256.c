#include "rootfs/base/sha256.h"

#include <string.h>

const uint32_t sha256_k[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t load_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void schedule(uint32_t w[64], const unsigned char *block)
{
	for (int i = 0; i < 16; i++)
		w[i] = load_be32(block + 4 * i);
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];
		w[i] = w[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + w[i - 7] +
		       (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
	}
}

/*
 * The eight variables change places instead of contents: eight rounds a turn
 * leave each where it began, and nothing is moved between them.
 */
#define ROUND(a, b, c, d, e, f, g, h, i) do { \
	uint32_t t = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + \
		     (g ^ (e & (f ^ g))) + sha256_k[i] + w[i]; \
	d += t; \
	h = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b))); \
} while (0)

void sha256_portable(uint32_t state[8], const unsigned char *data, size_t blocks)
{
	for (; blocks; blocks--, data += SHA256_BLOCK) {
		uint32_t w[64];
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
		schedule(w, data);
		for (int i = 0; i < 64; i += 8) {
			ROUND(a, b, c, d, e, f, g, h, i);
			ROUND(h, a, b, c, d, e, f, g, i + 1);
			ROUND(g, h, a, b, c, d, e, f, i + 2);
			ROUND(f, g, h, a, b, c, d, e, i + 3);
			ROUND(e, f, g, h, a, b, c, d, i + 4);
			ROUND(d, e, f, g, h, a, b, c, i + 5);
			ROUND(c, d, e, f, g, h, a, b, i + 6);
			ROUND(b, c, d, e, f, g, h, a, i + 7);
		}
		state[0] += a, state[1] += b, state[2] += c, state[3] += d;
		state[4] += e, state[5] += f, state[6] += g, state[7] += h;
	}
}

static void hash_blocks(uint32_t state[8], const unsigned char *data, size_t blocks)
{
	static sha256_blocks *chosen;
	if (!chosen) {
		chosen = sha256_accelerated();
		if (!chosen)
			chosen = sha256_portable;
	}
	chosen(state, data, blocks);
}

void sha256_init(struct sha256 *sha)
{
	*sha = (struct sha256){ .state = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_update(struct sha256 *sha, const void *data, size_t size)
{
	const unsigned char *p = data;
	size_t held = sha->length % SHA256_BLOCK;
	sha->length += size;
	if (held) {
		size_t n = SHA256_BLOCK - held < size ? SHA256_BLOCK - held : size;
		memcpy(sha->rest + held, p, n);
		p += n;
		size -= n;
		if (held + n < SHA256_BLOCK)
			return;
		hash_blocks(sha->state, sha->rest, 1);
	}
	if (size >= SHA256_BLOCK)
		hash_blocks(sha->state, p, size / SHA256_BLOCK);
	memcpy(sha->rest, p + size / SHA256_BLOCK * SHA256_BLOCK, size % SHA256_BLOCK);
}

void sha256_final(struct sha256 *sha, struct digest *digest)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t bits = sha->length * 8;
	size_t held = sha->length % SHA256_BLOCK;
	unsigned char end[2 * SHA256_BLOCK] = { 0x80 };
	size_t size = (held < 56 ? 64 : 128) - held;
	for (int i = 0; i < 8; i++)
		end[size - 1 - i] = (unsigned char)(bits >> 8 * i);
	sha256_update(sha, end, size);
	for (int i = 0; i < DIGEST_HEX; i++)
		digest->hex[i] = digits[sha->state[i / 8] >> (28 - 4 * (i % 8)) & 15];
	digest->hex[DIGEST_HEX] = '\0';
}

struct digest sha256_of(const void *data, size_t size)
{
	struct sha256 sha;
	struct digest digest;
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, &digest);
	return digest;
}

bool digest_is_hex(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
			return false;
	return true;
}

bool digest_parse(const char *text, struct digest *digest)
{
	if (!text || strncmp(text, "sha256:", 7) || strlen(text + 7) != DIGEST_HEX ||
	    !digest_is_hex(text + 7, DIGEST_HEX))
		return false;
	memcpy(digest->hex, text + 7, DIGEST_HEX + 1);
	return true;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return !memcmp(a->hex, b->hex, DIGEST_HEX);
}
