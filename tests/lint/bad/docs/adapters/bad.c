/* An option that no page tells of. */
static const struct config_option options[] = {
	{ "spool.fresh", CONFIG_STRING, 0 },
};

void adapter_stop(void)
{
	log_write(log, LOG_LEVEL_INFO, "fresh_stop", "n=%d", 1);
}
