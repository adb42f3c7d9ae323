/* horde MODE ARGUMENTS: see horde.h. */
#include "horde.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
	const char *name;
	int n_arguments;
	int (*run)(char **arguments);
} modes[] = {
	{ "crowd", 2, horde_crowd },
	{ "sloth", 5, horde_sloth },
	{ "agencies", 6, horde_agencies },
};

void horde_die(const char *what)
{
	fprintf(stderr, "horde: %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc > 1 && strcmp(argv[1], modes[i].name) == 0 &&
		    argc == 2 + modes[i].n_arguments)
			return modes[i].run(argv + 2);
	fputs("horde: wrong arguments\n", stderr);
	return 2;
}
