/* Paths as the user wrote them. */
#ifndef LAUNCHER_PATHS_H
#define LAUNCHER_PATHS_H

/* PATH itself, or behind the working directory where it is relative. The caller's; NULL with a failure. */
char *path_absolute(const char *path);

#endif
