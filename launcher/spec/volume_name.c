#include "launcher/spec/volume_name.h"

#include <string.h>

bool volumes_is_name(const char *name)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);
	return length && length <= 255 && !strchr("_.-", *name) && strspn(name, allowed) == length;
}
