/* Prints every call of the table: the ABI, the name and the number, as the kernel's headers have it. */
#include <stdio.h>

#include "launcher/seccomp/calls.h"

int main(void)
{
	for (unsigned abi = 0; seccomp_abis[abi].name; abi++) {
		for (unsigned call = 0; call < CALL_COUNT; call++) {
			uint32_t number = seccomp_call_number(call, abi);
			if (number != SECCOMP_NO_NUMBER)
				printf("%s %s %u\n", seccomp_abis[abi].name, seccomp_call_name(call),
				       number + seccomp_abis[abi].base);
		}
	}
	return 0;
}
