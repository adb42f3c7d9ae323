/*
 * Notes for alerts.c: what single events tell of alerts. Each event is read once; what is told of an
 * alert is worked out of all notes together.
 */
#ifndef DESK_ALERTS_NOTES_H
#define DESK_ALERTS_NOTES_H

#include "desk/alerts.h"

struct notes;

struct notes *notes_new(void);
void notes_free(struct notes **notes);

/*
 * Notes the events that came since the last call. *noted becomes true when there was one that tells
 * something, or one that was known and became another; *urgent when there was an urgent one, which
 * has a row in the store's table then; both stay what they are otherwise. Errors of the store, after
 * which it goes on where it was; TTG_ENOMEM.
 */
enum ttg_error notes_follow(struct notes *notes, const struct views *views, struct store *store,
                            bool *noted, bool *urgent, struct message *message);

/*
 * The event that was put last into the views, while its row is at hand: it need not be read again.
 * Does nothing for one that is not the next. TTG_ENOMEM.
 */
enum ttg_error notes_take(struct notes *notes, const struct views *views,
                          const struct store_event *from, struct message *message);

/* An event that was read has to be once more. */
void notes_look_again(struct notes *notes, uint32_t event);

/* Sets what of the alert is told by events: all from escalated_ns on. */
void notes_tell(const struct notes *notes, const struct views *views, struct alert *alert);

/* See alerts_story(); id is that of the event. */
size_t notes_story(const struct notes *notes, uint32_t event, const uint8_t id[TTG_UUID_BYTES],
                   uint32_t *out, size_t max);

#endif
