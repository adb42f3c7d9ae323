/* The desk at work: store, web and signals in one loop, until it is told to stop. */
#ifndef DESK_DESK_RUN_H
#define DESK_DESK_RUN_H

#include "desk/desk.h"

/* Settings as desk_config_load() left them; the exit status: 0 stopped, 1 failed. */
int desk_run(const struct desk_settings *settings, struct log *log);

#endif
