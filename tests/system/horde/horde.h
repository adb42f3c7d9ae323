/*
 * The horde: clients in masses and of bad manners, in processes of their own, so that they do not
 * slow down what a system test measures. Each ends at SIGTERM, at the latest with its parent.
 */
#ifndef TTG_HORDE_H
#define TTG_HORDE_H

#include <stdnoreturn.h>

/* PORT N: N connections to the loopback that never finish a handshake, half of them with a part of
   the greeting. Prints "connected N" when all were tried, "closed N" when the last was closed. */
int horde_crowd(char **arguments);

/* ENDPOINT SERVER_KEY KEY MAILBOX CREDIT: attaches and never reads, but sends heartbeats. */
int horde_sloth(char **arguments);

/* ENDPOINT SERVER_KEY FOLDER FIRST N EVENTS: agencies aFIRST and on, each publishes EVENTS and
   expects as many in its mailbox "in". Prints "ready N", then "done N". */
int horde_agencies(char **arguments);

/* Says why and ends with 1. */
noreturn void horde_die(const char *what);

#endif
