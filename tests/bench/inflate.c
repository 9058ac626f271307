/* inflate FILE: decompresses it as wherry does, in its slots, to nowhere. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "rootfs/decode/channel.h"
#include "rootfs/decode/gunzip.h"

int main(int argc, char **argv)
{
	static unsigned char in[CHANNEL_SLOT], out[CHANNEL_SLOT];
	struct gunzip *gunzip = gunzip_new();
	int file = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	bool ended = false;
	ssize_t size;
	if (file < 0 || !gunzip) {
		perror("inflate");
		return 1;
	}
	while ((size = read(file, in, sizeof(in))) > 0) {
		struct buffer b = { .in = in, .in_size = size };
		do {
			b.out = out, b.out_size = sizeof(out);
			if (gunzip_step(gunzip, &b, &ended))
				return 1;
		} while (b.in_size || !b.out_size);
	}
	return ended ? 0 : 1;
}
