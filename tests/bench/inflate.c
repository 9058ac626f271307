/* inflate FILE: decompresses it with the zlib that wherry is linked with, in its slots, to nowhere. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "rootfs/channel.h"

int main(int argc, char **argv)
{
	static unsigned char in[CHANNEL_SLOT], out[CHANNEL_SLOT];
	z_stream z = { 0 };
	int file = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1, result = Z_OK;
	ssize_t size;
	if (file < 0 || inflateInit2(&z, 15 + 16) != Z_OK) {
		perror("inflate");
		return 1;
	}
	while (result == Z_OK && (size = read(file, in, sizeof(in))) > 0) {
		z.next_in = in;
		z.avail_in = size;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			result = inflate(&z, Z_NO_FLUSH);
		} while (result == Z_OK && (z.avail_in || !z.avail_out));
		if (result == Z_BUF_ERROR)
			result = Z_OK;
	}
	return result == Z_STREAM_END ? 0 : 1;
}
