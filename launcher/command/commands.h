/* The subcommands, each a row in a file of its name; main.c lists them. */
#ifndef LAUNCHER_COMMAND_COMMANDS_H
#define LAUNCHER_COMMAND_COMMANDS_H

#include "launcher/command/options.h"

#define WHERRY_VERSION "0.1.0"

extern const struct command fsck_command;
extern const struct command history_command;
extern const struct command image_exists_command;
extern const struct command images_command;
extern const struct command import_command;
extern const struct command inspect_command;
extern const struct command load_command;
extern const struct command prune_command;
extern const struct command rmi_command;
extern const struct command run_command;
extern const struct command save_command;
extern const struct command tag_command;
extern const struct command version_command;
extern const struct command volume_create_command;
extern const struct command volume_exists_command;
extern const struct command volume_inspect_command;
extern const struct command volume_ls_command;
extern const struct command volume_prune_command;
extern const struct command volume_rm_command;

#endif
