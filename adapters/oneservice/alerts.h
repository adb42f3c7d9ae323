/*
 * ttg-oneservice alerts, ttg-oneservice acknowledge: the alerts nobody has acknowledged yet, and
 * one of them acknowledged by somebody, for operators and scripts where there is no desk. Beside
 * the running adapter, which tells the broker.
 */
#ifndef ONESERVICE_ALERTS_H
#define ONESERVICE_ALERTS_H

enum alerts_exit {
	ALERTS_FINE = 0,
	ALERTS_FAILED = 1,   /* no such alert, or the store cannot be opened, read or written */
	ALERTS_USAGE = 2,    /* command line or configuration */
	ALERTS_TOO_LATE = 3, /* somebody has acknowledged it before */
};

/* argv[0] is the word "alerts" or "acknowledge". */
int alerts_main(int argc, char **argv);

#endif
