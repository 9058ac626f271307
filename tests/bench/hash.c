/* hash FILE: its SHA-256 as wherry computes it, read as wherry reads. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rootfs/decode/channel.h"
#include "rootfs/base/sha256.h"

int main(int argc, char **argv)
{
	static unsigned char data[CHANNEL_SLOT];
	int file = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct digest digest;
	struct sha256 sha;
	ssize_t size = -1;
	sha256_init(&sha);
	while (file >= 0 && (size = read(file, data, sizeof(data))) > 0)
		sha256_update(&sha, data, size);
	if (size < 0) {
		perror("hash");
		return 1;
	}
	sha256_final(&sha, &digest);
	puts(digest.hex);
	return 0;
}
