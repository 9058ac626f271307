/* SHA-256: the standard's own examples, every split, and both ways of computing it. */
#include "rootfs/base/sha256.h"

#include <string.h>

#include "tests/lib/tap.h"

static const struct {
	const char *text, *hex;
} cases[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
	  "nopqrstu", "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
};

static void splits(void)
{
	unsigned char data[300];
	bool same = true;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 7);
	struct digest whole = sha256_of(data, sizeof(data));
	for (size_t at = 0; at <= sizeof(data); at++) {
		struct sha256 sha;
		struct digest digest;
		sha256_init(&sha);
		sha256_update(&sha, data, at);
		sha256_update(&sha, data + at, sizeof(data) - at);
		sha256_final(&sha, &digest);
		same = same && digest_equal(&digest, &whole);
	}
	tap_ok(same, "it makes no difference where the data are split");
}

static void both_ways(void)
{
	static unsigned char data[64 * SHA256_BLOCK];
	uint32_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, b[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	sha256_blocks *accelerated = sha256_accelerated();
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * 13 + i / 255);
	sha256_portable(a, data, 64);
	if (accelerated)
		accelerated(b, data, 64);
	tap_ok(!accelerated || !memcmp(a, b, sizeof(a)), "the processor's instructions compute the same%s",
	       accelerated ? "" : " # SKIP this processor has none");
}

int main(void)
{
	struct digest digest;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		digest = sha256_of(cases[i].text, strlen(cases[i].text));
		tap_ok(!strcmp(digest.hex, cases[i].hex), "the digest of '%.20s' (%zu bytes)", cases[i].text,
		       strlen(cases[i].text));
	}
	splits();
	both_ways();
	tap_ok(digest_parse("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &digest),
	       "a digest is read");
	tap_ok(!digest_parse("sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", &digest),
	       "capitals are refused");
	tap_ok(!digest_parse("sha256:ba7816bf", &digest) && !digest_parse(NULL, &digest), "a part of one is refused");
	return tap_finish();
}
