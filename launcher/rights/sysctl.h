/* Kernel parameters that belong to the container's own namespaces: --sysctl. */
#ifndef LAUNCHER_RIGHTS_SYSCTL_H
#define LAUNCHER_RIGHTS_SYSCTL_H

#include <stdbool.h>

/*
 * Refuses what would reach the whole machine: only the IPC namespace's, and, with a network namespace
 * of its own, the network's may be set (sysctl(8) names). WORD is KEY=VALUE.
 */
int sysctl_check(const char *word, bool own_ipc, bool own_network);

/*
 * In the container, before /proc/sys becomes read-only. "Usual" is what docker sets in a network namespace
 * of its own: low ports and ICMP echo take no rights. PROC: our own procfs, a descriptor.
 */
void sysctl_set_usual(int proc);
int sysctl_set(int proc, const char *word);

#endif
