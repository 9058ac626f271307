/* The keys of the session that wherry was called in: keyrings(7). */
#ifndef LAUNCHER_RIGHTS_KEYRING_H
#define LAUNCHER_RIGHTS_KEYRING_H

/* An empty keyring takes the place of the caller's session's, session-keyring(7). Returns 0, or -1 with a failure. */
int keyring_leave(void);

#endif
