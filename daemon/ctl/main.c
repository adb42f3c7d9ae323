/*
 * ttgctl: the operator's tool. Everything is in run.c, where tests reach it.
 */
#include <signal.h>

#include "ctl/ctl.h"

int main(int argc, char **argv)
{
	enum ctl_exit status;

	/* A daemon that goes away while we write is an answer, not the end. */
	signal(SIGPIPE, SIG_IGN);
	status = ctl_run(argc, argv, stdout, stderr);
	if (fflush(stdout) != 0 && status == CTL_FINE)
		status = CTL_NO;
	return (int)status;
}
