/* See keys.h. Owner: the loop. */
#include "net/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyfile.h"
#include "base/planted.h"
#include "core/erase.h"
#include "core/record.h"

_Static_assert(PAYLOAD_MORE == RECORD_SEAL_BYTES, "the core leaves as much room as it takes");
_Static_assert(PAYLOAD_DIGEST == RECORD_DIGEST && PAYLOAD_ID == RECORD_ID, "of a record");
_Static_assert(KEYSTORE_KEY == KEYFILE_SYMMETRIC, "the master key's file holds a whole one");

#define REWRAPS_A_CYCLE 8
#define DESTROYED_A_CYCLE 512u

enum ttg_error net_keys_open(struct net *net, const struct keystore_options *options,
			     struct message *message)
{
	enum ttg_error error;

	if (!options)
		return TTG_OK;
	net->keys = calloc(1, sizeof(*net->keys));
	if (!net->keys)
		return message_set(message, TTG_ENOMEM, "no memory for the key store");
	error = keystore_open(&net->keys->store, options, net->world, message);
	if (error)
		return error;
	net->keys->payloads = payloads_new(net->keys->store, net->world);
	return net->keys->payloads ? TTG_OK :
				     message_set(message, TTG_ENOMEM, "no memory for the key store");
}

void net_keys_close(struct net *net)
{
	if (!net->keys)
		return;
	payloads_free(&net->keys->payloads);
	keystore_close(&net->keys->store);
	free(net->keys);
	net->keys = NULL;
}

/* The first on the core's list, as many as one cycle has time for. *left: there are more. */
static enum ttg_error destroy_some(struct net *net, bool *left)
{
	uint64_t sequence;
	size_t n;
	const uint64_t *numbers = core_erased_keys(net->core, &n, &sequence);
	const size_t some = n < DESTROYED_A_CYCLE ? n : DESTROYED_A_CYCLE;
	enum ttg_error error = TTG_OK;

	*left = n > some;
	if (some > 0 && !PLANTED(KEEP_KEYS))
		error = keystore_destroy(net->keys->store, numbers, some);
	if (error)
		return error;
	core_keys_destroyed(net->core, some);
	payloads_forget(net->keys->payloads);
	return TTG_OK;
}

/* Every key that was nobody's any more when the broker stopped. */
static enum ttg_error destroy_unused(struct net *net, const struct keystore_used *used)
{
	enum ttg_error error = TTG_OK;
	uint64_t sequence;
	size_t n;

	if (!PLANTED(FORGET_ERASED))
		error = keystore_destroy_unused(net->keys->store, used);
	if (error)
		return error;
	core_erased_keys(net->core, &n, &sequence);
	core_keys_destroyed(net->core, n);
	net->keys->erased = sequence;
	return TTG_OK;
}

enum ttg_error net_keys_recovered(struct net *net, struct message *message)
{
	const uint64_t newest = core_newest_key(net->core);
	enum ttg_error error;
	uint8_t *bits;

	if (!net->keys && newest > 0)
		return message_set(message, TTG_EINVAL,
				   "the journal holds payloads that are sealed with keys of a key store: "
				   "keys.directory must name it");
	if (!net->keys)
		return TTG_OK;
	bits = calloc(1, (size_t)(newest / 8) + 1);
	if (!bits)
		return message_set(message, TTG_ENOMEM, "no memory for the key store");
	const struct keystore_used used = { newest, bits };
	core_mark_keys(net->core, bits);
	error = keystore_prove(net->keys->store, &used, message);
	if (error) {
		free(bits);
		return error;
	}
	error = destroy_unused(net, &used);
	free(bits);
	return error ? message_set(message, error, "keys that were to be destroyed cannot be: %s",
				   ttg_error_text(error)) :
		       TTG_OK;
}

/* Keys that cannot be read, or do not fit, end the broker: nothing may be said of what cannot be opened
   again. */
static enum ttg_error judge(struct net *net, enum ttg_error error)
{
	if (error != TTG_OK && error != TTG_EPERM && error != TTG_ENOSPC && error != TTG_ENOMEM)
		net->failure = error;
	return error;
}

static enum ttg_error sink_take_key(void *self, uint64_t *key)
{
	struct net *net = self;

	return judge(net, keystore_take(net->keys->store, key));
}

static struct payload_place place_of(const struct record_event *event)
{
	return (struct payload_place){ event->key, event->id, event->digest };
}

static bool is_gone(void *arg, uint64_t key)
{
	return keystore_is_destroyed(arg, key);
}

enum ttg_error net_keys_reconcile(struct net *net)
{
	const struct core_now now = net_now(net);

	return net->keys ? core_erase_gone(net->core, &now, is_gone, net->keys->store) : TTG_OK;
}

static enum ttg_error sink_seal(void *self, const struct record_event *event, uint8_t *digest,
				uint8_t *sealed)
{
	struct net *net = self;
	const struct payload_place place = place_of(event);

	return judge(net, payload_seal(net->keys->payloads, &place, event->bytes, event->n_bytes, digest,
				       sealed));
}

static enum ttg_error sink_open(void *self, struct record_event *event)
{
	struct net *net = self;
	const struct payload_place place = place_of(event);

	return judge(net, payload_open(net->keys->payloads, &place, event->sealed, event->n_sealed,
				       &event->bytes, &event->n_bytes));
}

void net_keys_sink(const struct net *net, struct core_sink *sink)
{
	if (net->config->keys_directory[0] == '\0')
		return;
	sink->take_key = sink_take_key;
	sink->seal = sink_seal;
	sink->open = sink_open;
}

bool net_keys_erased(const struct net *net, uint64_t sequence)
{
	return !net->keys || net->keys->erased >= sequence;
}

bool net_keys_step(struct net *net, uint64_t durable)
{
	struct net_keys *keys = net->keys;
	enum ttg_error error;
	uint64_t sequence;
	bool left;
	size_t n;

	if (!keys)
		return false;
	core_erased_keys(net->core, &n, &sequence);
	if (sequence <= keys->erased || sequence > durable)
		return false;
	error = destroy_some(net, &left);
	if (error == TTG_ENOSPC)
		return false;
	if (error)
		net->failure = error;
	else if (!left)
		keys->erased = sequence;
	return !error && left;
}

void net_keys_view(const struct net *net, struct keystore_view *out)
{
	keystore_get_view(net->keys->store, out);
}

void net_keys_upkeep(struct net *net)
{
	struct keystore_view view;
	enum ttg_error error = TTG_OK;
	bool done = false;

	if (!net->keys)
		return;
	keystore_get_view(net->keys->store, &view);
	if (!view.rewrapping)
		return;
	for (int i = 0; i < REWRAPS_A_CYCLE && !done && !error; i++)
		error = keystore_rewrap(net->keys->store, &done);
	judge(net, error);
	if (error || done)
		log_write(net->log, error ? LOG_LEVEL_ERROR : LOG_LEVEL_NOTICE,
			  error ? "keys_not_rewrapped" : "keys_rewrapped", "keys=%llu code=%s",
			  (unsigned long long)view.keys, ttg_error_name(error));
}

/* A start must find the keys under one of the two that are named, whatever comes before they are wrapped
   anew. */
static enum ttg_error take_masters(struct keystore *store, const struct config *loaded,
				   struct keystore_options *masters, struct message *message)
{
	enum ttg_error error = keyfile_read_symmetric(loaded->keys_master_file, masters->master, message);

	if (error || keystore_is_under(store, masters->master))
		return error ? error : keystore_set_master(store, masters->master);
	if (loaded->keys_before_file[0] != '\0')
		error = keyfile_read_symmetric(loaded->keys_before_file, masters->before, message);
	if (error)
		return error;
	if (loaded->keys_before_file[0] == '\0' || !keystore_is_under(store, masters->before))
		return message_set(message, TTG_EINVAL,
				   "keys.before_file must name the master key that the keys are wrapped by "
				   "until they are wrapped anew");
	error = keystore_set_master(store, masters->master);
	return error ? message_set(message, error, "%s: keys cannot be wrapped anew: %s",
				   loaded->keys_master_file, ttg_error_text(error)) :
		       TTG_OK;
}

enum ttg_error net_keys_reload(struct net *net, const struct config *loaded, struct message *message)
{
	struct keystore_options masters = { .directory = NULL };
	enum ttg_error error;

	if (!net->keys || loaded->keys_directory[0] == '\0') /* to be without counts after a restart */
		return TTG_OK;
	error = take_masters(net->keys->store, loaded, &masters, message);
	wipe(&masters, sizeof(masters));
	return error;
}

enum ttg_error net_keys_salt(struct net *net, const struct record_event *event, uint8_t salt[PAYLOAD_SALT])
{
	const struct payload_place place = place_of(event);

	memset(salt, 0, PAYLOAD_SALT);
	if (event->key == 0)
		return TTG_OK;
	return net->keys ? payload_salt(net->keys->payloads, &place, event->sealed, event->n_sealed, salt) :
			   TTG_EPERM;
}

enum ttg_error net_keys_bytes(struct net *net, struct record_event *event)
{
	if (event->key == 0)
		return TTG_OK;
	return net->keys ? sink_open(net, event) : TTG_EPERM;
}
