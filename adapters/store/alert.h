/*
 * Alerts of the case store: a row for every event of urgency "urgent" since the store has been
 * keeping them, from the moment it was first delivered; open until a person acknowledges it. Part
 * of a store, see store.h.
 *
 * Where the adapter is told to wait for people (alerts = "people"), it acknowledges such a delivery
 * to the broker only when it is acknowledged here: then `released` tells that it need not wait any
 * more.
 *
 * A notice of the broker that an alert went unacknowledged (broker.alert_unacknowledged) names that
 * event. Where the notice is an alert itself, acknowledging the event acknowledges the notice, too,
 * in whichever order they come; acknowledging the notice says nothing of the event.
 */
#ifndef STORE_ALERT_H
#define STORE_ALERT_H

#include "store/store.h"

struct store_alert {
	uint8_t id[16];       /* of the event: store_find_event() */
	const char *type;     /* of the event */
	const char *mailbox;  /* it first came through */
	uint64_t position;    /* there */
	int64_t raised_ns;    /* when it first came */
	const uint8_t *about; /* of a notice: id of the event it names; otherwise NULL */
	bool is_acknowledged; /* by a person */
	int64_t acknowledged_ns;
	const char *acknowledged_by; /* "" while open */
	bool released;               /* the broker need not wait for a person any more */
};

/* Who acknowledged, and when. */
struct store_signature {
	int64_t at_ns;
	char by[STORE_USER_MAX + 1];
};

/* Oldest first; open_only: those that nobody acknowledged. each() as of store_each(). */
enum ttg_error store_each_alert(struct store *store, bool open_only,
                                bool (*each)(void *arg, const struct store_alert *alert), void *arg,
                                struct message *message);

/*
 * Notes that this person has acknowledged the alert, and the notices about it. Commits by itself.
 * Of several at once one wins; the others get TTG_EEXIST. TTG_ENOENT: no such alert. TTG_EINVAL:
 * user is empty, longer than STORE_USER_MAX or no clean line of text. signature (may be NULL):
 * whose it is now, for TTG_OK and TTG_EEXIST.
 */
enum ttg_error store_acknowledge(struct store *store, const uint8_t id[16], const char *user,
                                 int64_t now_ns, struct store_signature *signature,
                                 struct message *message);

/*
 * For the adapter. Whether alerts wait for a person before the broker is told; no, where nothing is
 * said. Holds for those raised from now on; with no, nothing that was raised before waits any more.
 * Commits by itself.
 */
enum ttg_error store_hold_alerts(struct store *store, bool hold, struct message *message);
/* True for an alert that was raised to wait for a person, and still does. False: none, too. */
enum ttg_error store_alert_waits(struct store *store, const uint8_t id[16], bool *waits,
                                 struct message *message);
/*
 * Up to max alerts that were acknowledged by a person and not released: they are now, durably.
 * Cheap when there are none.
 */
enum ttg_error store_release_acknowledged(struct store *store, uint8_t (*ids)[16], size_t max,
                                          size_t *n, struct message *message);
/* Releases one that is still open. Commits by itself. */
enum ttg_error store_release(struct store *store, const uint8_t id[16], struct message *message);

#endif
