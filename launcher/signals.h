/* Signals by name and number. */
#ifndef LAUNCHER_SIGNALS_H
#define LAUNCHER_SIGNALS_H

/* "TERM", "SIGTERM", "15", "RTMIN+3" → the kernel's number; -1 where there is none. */
int signal_number(const char *text);

#endif
