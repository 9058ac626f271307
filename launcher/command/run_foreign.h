/* The options of docker run that wherry has no use for. */
#ifndef LAUNCHER_COMMAND_RUN_FOREIGN_H
#define LAUNCHER_COMMAND_RUN_FOREIGN_H

#include "launcher/command/options.h"

/* Ends with a row without a name. */
extern const struct foreign run_foreign[];

#endif
