/* ttg-pub --state: what became of events, a line of JSON each. */
#ifndef TOOLS_PUB_STATE_H
#define TOOLS_PUB_STATE_H

#include "tools/tool.h"

#define PUB_STATE_MAX 4096 /* ids at once, as libttg takes */

/* Options of the tool are read; ids are texts of the command line. Exit code. */
enum tool_exit pub_state(struct tool *take_tool, char *const *ids, size_t n, int64_t timeout_ms);

#endif
