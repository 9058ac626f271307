/* Signals by name, as people and images write them. */
#ifndef LAUNCHER_SPEC_SIGNAL_NAMES_H
#define LAUNCHER_SPEC_SIGNAL_NAMES_H

/* "TERM", "SIGTERM", "15", "RTMIN+3" → the kernel's number; -1 where there is none. */
int signal_number(const char *text);

#endif
