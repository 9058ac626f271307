#include "launcher/spec/image_config.h"

#include <stdlib.h>
#include <string.h>

#include "rootfs/base/err.h"
#include "rootfs/base/json.h"

/* NULL is absent, as everywhere in these documents. */
static int read_string(const json_t *config, const char *key, char **to)
{
	const json_t *value = json_object_get(config, key);
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return failx("the image's config: %s is not a string", key);
	*to = strdup(json_string_value(value));
	return *to ? 0 : fail("read the image's config");
}

static int read_list(const json_t *config, const char *key, char ***to)
{
	const json_t *list = json_object_get(config, key);
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return failx("the image's config: %s is not a list", key);
	char **words = calloc(json_array_size(list) + 1, sizeof(*words));
	if (!words)
		return fail("read the image's config");
	*to = words;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		if (!word)
			return failx("the image's config: %s holds something that is no string", key);
		words[i] = strdup(word);
		if (!words[i])
			return fail("read the image's config");
	}
	return 0;
}

static int read_keys(json_t *config, const char *key, char ***to)
{
	json_t *map = json_object_get(config, key);
	if (!map || json_is_null(map))
		return 0;
	if (!json_is_object(map))
		return failx("the image's config: %s is not an object", key);
	char **words = calloc(json_object_size(map) + 1, sizeof(*words));
	if (!words)
		return fail("read the image's config");
	*to = words;
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value) {
		*words = strdup(name);
		if (!*words++)
			return fail("read the image's config");
	}
	return 0;
}

static int read_config(json_t *config, struct image_config *to)
{
	if (!config || json_is_null(config))
		return 0;
	if (!json_is_object(config))
		return failx("the image's config: config is not an object");
	if (read_list(config, "Env", &to->env) < 0 ||
	    read_list(config, "Entrypoint", &to->entrypoint) < 0 ||
	    read_list(config, "Cmd", &to->cmd) < 0 ||
	    read_keys(config, "Volumes", &to->volumes) < 0 ||
	    read_string(config, "WorkingDir", &to->working_dir) < 0 ||
	    read_string(config, "User", &to->user) < 0 ||
	    read_string(config, "StopSignal", &to->stop_signal) < 0)
		return -1;
	return 0;
}

int image_config_parse(const char *json, size_t length, struct image_config *to)
{
	*to = (struct image_config){ 0 };
	scoped_json *document = json_read(json, length, "the image's config");
	return document ? read_config(json_object_get(document, "config"), to) : -1;
}
