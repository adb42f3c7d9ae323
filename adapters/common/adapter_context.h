/*
 * What the frame tells a kind of adapter. See adapter.h.
 */
#ifndef ADAPTERS_COMMON_ADAPTER_CONTEXT_H
#define ADAPTERS_COMMON_ADAPTER_CONTEXT_H

#include "base/log.h"

/* What a reader knows of the frame. */
struct adapter_context {
	const char *agency;
	const char *state_dir;
	const char *mailbox;
	const char *out_dir;   /* "": none */
	const char *spool_dir; /* "": none */
	struct log *log;       /* NULL while the configuration is checked */
};

#endif
