/* An option that no page tells of. */
static const struct config_option options[] = {
	{ "spool.fresh", CONFIG_STRING, 0 },
};
