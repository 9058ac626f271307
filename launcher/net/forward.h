/* The host's own sysctls: a machine that passes on what containers send and get. */
#ifndef LAUNCHER_NET_FORWARD_H
#define LAUNCHER_NET_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether this machine has IPv6, and has it switched on. */
bool forward_has_ipv6(void);

/* Writes into RECORD what is off and forward_on would switch on: "4", "6", "46" or "", and then ",IFNAME" …. */
void forward_look(char *record, size_t size);

/* Switches it on. Uplinks that follow router advertisements go on doing so. Returns 0, or -1 with a failure. */
int forward_on(void);

/* Switches off what RECORD names. */
void forward_off(const char *record);

/*
 * For a bridge, before it is up: its link-local address, under which it asks who has another, is good at once; nobody on it may advertise routes to us (CVE-2020-13401); LOOPBACK: what comes from 127.0.0.0/8 may
 * leave by it.
 */
int forward_bridge(const char *name, bool loopback);

/* For the links that a new network namespace, this process' own, will have. */
void forward_inside(void);

#endif
