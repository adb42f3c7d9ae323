/*
 * ttg-oneservice publish: for people and scripts beside the running adapter. One path only: the
 * events go into the adapter's spool, durable there, and the running adapter sends them; the
 * outcomes are read back from the case store.
 */
#ifndef ONESERVICE_PUBLISH_H
#define ONESERVICE_PUBLISH_H

/*
 * Exit status: 0 every event accepted (or a duplicate of an accepted one), 1 one was refused or
 * something failed, 2 wrong use, wrong configuration or unreadable input (nothing is published),
 * 3 all is in the spool, but not every answer came in time.
 */
enum publish_exit {
	PUBLISH_ACCEPTED = 0,
	PUBLISH_REFUSED = 1,
	PUBLISH_USAGE = 2,
	PUBLISH_WAITING = 3,
};

/* argv[0] is the word "publish". */
int publish_main(int argc, char **argv);

#endif
