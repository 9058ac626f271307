/*
 * A program of the build machine's: prints the filter of the default profile for the default capabilities,
 * as rows of struct sock_filter. SECCOMP_TARGET says for which architecture.
 */
#include <stdio.h>

#include "launcher/seccomp/filter.h"

int main(void)
{
	struct seccomp_policy policy;
	unsigned short length;
	if (seccomp_default(&policy, SECCOMP_BUILT_CAPS) < 0)
		return 1;
	struct sock_filter *filter = seccomp_compile(&policy, &length);
	if (!filter)
		return 1;
	for (unsigned i = 0; i < length; i++)
		printf("{ 0x%02x, %u, %u, 0x%08x },\n", filter[i].code, filter[i].jt, filter[i].jf,
		       filter[i].k);
	return 0;
}
