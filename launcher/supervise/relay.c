#include "launcher/supervise/relay.h"

#include <errno.h>
#include <unistd.h>

struct pollfd relay_wait(const struct relay *relay)
{
	if (!relay_is_empty(relay))
		return (struct pollfd){ relay->to.fd, POLLOUT, 0 };
	return (struct pollfd){ relay->from, POLLIN, 0 };
}

static void fill(struct relay *relay)
{
	bool filtered = relay->keys && relay->keys->count;
	char *bytes = relay->bytes + (filtered ? KEYS_MAX : 0);
	ssize_t n = read(relay->from, bytes, RELAY_BUFFER);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		relay->from = -1;
		relay->broken = true;
	}
	relay->start = 0;
	relay->end = n > 0 ? (size_t)n : 0;
	if (filtered)
		relay->end = keys_filter(relay->keys, relay->bytes, bytes, relay->end);
}

static void drain(struct relay *relay)
{
	ssize_t n = output_write(&relay->to, relay->bytes + relay->start, relay->end - relay->start);
	if (n > 0) {
		relay->start += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		relay->start = relay->end; /* nobody is there to read it */
		relay->broken |= errno == EIO;
	}
}

void relay_move(struct relay *relay)
{
	if (relay_is_empty(relay))
		fill(relay);
	else
		drain(relay);
}

void relay_close(struct relay *relay)
{
	relay->from = -1;
	relay->start = relay->end = 0;
	output_close(&relay->to);
}
