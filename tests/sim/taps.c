/*
 * Where the model listens: the linker sends the broker's calls of these functions here (--wrap),
 * and each goes on to the real one. Keys come from no file, log lines go nowhere.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>

#include "base/keyfile.h"
#include "base/log.h"
#include "core/signed.h"
#include "journal/crypto.h"
#include "journal/journal.h"
#include "sim/broker.h"
#include "sim/memory.h"
#include "sim/model.h"
#include "sim/signing.h"

#define CONSUMERS 512

struct core *__real_core_new(const struct core_options *options, const struct core_sink *sink);
struct core *__wrap_core_new(const struct core_options *options, const struct core_sink *sink);
enum ttg_error __real_core_attach(struct core *core, const struct core_now *now, uint64_t consumer,
                                  const char *agency, const char *mailbox, uint32_t credit);
enum ttg_error __wrap_core_attach(struct core *core, const struct core_now *now, uint64_t consumer,
                                  const char *agency, const char *mailbox, uint32_t credit);
void __real_core_detach(struct core *core, const struct core_now *now, uint64_t consumer);
void __wrap_core_detach(struct core *core, const struct core_now *now, uint64_t consumer);
void __real_core_durable(struct core *core, uint64_t sequence);
void __wrap_core_durable(struct core *core, uint64_t sequence);
void __real_core_publish(struct core *core, const struct core_now *now, const char *agency,
                         const uint8_t *event, size_t len, struct core_outcome *out);
void __wrap_core_publish(struct core *core, const struct core_now *now, const char *agency,
                         const uint8_t *event, size_t len, struct core_outcome *out);
void __real_core_publish_signed(struct core *core, const struct core_now *now,
                                struct signed_frame *frame, uint32_t index, const uint8_t *event,
                                size_t len, struct core_outcome *out);
void __wrap_core_publish_signed(struct core *core, const struct core_now *now,
                                struct signed_frame *frame, uint32_t index, const uint8_t *event,
                                size_t len, struct core_outcome *out);
enum ttg_error __real_core_apply(struct core *core, uint64_t sequence, uint8_t kind,
                                 const uint8_t *data, size_t len, struct message *message);
enum ttg_error __wrap_core_apply(struct core *core, uint64_t sequence, uint8_t kind,
                                 const uint8_t *data, size_t len, struct message *message);
enum ttg_error __real_journal_append(struct journal *journal, const struct journal_record *records,
                                     size_t n, uint64_t *first);
enum ttg_error __wrap_journal_append(struct journal *journal, const struct journal_record *records,
                                     size_t n, uint64_t *first);
enum ttg_error __real_journal_flush(struct journal *journal);
enum ttg_error __wrap_journal_flush(struct journal *journal);
enum ttg_error __real_journal_snapshot_save(struct journal *journal, uint64_t sequence,
                                            const void *data, size_t len, struct message *message);
enum ttg_error __wrap_journal_snapshot_save(struct journal *journal, uint64_t sequence,
                                            const void *data, size_t len, struct message *message);
enum ttg_error __real_crypto_seal(struct crypto *crypto, const struct crypto_unit *unit,
                                  const uint8_t *in, size_t len, uint8_t *out);
enum ttg_error __wrap_crypto_seal(struct crypto *crypto, const struct crypto_unit *unit,
                                  const uint8_t *in, size_t len, uint8_t *out);
void __wrap_log_write(struct log *log, enum log_level level, const char *event, const char *format,
                      ...);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value);
enum ttg_error __wrap_keyfile_read_public(const char *path, char out[KEYFILE_Z85],
                                          struct message *message);
enum ttg_error __wrap_keyfile_read_secret(const char *path, struct key_pair *out,
                                          struct message *message);
enum ttg_error __wrap_sign_key_read(const char *path, struct sign_key **out, struct message *message);

/* Of the broker's core that lives now. */
static struct {
	struct core_sink sink; /* the broker's own */
	struct {
		uint64_t consumer;
		char mailbox[RULES_MAILBOX_MAX + 1];
	} attached[CONSUMERS];
	size_t n;
} tap;

static enum ttg_error tap_append(void *self, const struct core_record *records, size_t n,
                                 uint64_t *first)
{
	enum ttg_error code = tap.sink.append(self, records, n, first);

	life_now->append_refused = life_now->append_refused || code != TTG_OK;
	if (records[0].kind == RECORD_RULES_TEXT && code != TTG_OK)
		life_now->rules_refused = true;
	if (code != TTG_OK)
		life_trace("a record of kind %u is not taken: %s", records[0].kind,
		           ttg_error_name(code));
	return code;
}

static enum ttg_error tap_read(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
                               size_t *len)
{
	enum ttg_error code = tap.sink.read(self, sequence, kind, data, len);

	if (code == TTG_OK)
		model_read(life_now->model, sequence, *kind, *data, *len);
	else
		life_trace("record %" PRIu64 " cannot be read: %s", sequence, ttg_error_name(code));
	life_now->read_refused = life_now->read_refused || code != TTG_OK;
	return code;
}

static bool tap_deliver(void *self, uint64_t consumer, const struct core_delivery *delivery)
{
	if (!tap.sink.deliver(self, consumer, delivery))
		return false;
	model_deliver(life_now->model, consumer, delivery);
	return true;
}

static void tap_flush(void *self, uint64_t consumer)
{
	tap.sink.flush(self, consumer);
}

static void tap_attached(void *self, uint64_t consumer, bool active, uint64_t acknowledged)
{
	for (size_t i = 0; i < tap.n && active; i++)
		if (tap.attached[i].consumer == consumer)
			model_attached(life_now->model, tap.attached[i].mailbox, consumer);
	tap.sink.attached(self, consumer, active, acknowledged);
}

static void tap_nacked(void *self, uint64_t consumer, uint64_t position, bool parked)
{
	tap.sink.nacked(self, consumer, position, parked);
}

static void tap_note(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	life_trace("note %s %s %" PRIu64, word, mailbox ? mailbox : "-", sequence);
	/* Files go only with retention, and that never passes what is needed. */
	life_check(strcmp(word, "record_missing") != 0, "record %" PRIu64 " is needed and missing",
	           sequence);
	if (strcmp(word, "give_up_untold") == 0)
		model_untold(life_now->model, mailbox);
	if (strcmp(word, "referral_overdue_untold") == 0)
		referred_untold(life_now->model, sequence);
	tap.sink.note(self, word, mailbox, sequence);
}

struct core *__wrap_core_new(const struct core_options *options, const struct core_sink *sink)
{
	struct core_sink tapped = *sink;

	tapped.append = tap_append;
	tapped.read = tap_read;
	tapped.deliver = tap_deliver;
	tapped.flush = tap_flush;
	tapped.attached = tap_attached;
	tapped.nacked = tap_nacked;
	tapped.note = tap_note;
	tap.sink = *sink;
	tap.n = 0;
	return __real_core_new(options, &tapped);
}

enum ttg_error __wrap_core_attach(struct core *core, const struct core_now *now, uint64_t consumer,
                                  const char *agency, const char *mailbox, uint32_t credit)
{
	enum ttg_error code;

	assert(tap.n < CONSUMERS);
	tap.attached[tap.n].consumer = consumer;
	snprintf(tap.attached[tap.n++].mailbox, sizeof(tap.attached[0].mailbox), "%s", mailbox);
	code = __real_core_attach(core, now, consumer, agency, mailbox, credit);
	if (code != TTG_OK)
		tap.n--;
	return code;
}

void __wrap_core_detach(struct core *core, const struct core_now *now, uint64_t consumer)
{
	for (size_t i = 0; i < tap.n; i++)
		if (tap.attached[i].consumer == consumer)
			tap.attached[i--] = tap.attached[--tap.n];
	model_detached(life_now->model, consumer);
	__real_core_detach(core, now, consumer);
}

void __wrap_core_durable(struct core *core, uint64_t sequence)
{
	if (sequence > life_now->model->durable)
		life_now->model->durable = sequence;
	__real_core_durable(core, sequence);
}

void __wrap_core_publish(struct core *core, const struct core_now *now, const char *agency,
                         const uint8_t *event, size_t len, struct core_outcome *out)
{
	__real_core_publish(core, now, agency, event, len, out);
	model_judged(life_now->model, event, len, out);
}

void __wrap_core_publish_signed(struct core *core, const struct core_now *now,
                                struct signed_frame *frame, uint32_t index, const uint8_t *event,
                                size_t len, struct core_outcome *out)
{
	__real_core_publish_signed(core, now, frame, index, event, len, out);
	model_judged(life_now->model, event, len, out);
}

enum ttg_error __wrap_core_apply(struct core *core, uint64_t sequence, uint8_t kind,
                                 const uint8_t *data, size_t len, struct message *message)
{
	model_read(life_now->model, sequence, kind, data, len);
	return __real_core_apply(core, sequence, kind, data, len, message);
}

enum ttg_error __wrap_journal_append(struct journal *journal, const struct journal_record *records,
                                     size_t n, uint64_t *first)
{
	enum ttg_error code = __real_journal_append(journal, records, n, first);
	struct journal_stats stats;
	int worker;

	if (!broker_is_journal(life_now->broker, journal))
		return code;
	worker = memory_work(MEMORY_NOBODY);
	journal_get_stats(journal, &stats);
	if (stats.staged_bytes > life_now->most_staged)
		life_now->most_staged = stats.staged_bytes;
	for (size_t i = 0; i < n && code == TTG_OK; i++)
		model_append(life_now->model, *first + i, records[i].kind, records[i].data,
		             records[i].len);
	memory_work(worker);
	return code;
}

/* The writer may have its hands full: what is staged waits for another time. */
enum ttg_error __wrap_journal_flush(struct journal *journal)
{
	if (life_now->in_cycle && !life_now->peaceful && life_draw(4) < life_now->plan->busy)
		return TTG_OK;
	return __real_journal_flush(journal);
}

enum ttg_error __wrap_journal_snapshot_save(struct journal *journal, uint64_t sequence,
                                            const void *data, size_t len, struct message *message)
{
	model_snapshot(life_now->model, sequence, data, len);
	return __real_journal_snapshot_save(journal, sequence, data, len, message);
}

enum ttg_error __wrap_crypto_seal(struct crypto *crypto, const struct crypto_unit *unit,
                                  const uint8_t *in, size_t len, uint8_t *out)
{
	model_seal(life_now->model, unit->key, JOURNAL_KEY_BYTES, unit->nonce);
	return __real_crypto_seal(crypto, unit, in, len, out);
}

void __wrap_log_write(struct log *log, enum log_level level, const char *event, const char *format,
                      ...)
{
	(void)log;
	(void)level;
	(void)format;
	life_trace("log %s", event);
}

/* The client's timers are of the machine's clock, which is not the clock here. */
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                           struct itimerspec *old_value)
{
	(void)fd;
	(void)flags;
	(void)new_value;
	(void)old_value;
	return 0;
}

enum ttg_error __wrap_keyfile_read_public(const char *path, char out[KEYFILE_Z85],
                                          struct message *message)
{
	(void)message;
	broker_key(path, out);
	return TTG_OK;
}

enum ttg_error __wrap_keyfile_read_secret(const char *path, struct key_pair *out,
                                          struct message *message)
{
	(void)message;
	broker_key(path, out->public_z85);
	broker_key(path, out->secret_z85);
	return TTG_OK;
}

enum ttg_error __wrap_sign_key_read(const char *path, struct sign_key **out, struct message *message)
{
	(void)message;
	*out = signing_key(path);
	return TTG_OK;
}
