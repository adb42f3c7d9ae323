/*
 * Snapshots: one file each, replaced as a whole, encrypted with a key of its own. The two newest
 * stay, so that damage to one costs a longer replay and not the journal.
 *
 * Save uses only what never changes after open and the durable sequence; it may run on another
 * thread than the loop, one at a time. A failed save leaves the older snapshots as they were.
 */
#include "journal/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/crc32c.h"
#include "base/keyfile.h"
#include "base/planted.h"

#define SNAPSHOTS_KEPT   2
#define SNAPSHOT_TRAILER (FORMAT_TAG + JOURNAL_HASH_BYTES + 4u)
#define SNAPSHOT_MAX     (4ull * 1024 * 1024 * 1024)

static enum ttg_error encode(struct journal *journal, struct crypto *crypto, uint64_t sequence,
                             const void *data, size_t len, uint8_t *out)
{
	const struct world *world = journal->world;
	struct format_snapshot header = {
		.cipher = (uint32_t)journal->options.cipher,
		.sequence = sequence,
		.body_bytes = len,
		.created_ns = world->real_ns(world->self),
	};
	uint8_t key[JOURNAL_KEY_BYTES];
	uint8_t *body = out + FORMAT_SNAPSHOT_HEADER;
	uint8_t *hash = body + len + FORMAT_TAG;
	struct crypto_unit unit = { header.cipher, key, 0, out, FORMAT_SNAPSHOT_HEADER };
	enum ttg_error err;

	memcpy(header.journal_id, journal->journal_id, FORMAT_ID);
	if (world->random(world->self, header.salt, FORMAT_SALT) < 0)
		return TTG_ESYS;
	err = crypto_derive(journal->master, header.salt, CRYPTO_SNAPSHOT, key,
	                    header.key_check);
	if (err != TTG_OK)
		return err;
	format_snapshot_encode(&header, out);
	err = crypto_seal(crypto, &unit, data, len, body);
	wipe(key, sizeof(key));
	if (err == TTG_OK)
		err = crypto_hash(crypto, out, (size_t)(hash - out), NULL, 0, hash);
	format_put_u32(hash + JOURNAL_HASH_BYTES,
	               crc32c(0, body, len + FORMAT_TAG + JOURNAL_HASH_BYTES));
	return err;
}

/* All but the newest few go; one that stays behind costs room only. */
static void drop_old(struct journal *journal)
{
	const struct world *world = journal->world;
	uint64_t *names;
	size_t count;
	char path[SEGMENT_PATH];

	if (segment_list_names(world, journal->directory, SEGMENT_SNAPSHOT, &names, &count, NULL) !=
	    TTG_OK)
		return;
	for (size_t i = 0; i + SNAPSHOTS_KEPT < count; i++) {
		segment_path(path, journal->directory, SEGMENT_SNAPSHOT, names[i]);
		(void)world->unlink(world->self, path);
	}
	free(names);
}

enum ttg_error journal_snapshot_save(struct journal *journal, uint64_t sequence, const void *data,
                                     size_t len, struct message *message)
{
	size_t bytes = FORMAT_SNAPSHOT_HEADER + len + SNAPSHOT_TRAILER;
	struct crypto *crypto;
	char path[SEGMENT_PATH];
	enum ttg_error err;
	uint8_t *out;
	int result;

	if (sequence > journal_durable(journal) && !PLANTED(SNAPSHOT_EARLY))
		return message_set(message, TTG_EINVAL, "snapshot of what is not durable yet");
	if (len > SNAPSHOT_MAX)
		return message_set(message, TTG_ELIMIT, "snapshot is larger than 4 GiB");
	if (atomic_load_explicit(&journal->failed, memory_order_acquire))
		return message_set(message, TTG_EIO, "the journal has failed");
	out = malloc(bytes);
	crypto = crypto_new();
	err = out != NULL && crypto != NULL ? TTG_OK : TTG_ENOMEM;
	if (err == TTG_OK)
		err = encode(journal, crypto, sequence, data, len, out);
	if (err != TTG_OK) {
		(void)message_set(message, err, "snapshot: %s", ttg_error_text(err));
		goto out;
	}
	segment_path(path, journal->directory, SEGMENT_SNAPSHOT, sequence);
	result = world_replace_file(journal->world, path, out, bytes);
	if (result < 0)
		err = message_set(message, world_error(result), "%s: cannot be written: %s", path,
		                  strerror(-result));
	else
		drop_old(journal);
out:
	crypto_free(&crypto);
	free(out);
	return err;
}

/* Everything but decryption. */
static enum ttg_error check(struct journal *journal, struct crypto *crypto, uint64_t name,
                            const uint8_t *file, size_t bytes, struct format_snapshot *header,
                            const char **reason)
{
	uint8_t hash[JOURNAL_HASH_BYTES];
	const uint8_t *stored;
	enum ttg_error err;

	*reason = "file is shorter than its header";
	if (bytes < FORMAT_SNAPSHOT_HEADER + SNAPSHOT_TRAILER)
		return TTG_ECORRUPT;
	err = format_snapshot_decode(file, header, reason);
	if (err != TTG_OK)
		return err;
	*reason = "length, sequence or journal is another";
	if (header->body_bytes != bytes - FORMAT_SNAPSHOT_HEADER - SNAPSHOT_TRAILER ||
	    header->sequence != name ||
	    memcmp(header->journal_id, journal->journal_id, FORMAT_ID) != 0)
		return TTG_ECORRUPT;
	stored = file + FORMAT_SNAPSHOT_HEADER + header->body_bytes + FORMAT_TAG;
	*reason = "wrong checksum";
	if (crc32c(0, file + FORMAT_SNAPSHOT_HEADER,
	           header->body_bytes + FORMAT_TAG + JOURNAL_HASH_BYTES) !=
	    format_get_u32(stored + JOURNAL_HASH_BYTES))
		return TTG_ECORRUPT;
	*reason = "wrong hash";
	err = crypto_hash(crypto, file, (size_t)(stored - file), NULL, 0, hash);
	if (err == TTG_OK && memcmp(hash, stored, JOURNAL_HASH_BYTES) != 0)
		err = TTG_ECORRUPT;
	return err;
}

static enum ttg_error decrypt(struct journal *journal, struct crypto *crypto, const uint8_t *file,
                              const struct format_snapshot *header, uint8_t *out)
{
	uint8_t key[JOURNAL_KEY_BYTES];
	uint8_t key_check[FORMAT_KEY_CHECK];
	struct crypto_unit unit = { header->cipher, key, 0, file, FORMAT_SNAPSHOT_HEADER };
	enum ttg_error err =
	        crypto_derive(journal->master, header->salt, CRYPTO_SNAPSHOT, key, key_check);

	if (err == TTG_OK && memcmp(key_check, header->key_check, FORMAT_KEY_CHECK) != 0)
		err = TTG_ECRYPTO;
	if (err == TTG_OK)
		err = crypto_unseal(crypto, &unit, file + FORMAT_SNAPSHOT_HEADER,
		                    header->body_bytes, out);
	wipe(key, sizeof(key));
	return err;
}

static enum ttg_error read_file(struct journal *journal, const char *path, uint8_t **out,
                                size_t *bytes)
{
	const struct world *world = journal->world;
	int file = world->open(world->self, path, WORLD_READ);
	int64_t size;
	int result;

	*out = NULL;
	if (file < 0)
		return world_error(file);
	size = world->size(world->self, file);
	if (size < 0 || (uint64_t)size > SNAPSHOT_MAX + 4096u) {
		(void)world->close(world->self, file);
		return size < 0 ? TTG_EIO : TTG_ECORRUPT;
	}
	*out = malloc((size_t)size + 1);
	result = *out != NULL ? world_read_all(world, file, *out, (size_t)size, 0) : 0;
	(void)world->close(world->self, file);
	*bytes = (size_t)size;
	if (*out == NULL)
		return TTG_ENOMEM;
	return result < 0 ? TTG_EIO : TTG_OK;
}

/* *data is malloc'd on TTG_OK, else NULL. */
static enum ttg_error load_one(struct journal *journal, uint64_t name, uint8_t **data, size_t *len,
                               struct message *message)
{
	struct crypto *crypto = crypto_new();
	struct format_snapshot header;
	const char *reason = "cannot be read";
	char path[SEGMENT_PATH];
	uint8_t *file = NULL;
	size_t bytes = 0;
	enum ttg_error err;

	*data = NULL;
	segment_path(path, journal->directory, SEGMENT_SNAPSHOT, name);
	err = crypto != NULL ? read_file(journal, path, &file, &bytes) : TTG_ENOMEM;
	if (err == TTG_OK)
		err = check(journal, crypto, name, file, bytes, &header, &reason);
	if (err == TTG_OK) {
		*len = (size_t)header.body_bytes;
		*data = malloc(*len + 1);
		reason = "body is not what was encrypted";
		err = *data != NULL ? decrypt(journal, crypto, file, &header, *data) : TTG_ENOMEM;
	}
	if (err != TTG_OK) {
		free(*data);
		*data = NULL;
		(void)message_set(message, err, "%s: offset 0: %s", path, reason);
	}
	crypto_free(&crypto);
	free(file);
	return err;
}

/* Without snapshot `from` only what the journal still holds can be replayed. */
static enum ttg_error check_replay(const struct journal *journal, uint64_t from,
                                   struct message *message)
{
	char first[160];

	if (journal->first_sequence <= from + 1)
		return TTG_OK;
	(void)memccpy(first, message != NULL ? message->text : "", '\0', sizeof(first));
	first[sizeof(first) - 1] = '\0';
	return message_set(message, TTG_ECORRUPT,
	                   "no snapshot reaches sequence %" PRIu64
	                   ", where the journal begins; newest: %s",
	                   journal->first_sequence, first[0] != '\0' ? first : "none");
}

void snapshot_read_early(struct journal *journal, const struct format_head *head)
{
	uint64_t *names;
	size_t count;
	uint64_t newest;

	if (segment_list_names(journal->world, journal->directory, SEGMENT_SNAPSHOT, &names, &count,
	                       NULL) != TTG_OK)
		return;
	newest = count > 0 ? names[count - 1] : 0;
	free(names);
	memcpy(journal->journal_id, head->journal_id, FORMAT_ID);
	/* Why it cannot be read is told when it is asked for. */
	if (count == 0 ||
	    load_one(journal, newest, &journal->early.data, &journal->early.len, NULL) != TTG_OK)
		return;
	journal->early.sequence = newest;
	journal->options.early(journal->options.early_arg, newest, journal->early.data,
	                       journal->early.len);
}

/* The newest that is whole. Damage gets what is wrong with the newest of all. */
static enum ttg_error load_newest(struct journal *journal, uint64_t *sequence, uint8_t **data,
                                  size_t *len, struct message *damage)
{
	struct message other;
	uint64_t *names;
	size_t count;
	enum ttg_error err = segment_list_names(journal->world, journal->directory,
	                                        SEGMENT_SNAPSHOT, &names, &count, damage);

	if (err != TTG_OK)
		return err;
	err = TTG_ENOENT;
	while (count-- > 0 && err != TTG_OK) {
		*sequence = names[count];
		err = load_one(journal, names[count], data, len,
		               damage->text[0] == '\0' ? damage : &other);
		if (err == TTG_ENOMEM || err == TTG_EIO)
			break;
		if (err != TTG_OK) /* damaged: an older one will do if the records are held */
			err = TTG_ENOENT;
	}
	if (err != TTG_OK)
		*sequence = 0;
	free(names);
	return err;
}

static enum ttg_error take_early(struct journal *journal, uint64_t *sequence, uint8_t **data,
                                 size_t *len)
{
	*sequence = journal->early.sequence;
	*data = journal->early.data;
	*len = journal->early.len;
	journal->early.data = NULL;
	return TTG_OK;
}

/* What was proven bears it out. */
static enum ttg_error check_fit(const struct journal *journal, uint64_t sequence,
                                struct message *message)
{
	if (sequence > journal_durable(journal))
		return message_set(message, TTG_ECORRUPT,
		                   "a snapshot stands for sequence %" PRIu64
		                   ", the journal ends before it: an older copy",
		                   sequence);
	return check_replay(journal, sequence, message);
}

enum ttg_error journal_snapshot_load(struct journal *journal, uint64_t *sequence, uint8_t **data,
                                     size_t *len, struct message *message)
{
	struct message damage = { "" };
	enum ttg_error err;
	enum ttg_error fit;

	*data = NULL;
	*sequence = 0;
	err = journal->early.data != NULL ? take_early(journal, sequence, data, len)
	                                  : load_newest(journal, sequence, data, len, &damage);
	if (err == TTG_OK || err == TTG_ENOENT) {
		fit = check_fit(journal, *sequence, &damage);
		err = fit != TTG_OK ? fit : err;
	}
	if (message != NULL)
		*message = damage;
	if (err != TTG_OK) {
		free(*data);
		*data = NULL;
	}
	return err;
}
