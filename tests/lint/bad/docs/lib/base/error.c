/* An error code that no document tells of. */
static const struct entry table[] = {
	{ TTG_OK, "ok", "Done." },
	{ TTG_EFRESH, "efresh", "Fresh." },
};
