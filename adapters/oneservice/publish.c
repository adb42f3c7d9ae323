/*
 * The publish command. See publish.h.
 *
 * Everything is checked before anything is written: one line that is no good, and nothing goes out.
 * From the moment the spool file is there (spool_put.h) the events are the adapter's. Waiting ends at
 * the last answer or at the deadline. One thread, one process.
 */
#include "oneservice/publish.h"

#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/world.h"
#include "common/spool_put.h"
#include "oneservice/service.h"
#include "store/published.h"

#define NS_PER_S   INT64_C(1000000000)
#define WAIT_MAX_S 86400
#define WAIT_S     10
#define POLL_MS    50

struct publication {
	struct adapter_places places;
	struct service_settings settings;
	struct store *store; /* once it could be opened */
	const char *config;
	const char *input; /* "-": standard input */
	long wait_s;
	char *bytes;
	size_t len;
	struct intake intake;
	bool *answered;
};

static int fail(int status, const char *text)
{
	fprintf(stderr, "ttg-oneservice publish: %s\n", text);
	return status;
}

static int read_arguments(struct publication *publication, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int found;

	while ((found = getopt_long(argc, argv, "c:w:", known, NULL)) != -1) {
		if (found == 'c') {
			publication->config = optarg;
		} else if (found == 'w') {
			publication->wait_s = strtol(optarg, &end, 10);
			if (end == optarg || *end != '\0' || publication->wait_s < 0 ||
			    publication->wait_s > WAIT_MAX_S)
				return fail(PUBLISH_USAGE, "--wait takes seconds, 0 to 86400");
		} else {
			return PUBLISH_USAGE;
		}
	}
	if (publication->config == NULL || argc - optind > 1)
		return fail(PUBLISH_USAGE, "needs --config FILE and at most one input; see --help");
	publication->input = optind < argc ? argv[optind] : "-";
	return PUBLISH_ACCEPTED;
}

static bool make_room(struct publication *publication, size_t bytes)
{
	publication->bytes = malloc(bytes + 1);
	return publication->bytes != NULL;
}

/* Standard input, one byte more than allowed at most. */
static bool read_standard_input(struct publication *publication)
{
	size_t room = publication->places.spool_max_bytes + 1;

	if (!make_room(publication, room))
		return false;
	publication->len = fread(publication->bytes, 1, room, stdin);
	return ferror(stdin) == 0;
}

/* One that is too large is not read: its length says enough. */
static bool read_file(struct publication *publication)
{
	const struct world *world = world_real();
	int file = world->open(world->self, publication->input, WORLD_READ);
	int64_t size = file < 0 ? -1 : world->size(world->self, file);
	bool fine = size >= 0;

	publication->len = fine ? (size_t)size : 0;
	if (fine && publication->len <= publication->places.spool_max_bytes)
		fine = make_room(publication, publication->len) &&
		       world_read_all(world, file, publication->bytes, publication->len, 0) == 0;
	if (file >= 0)
		world->close(world->self, file);
	return fine;
}

static int load_input(struct publication *publication)
{
	bool standard = strcmp(publication->input, "-") == 0;

	if (!(standard ? read_standard_input(publication) : read_file(publication)))
		return fail(PUBLISH_USAGE, "the input cannot be read");
	if (publication->len > publication->places.spool_max_bytes)
		return fail(PUBLISH_USAGE, "the input is longer than spool.max_bytes");
	publication->bytes[publication->len] = '\0';
	return PUBLISH_ACCEPTED;
}

static int check_input(struct publication *publication)
{
	const struct document document = {
		.name = "",
		.bytes = publication->bytes,
		.len = publication->len,
		.form = document_guess(publication->bytes, publication->len),
	};
	struct intake *intake = &publication->intake;
	struct message message = { "" };
	char *reason;

	if (document.form != DOCUMENT_JSON)
		return fail(PUBLISH_USAGE, "the input is not JSON");
	if (service_read(publication->places.agency, &document, intake, &message) != TTG_OK)
		return fail(PUBLISH_REFUSED, message.text);
	if (!intake->refused && intake->total_problems == 0 && intake->n_events > 0)
		return PUBLISH_ACCEPTED;
	reason = intake_reason_text(intake);
	fprintf(stderr, "ttg-oneservice publish: nothing is published\n%s", reason ? reason : "");
	free(reason);
	return PUBLISH_USAGE;
}

static int spool_input(const struct publication *publication)
{
	const char *spool = publication->places.spool_dir;
	struct message message = { "" };

	if (spool[0] == '\0')
		return fail(PUBLISH_USAGE, "spool.dir is not set: the adapter takes no files");
	if (spool_put(world_real(), spool, "publish", publication->bytes, publication->len,
	              &message) != TTG_OK)
		return fail(PUBLISH_REFUSED, message.text);
	return PUBLISH_ACCEPTED;
}

static void print_outcome(const struct intake_event *event, const struct store_outcome *outcome)
{
	char id[TTG_UUID_TEXT];
	const char *word = outcome->duplicate ? "duplicate" : "accepted";

	if (!outcome->answered)
		word = "waiting";
	else if (outcome->code != TTG_OK)
		word = "refused";
	ttg_uuid_format(event->id, id);
	printf("{\"id\":\"%s\",\"type\":\"%s\",\"outcome\":\"%s\",\"sequence\":%" PRIu64
	       ",\"code\":%d,\"name\":\"%s\"}\n",
	       id, ttg_type_name((size_t)event->type), word, outcome->sequence, (int)outcome->code,
	       outcome->code == TTG_OK ? "" : ttg_error_name(outcome->code));
}

/* The answer if there is one; a store that cannot be read is opened anew the next time. */
static bool find_answer(struct publication *publication, const struct intake_event *event,
                        struct store_outcome *outcome)
{
	struct service_store found;
	struct message message;
	enum ttg_error error = TTG_OK;

	memset(outcome, 0, sizeof(*outcome));
	service_find_store(&publication->settings, publication->places.state_dir, &found);
	if (publication->store == NULL)
		error = store_open_reader(&publication->store, &found.place, &message);
	if (error != TTG_OK)
		return false;
	error = store_find_outcome(publication->store, event->id, outcome, &message);
	if (error != TTG_OK && error != TTG_ENOENT)
		store_close(&publication->store);
	return error == TTG_OK && outcome->answered;
}

/* Prints what was answered since; the number that still waits. */
static size_t look_for_answers(struct publication *publication, bool last, bool *refused)
{
	size_t waiting = 0;

	for (size_t i = 0; i < publication->intake.n_events; i++) {
		const struct intake_event *event = &publication->intake.events[i];
		struct store_outcome outcome;

		if (publication->answered[i])
			continue;
		publication->answered[i] = find_answer(publication, event, &outcome);
		waiting += publication->answered[i] ? 0 : 1;
		if (publication->answered[i] || last)
			print_outcome(event, &outcome);
		*refused = *refused || (publication->answered[i] && outcome.code != TTG_OK);
	}
	return waiting;
}

static int wait_for_answers(struct publication *publication)
{
	const struct world *world = world_real();
	int64_t deadline = world->mono_ns(world->self) + publication->wait_s * NS_PER_S;
	bool refused = false;
	size_t waiting;

	publication->answered = calloc(publication->intake.n_events, sizeof(bool));
	if (publication->answered == NULL)
		return fail(PUBLISH_WAITING, "no memory to wait; the events are in the spool");
	do {
		poll(NULL, 0, POLL_MS);
		waiting = look_for_answers(publication, false, &refused);
	} while (waiting > 0 && world->mono_ns(world->self) < deadline);
	if (waiting == 0)
		return refused ? PUBLISH_REFUSED : PUBLISH_ACCEPTED;
	look_for_answers(publication, true, &refused);
	return fail(PUBLISH_WAITING,
	            "not everything is answered yet; it is kept and goes out as soon "
	            "as ttg-oneservice runs and reaches the broker");
}

static int publish_all(struct publication *publication)
{
	struct message message = { "" };
	int status;

	if (adapter_find_places(&service_kind, publication->config, &publication->places,
	                        &publication->settings, &message) != TTG_OK)
		return fail(PUBLISH_USAGE, message.text);
	status = load_input(publication);
	if (status == PUBLISH_ACCEPTED)
		status = check_input(publication);
	if (status == PUBLISH_ACCEPTED)
		status = spool_input(publication);
	return status == PUBLISH_ACCEPTED ? wait_for_answers(publication) : status;
}

int publish_main(int argc, char **argv)
{
	struct publication *publication = calloc(1, sizeof(*publication));
	int status;

	if (publication == NULL)
		return fail(PUBLISH_REFUSED, "no memory");
	publication->wait_s = WAIT_S;
	intake_init(&publication->intake);
	status = read_arguments(publication, argc, argv);
	if (status == PUBLISH_ACCEPTED)
		status = publish_all(publication);
	store_close(&publication->store);
	intake_fini(&publication->intake);
	free(publication->bytes);
	free(publication->answered);
	free(publication);
	return status;
}
