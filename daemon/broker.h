/* The whole broker, made in order, run, unwound in reverse. */
#ifndef TTGD_BROKER_H
#define TTGD_BROKER_H

#include "base/message.h"
#include "config/config.h"

/*
 * Runs until SIGTERM or SIGINT, or a failure. Takes the configuration. SIGHUP reloads. The signals
 * must be blocked in the calling thread before any other is started. Returns TTG_OK after a clean
 * stop, else what ended it, with a sentence in message; it has been logged as well.
 */
enum ttg_error broker_run(struct config *take_config, struct message *message);

#endif
