/*
 * Construction in order: log, secrets, server, journal (which proves itself, refuses a second daemon
 * and gives the server its snapshot meanwhile); then the server recovers the state and binds sockets;
 * then the loop; then the end of the server and of the journal.
 */
#include "broker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/keyfile.h"
#include "base/secret.h"
#include "core/digest.h"
#include "journal/journal.h"
#include "keystore/keystore.h"
#include "net/server.h"

#define ARCHIVE_SEGMENT_BYTES (16u << 20)
#define ARCHIVE_BUFFER_BYTES (4u << 20)
#define PERSON_LABEL "ttg person key v1" /* what tells this use of the master key from others */

/* Kept in memory for keys (base/secret.h). */
struct secrets {
	uint8_t journal[KEYFILE_SYMMETRIC];
	uint8_t person[DIGEST_BYTES];
	struct keystore_options keys; /* no directory: there is no store */
};

static enum ttg_error read_masters(const struct config *config, struct keystore_options *out,
				   struct message *message)
{
	enum ttg_error error;

	if (config->keys_directory[0] == '\0')
		return TTG_OK;
	out->directory = config->keys_directory;
	error = keyfile_read_symmetric(config->keys_master_file, out->master, message);
	out->has_before = config->keys_before_file[0] != '\0';
	if (!error && out->has_before)
		error = keyfile_read_symmetric(config->keys_before_file, out->before, message);
	return error;
}

static enum ttg_error read_secrets(const struct config *config, struct secrets *out,
				   struct message *message)
{
	enum ttg_error error =
		keyfile_read_symmetric(config->journal_key_file, out->journal, message);
	if (error)
		return error;
	struct hmac *hmac = hmac_new(out->journal, sizeof out->journal);
	if (!hmac || !hmac_sum(hmac, PERSON_LABEL, strlen(PERSON_LABEL), out->person))
		error = message_set(message, TTG_ECRYPTO, "cannot derive the persons' key");
	hmac_free(&hmac);
	return error ? error : read_masters(config, &out->keys, message);
}

static enum journal_cipher cipher_of(const struct config *config)
{
	return strcmp(config->journal_cipher, "chacha20-poly1305") == 0 ? JOURNAL_CHACHA20_POLY1305 :
									  JOURNAL_AES_256_GCM;
}

static enum ttg_error open_journal(struct journal **out, const struct config *config,
				   const struct secrets *secrets, struct net *net,
				   struct message *message)
{
	struct journal_options options = {
		.directory = config->journal_directory,
		.cipher = cipher_of(config),
		.segment_bytes = config->segment_bytes,
		.max_bytes = config->journal_max_bytes,
		.reserve_bytes = config->journal_reserve_bytes,
		.buffer_bytes = config->buffer_bytes,
		.threaded = true,
		.early = server_take_early,
		.early_arg = net,
	};
	memcpy(options.key, secrets->journal, sizeof options.key);
	const enum ttg_error error = journal_open(out, &options, world_real(), message);
	wipe(&options, sizeof options);
	return error;
}

/*
 * The archive takes part of the room that is kept free for the journal: what goes there makes room for
 * more than it needs.
 */
static enum ttg_error open_server(struct net *net, struct journal *journal, const struct config *config,
				  const struct secrets *secrets, struct message *message)
{
	struct journal_options archive = {
		.directory = config->archive_directory,
		.cipher = cipher_of(config),
		.segment_bytes = ARCHIVE_SEGMENT_BYTES,
		.reserve_bytes = config->journal_reserve_bytes / 2,
		.buffer_bytes = ARCHIVE_BUFFER_BYTES,
		.threaded = true,
	};
	memcpy(archive.key, secrets->journal, sizeof archive.key);
	const struct server_stores stores = {
		.keys = secrets->keys.directory ? &secrets->keys : NULL,
		.archive = archive.directory[0] != '\0' ? &archive : NULL,
	};
	const enum ttg_error error = server_open(net, journal, &stores, message);
	wipe(&archive, sizeof archive);
	return error;
}

static enum ttg_error make_server(struct net **out, struct config *take_config, struct log *log,
				  const struct secrets *secrets, int signal_fd,
				  struct message *message)
{
	const struct server_options options = {
		.world = world_real(),
		.log = log,
		.take_config = take_config,
		.person_secret = secrets->person,
		.signal_fd = signal_fd,
	};

	return server_new(out, &options, message);
}

static enum ttg_error open_signals(int *out, struct message *message)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	*out = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return *out >= 0 ? TTG_OK :
			   message_set(message, TTG_ESYS, "no signalfd: %s", strerror(errno));
}

enum ttg_error broker_run(struct config *take_config, struct message *message)
{
	const bool can_lock = secret_prepare();
	struct secrets *secrets = secret_new(sizeof *secrets);
	struct journal *journal = NULL;
	struct net *net = NULL;
	int signal_fd = -1;
	enum ttg_error error = TTG_OK;
	struct log *log = log_new("ttgd", take_config->log_target, take_config->log_level);

	log_write(log, LOG_LEVEL_NOTICE, "starting", "version=%s", TTG_VERSION);
	if (!can_lock)
		log_write(log, LOG_LEVEL_WARN, "memory_not_locked", "reason=\"%s\"", strerror(ENOMEM));
	if (!secrets) {
		message_set(message, TTG_ENOMEM, "no memory for keys");
		error = TTG_ENOMEM;
	}
	if (!error)
		error = open_signals(&signal_fd, message);
	if (!error)
		error = read_secrets(take_config, secrets, message);
	if (!error)
		error = make_server(&net, take_config, log, secrets, signal_fd, message);
	else
		config_free(&take_config);
	if (!error)
		error = open_journal(&journal, take_config, secrets, net, message);
	if (!error)
		error = open_server(net, journal, take_config, secrets, message);
	if (!error)
		error = server_run(net, message);
	if (error)
		log_write(log, LOG_LEVEL_ERROR, "ended", "code=%s reason=\"%s\"",
			  ttg_error_name(error), message->text);
	server_close(&net);
	journal_close(&journal);
	if (signal_fd >= 0)
		close(signal_fd);
	secret_free(secrets);
	log_free(&log);
	return error;
}
