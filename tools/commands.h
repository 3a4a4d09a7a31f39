/* The subcommands, in the order in which `ingot help` lists them. */
#ifndef INGOT_TOOLS_COMMANDS_H
#define INGOT_TOOLS_COMMANDS_H

#include "cli.h"

extern const struct cli_command cmd_initrd;
extern const struct cli_command cmd_uki;

extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;

extern const struct cli_command cmd_build;
extern const struct cli_command cmd_mkfs;
extern const struct cli_command cmd_inspect;
extern const struct cli_command cmd_verify;
extern const struct cli_command cmd_verity_format, cmd_verity_check, cmd_verity_repair;
extern const struct cli_command cmd_disk;
extern const struct cli_command cmd_convert;
extern const struct cli_command cmd_vendors;
extern const struct cli_command cmd_sign_root_hash, cmd_sign_pe, cmd_sign_file, cmd_sign_sums;
extern const struct cli_command cmd_sign, cmd_attach;
extern const struct cli_command cmd_sign_efi_list, cmd_sign_efi_variable;

#endif
