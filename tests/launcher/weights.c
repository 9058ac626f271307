/* What --cpu-shares is on cgroup v2, against what log2 and pow of a full libm make of it. */
#include <stddef.h>

#include "launcher/cgroup/weight.h"
#include "tests/lib/tap.h"

static const struct {
	int64_t shares, weight;
} cases[] = {
	{ 2, 1 },       { 3, 2 },       { 100, 17 },    { 512, 59 },        { 1024, 100 },
	{ 2000, 170 },  { 2048, 174 },  { 10240, 639 }, { 204800, 8064 },   { 262143, 10000 },
	{ 262144, 10000 },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t weight = cgroup_weight_of(cases[i].shares);
		tap_ok(weight == cases[i].weight, "%lld shares are a weight of %lld: %lld",
		       (long long)cases[i].shares, (long long)cases[i].weight, (long long)weight);
	}
	return tap_finish();
}
