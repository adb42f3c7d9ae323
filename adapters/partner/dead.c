/*
 * Dead letters of what is pushed: listed, sent again, removed. See dead.h. Works on the files
 * beside the running adapter, which finds within seconds what was put back.
 */
#include "partner/dead.h"

#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "partner/partner.h"

#define NS_PER_S INT64_C(1000000000)

enum verb { VERB_LIST, VERB_RETRY, VERB_DISCARD };

struct names {
	struct push_name *list;
	size_t n, room;
	bool failed; /* no memory */
};

struct dead {
	enum verb verb;
	bool all;
	char **ids;
	int n_ids;
	char dir[PATH_MAX / 2]; /* push/ of the state */
	struct names names;
};

static int fail(int status, const char *text)
{
	fprintf(stderr, "ttg-partner dead: %s\n", text);
	return status;
}

static bool take_name(void *arg, const char *text)
{
	struct names *names = arg;
	struct push_name name;

	if (!push_name_parse(text, &name))
		return true;
	if (names->n == names->room) {
		size_t room = names->room == 0 ? 64 : names->room * 2;
		struct push_name *longer = realloc(names->list, room * sizeof(*longer));

		names->failed = longer == NULL;
		if (longer == NULL)
			return false;
		names->list = longer;
		names->room = room;
	}
	names->list[names->n++] = name;
	return true;
}

static int compare_names(const void *a, const void *b)
{
	const struct push_name *one = a;
	const struct push_name *other = b;

	if (one->order_ns != other->order_ns)
		return one->order_ns < other->order_ns ? -1 : 1;
	return strcmp(one->id, other->id);
}

static bool is_chosen(const struct dead *dead, const char *id)
{
	for (int i = 0; i < dead->n_ids; i++) {
		if (strcmp(dead->ids[i], id) == 0)
			return true;
	}
	return dead->all;
}

static void dead_path(const struct dead *dead, const struct push_name *name, char out[PATH_MAX])
{
	char file[PUSH_NAME_BYTES];

	push_name_format(name, file);
	snprintf(out, PATH_MAX, "%s/dead/%s", dead->dir, file);
}

static void print_one(const struct dead *dead, const struct push_name *name)
{
	char path[PATH_MAX];
	char accepted[INSTANT_TEXT];
	char first[INSTANT_TEXT];
	json_t *root;
	const char *type;

	dead_path(dead, name, path);
	root = json_load_file(path, 0, NULL);
	type = json_string_value(json_object_get(root, "type"));
	instant_format(name->order_ns, accepted);
	instant_format(name->first_s * NS_PER_S, first);
	printf("{\"id\":\"%s\",\"type\":\"%s\",\"accepted_at\":\"%s\",\"first_tried_at\":\"%s\","
	       "\"attempts\":%u,\"status\":%ld}\n",
	       name->id, type == NULL || ttg_type_find(type) < 0 ? "" : type, accepted, first,
	       name->attempts, name->status);
	json_decref(root);
}

/* Back into the queue as if it had never been tried, or away. */
static int settle_one(const struct dead *dead, const struct push_name *name)
{
	const struct world *world = world_real();
	struct push_name to = { .order_ns = name->order_ns };
	char file[PUSH_NAME_BYTES];
	char from[PATH_MAX];
	char path[PATH_MAX];
	int result;

	memcpy(to.id, name->id, sizeof(to.id));
	push_name_format(&to, file);
	dead_path(dead, name, from);
	snprintf(path, sizeof(path), "%s/%s", dead->dir, file);
	if (dead->verb == VERB_RETRY)
		result = world->rename(world->self, from, path);
	else
		result = world->unlink(world->self, from);
	if (result < 0) {
		fprintf(stderr, "ttg-partner dead: %s: %s\n", name->id, strerror(-result));
		return ADAPTER_FAILED;
	}
	printf("%s %s\n", name->id, dead->verb == VERB_RETRY ? "is sent again" : "is removed");
	return ADAPTER_FINE;
}

static bool is_there(const struct dead *dead, const char *id)
{
	for (size_t i = 0; i < dead->names.n; i++) {
		if (strcmp(dead->names.list[i].id, id) == 0)
			return true;
	}
	return false;
}

static int work(const struct dead *dead)
{
	const struct world *world = world_real();
	int status = ADAPTER_FINE;

	for (int i = 0; i < dead->n_ids; i++) {
		if (!is_there(dead, dead->ids[i]))
			status = fail(ADAPTER_FAILED, "no dead letter has one of these ids");
	}
	for (size_t i = 0; i < dead->names.n; i++) {
		if (dead->verb == VERB_LIST)
			print_one(dead, &dead->names.list[i]);
		else if (is_chosen(dead, dead->names.list[i].id) &&
		         settle_one(dead, &dead->names.list[i]) != ADAPTER_FINE)
			status = ADAPTER_FAILED;
	}
	if (dead->verb == VERB_RETRY && world->sync_dir(world->self, dead->dir) < 0)
		status = fail(ADAPTER_FAILED, "the folder cannot be synced");
	return status;
}

static int find_and_work(struct dead *dead, const char *config)
{
	const struct world *world = world_real();
	struct partner_settings *settings = calloc(1, sizeof(*settings));
	struct adapter_places *places = calloc(1, sizeof(*places));
	struct message message = { "" };
	char folder[PATH_MAX];
	int status = ADAPTER_FAILED;
	int listed;

	if (settings == NULL || places == NULL) {
		fail(status, "no memory");
		goto out;
	}
	if (adapter_find_places(&partner_kind, config, places, settings, &message) != TTG_OK) {
		status = fail(ADAPTER_USAGE, message.text);
		goto out;
	}
	snprintf(dead->dir, sizeof(dead->dir), "%s/" PUSH_FOLDER, places->state_dir);
	snprintf(folder, sizeof(folder), "%s/dead", dead->dir);
	listed = world->list(world->self, folder, take_name, &dead->names);
	if (listed < 0 || dead->names.failed) {
		fail(status, "there is no folder of dead letters yet, or it cannot be read");
		goto out;
	}
	if (dead->names.n > 0)
		qsort(dead->names.list, dead->names.n, sizeof(*dead->names.list), compare_names);
	status = work(dead);
out:
	free(dead->names.list);
	free(settings);
	free(places);
	return status;
}

static bool read_verb(const char *word, enum verb *out)
{
	static const char *const words[] = { "list", "retry", "discard" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(words[i], word) == 0) {
			*out = (enum verb)i;
			return true;
		}
	}
	return false;
}

int dead_main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "all", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct dead dead = { .all = false };
	const char *config = NULL;
	int found;

	if (argc < 2 || !read_verb(argv[1], &dead.verb))
		return fail(ADAPTER_USAGE, "list, retry or discard; see --help");
	while ((found = getopt_long(argc - 1, argv + 1, "c:a", known, NULL)) != -1) {
		if (found == 'c')
			config = optarg;
		else if (found == 'a')
			dead.all = true;
		else
			return ADAPTER_USAGE;
	}
	dead.ids = argv + 1 + optind;
	dead.n_ids = argc - 1 - optind;
	if (config == NULL || (dead.verb == VERB_LIST && (dead.all || dead.n_ids > 0)) ||
	    (dead.verb != VERB_LIST && dead.all == (dead.n_ids > 0)))
		return fail(ADAPTER_USAGE, "needs --config FILE, and ids or --all; see --help");
	return find_and_work(&dead, config);
}
