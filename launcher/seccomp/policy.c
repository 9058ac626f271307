#include "launcher/seccomp/policy.h"

#include <stdlib.h>

/* More would not fit into a filter: a rule takes at least one instruction of BPF_MAXINSNS, 4096. */
enum { RULES_MAX = 4096, RULES_STEP = 64 };

void seccomp_policy_open(struct seccomp_policy *policy, uint32_t otherwise)
{
	*policy = (struct seccomp_policy){ .otherwise = otherwise, .abis = 1 };
	for (unsigned call = 0; call < CALL_COUNT; call++)
		policy->calls[call].action = otherwise;
}

void seccomp_policy_close(struct seccomp_policy *policy)
{
	free(policy->rules);
	policy->rules = NULL;
	policy->rule_count = 0;
}

static void settle(struct seccomp_verdict *verdict, uint32_t action)
{
	verdict->settled = true;
	verdict->action = action;
	verdict->first = verdict->last = 0;
}

static int append(struct seccomp_policy *policy, struct seccomp_verdict *verdict,
		  const struct seccomp_rule *rule)
{
	if (policy->rule_count == RULES_MAX)
		return -1;
	if (policy->rule_count % RULES_STEP == 0) {
		size_t size = (policy->rule_count + RULES_STEP) * sizeof(*rule);
		struct seccomp_rule *grown = realloc(policy->rules, size);
		if (!grown)
			return -1;
		policy->rules = grown;
	}
	policy->rules[policy->rule_count] = *rule;
	policy->rules[policy->rule_count].next = 0;
	uint16_t place = (uint16_t)++policy->rule_count;
	if (verdict->last)
		policy->rules[verdict->last - 1].next = place;
	else
		verdict->first = place;
	verdict->last = place;
	return 0;
}

int seccomp_policy_add(struct seccomp_policy *policy, enum seccomp_call call,
		       const struct seccomp_rule *rule)
{
	struct seccomp_verdict *verdict = &policy->calls[call];
	verdict->named = true;
	if (verdict->settled)
		return 0;
	if (rule->count)
		return append(policy, verdict, rule);
	settle(verdict, rule->action);
	return 0;
}
