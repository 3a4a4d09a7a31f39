/* What the tables say, for people: --help, man pages, completion. */
#ifndef INGOT_TOOLS_HELP_H
#define INGOT_TOOLS_HELP_H

#include "cli.h"

void help_overview(void);
void help_command(const struct cli_command *command);

/* `ingot man NAME`: roff on standard output; `ingot completion`: a bash script. */
extern const struct cli_command cmd_man;
extern const struct cli_command cmd_completion;

#endif
