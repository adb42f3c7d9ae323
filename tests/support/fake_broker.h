/*
 * A broker that does what a test tells it: one CURVE ROUTER and its ZAP handler on loopback, on the
 * test's own thread, and one client of libttg that talks to it. Nothing happens by itself: the test
 * takes each frame of the client's and answers it.
 *
 * A scene_ call that waits does so with a deadline and fails the test when it passes.
 */
#ifndef TTG_TESTS_FAKE_BROKER_H
#define TTG_TESTS_FAKE_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ttg/client.h>
#include <ttg/proto/session.pb-c.h>

#define SCENE_MAX 256

struct scene_outcome {
	uintptr_t tag;
	enum ttg_error code;
	bool duplicate;
	uint64_t sequence;
};

struct scene_delivery {
	uint64_t position;
	uint32_t attempt;
	char mailbox[80];
};

struct scene {
	char dir[64];
	char endpoint[128];
	void *context, *router, *zap;
	bool deny;               /* the ZAP handler refuses every key */
	uint8_t identity[256];   /* of the client's present connection */
	size_t identity_bytes;
	uint64_t session;        /* of its last Hello */
	size_t hellos;
	Ttg__Welcome welcome;    /* sent by scene_welcome(); the test may change it before */

	struct ttg_client *client;
	struct ttg_client_options options;
	enum ttg_error polled;   /* what ttg_client_poll() said last */
	struct scene_outcome outcomes[SCENE_MAX];
	size_t n_outcomes;
	struct scene_delivery deliveries[SCENE_MAX];
	size_t n_deliveries, n_batches, n_attached;
	enum ttg_error last_code; /* of on_state */
	size_t n_reports;
	char last_text[256];
	/* Called for each delivery when set. */
	void (*on_delivery)(struct scene *scene, const struct ttg_delivery *delivery);
};

/* Keys in a new directory, a listening broker, options for a client; no client yet. */
struct scene *scene_new(void);
void scene_free(struct scene **scene);

/* Makes the client from scene->options. */
void scene_connect(struct scene *scene);
/* scene_connect(), Hello and Welcome. */
void scene_begin(struct scene *scene);
/* Frees the client as a crash would. */
void scene_disconnect(struct scene *scene);

/* One turn of both sides. */
void scene_turn(struct scene *scene);
/* Turns until `condition` holds. */
void scene_until(struct scene *scene, bool (*condition)(const struct scene *scene));
/* Turns for that long, to see that something does not happen. */
void scene_idle(struct scene *scene, int ms);

/* The client's next frame that is no heartbeat; must be of this kind. Caller frees it. */
Ttg__Frame *scene_expect(struct scene *scene, Ttg__Frame__BodyCase kind);
/* The next frame if there is one; NULL. */
Ttg__Frame *scene_take(struct scene *scene);
/* The client must say nothing but heartbeats for a while. */
void scene_expect_silence(struct scene *scene);

void scene_send(struct scene *scene, const Ttg__Frame *frame);
void scene_send_bytes(struct scene *scene, const void *data, size_t len);

/* Takes Hello, answers with Welcome, waits until the client is ready. */
void scene_welcome(struct scene *scene);
/* Takes the client's Publish and answers that all of it was accepted from `sequence` on. Returns
   the number of events. */
size_t scene_accept(struct scene *scene, uint64_t sequence);
/* Takes Attach and answers Attached. Returns the credit. */
uint32_t scene_attach(struct scene *scene, uint64_t acknowledged);
/* Delivers `n` positions from `first` on, all about the person of this letter (0: nobody). */
void scene_deliver(struct scene *scene, uint64_t first, size_t n, char person);
void scene_nacked(struct scene *scene, uint64_t position);

/* The broker goes: its sockets close and the connection breaks. */
void scene_broker_stop(struct scene *scene);
/* It comes back on the same port. */
void scene_broker_start(struct scene *scene);

/* The client's descriptor asks for a poll. */
bool scene_readable(const struct scene *scene);

/* Publishes an event of `bytes` bytes with this tag, which also makes its id. */
enum ttg_error scene_publish(struct scene *scene, uintptr_t tag, size_t bytes);

#endif
