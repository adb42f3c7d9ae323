/* The command `dead`: what the receiver of push.url would not take. */
#ifndef PARTNER_DEAD_H
#define PARTNER_DEAD_H

/* argv[0] is "dead". Returns the exit status (enum adapter_exit). */
int dead_main(int argc, char **argv);

#endif
