/*
 * The option table of ttgd.conf. What stands here is what the loader takes, what
 * config_print_options() prints and what the manual says; there is no other list.
 */
#include "config/options.h"

#include <string.h>

#define MIB (1024ull * 1024ull)
#define GIB (1024ull * MIB)
#define RETAIN_S_MAX 1000000000 /* over 30 years */

#define AT(member) offsetof(struct config, member), sizeof(((struct config *)NULL)->member)
#define FORMAT_NUMBER_MAX INT64_MAX

static const struct option broker_options[] = {
	{ "agency", OPTION_ID, AT(agency), 1, RULES_ID_MAX, "broker", NULL, true,
	  "agency id of the broker itself, source of broker.* events" },
	{ "agencies_directory", OPTION_PATH, AT(agencies_directory), 1, CONFIG_PATH_MAX - 1,
	  "agencies.d", NULL, false, "folder whose *.conf files name the agencies" },
	{ "agreements_directory", OPTION_PATH, AT(agreements_directory), 1, CONFIG_PATH_MAX - 1,
	  "agreements.d", NULL, false, "folder whose *.conf files hold the agreements" },
};

static const struct option listen_options[] = {
	{ "endpoint", OPTION_TEXT, AT(endpoint), 1, CONFIG_TEXT_MAX - 1, "tcp://127.0.0.1:5700",
	  NULL, true, "where agencies connect: tcp://ADDRESS:PORT, ADDRESS * for every interface" },
	{ "key_file", OPTION_PATH, AT(key_file), 1, CONFIG_PATH_MAX - 1, "keys/broker.key", NULL,
	  true, "the broker's secret key, from ttgctl keygen --server" },
	{ "http_address", OPTION_TEXT, AT(http_address), 1, CONFIG_TEXT_MAX - 1, "127.0.0.1", NULL,
	  true, "address of metrics and health; a loopback address" },
	{ "http_port", OPTION_U16, AT(http_port), 0, UINT16_MAX, "5701", NULL, true,
	  "port of metrics and health; 0: off" },
	{ "control_socket", OPTION_PATH, AT(control_socket), 1, 107, "/run/ttgd/control", NULL,
	  true, "Unix socket ttgctl connects to" },
	{ "control_group", OPTION_TEXT, AT(control_group), 0, 63, "", NULL, true,
	  "group whose members may use the control socket beside root and ttgd's own user; empty: "
	  "nobody" },
};

static const struct option limits_options[] = {
	{ "max_sessions", OPTION_U32, AT(max_sessions), 1, 65536, "1024", NULL, true,
	  "sessions open at once" },
	{ "sessions_per_agency", OPTION_U32, AT(sessions_per_agency), 0, 65536, "64", NULL, false,
	  "sessions one agency may have open; 0: as many as there are" },
	{ "max_waiting", OPTION_U32, AT(max_waiting), 16, 65536, "1024", NULL, true,
	  "connections without a session; above it the one that waits longest is closed" },
	{ "max_frame_bytes", OPTION_U32, AT(max_frame_bytes), 4096, MIB, "1048576", NULL, true,
	  "largest protocol frame" },
	{ "max_event_bytes", OPTION_U32, AT(max_event_bytes), 1024, MIB - 2048, "65536", NULL, true,
	  "largest encoded event" },
	{ "max_events_per_publish", OPTION_U32, AT(max_events_per_publish), 1, 65536, "1024", NULL,
	  true, "events in one Publish frame" },
	{ "publish_window", OPTION_U32, AT(publish_window), 1, 1024, "64", NULL, true,
	  "Publish frames a session may have unanswered" },
	{ "max_credit", OPTION_U32, AT(max_credit), 1, 65536, "4096", NULL, true,
	  "deliveries unacknowledged by one consumer" },
	{ "heartbeat_ms", OPTION_U32, AT(heartbeat_ms), 100, 60000, "5000", NULL, true,
	  "interval of heartbeats, milliseconds; three of silence end a session" },
	{ "io_threads", OPTION_U32, AT(io_threads), 1, 16, "1", NULL, true,
	  "threads that encrypt and carry frames" },
	{ "max_skew_s", OPTION_U32, AT(max_skew_s), 1, 86400, "300", NULL, true,
	  "how far a publisher's clock may be ahead, seconds" },
	{ "mailbox_window", OPTION_U32, AT(mailbox_window), 16, MIB, "4096", NULL, true,
	  "entries of one mailbox held in memory" },
	{ "mailbox_max_held", OPTION_U32, AT(mailbox_max_held), 1, 10000000, "100000", NULL, true,
	  "entries of one mailbox that wait behind dead letters" },
	{ "dedupe_hours", OPTION_U32, AT(dedupe_hours), 1, 8760, "168", NULL, true,
	  "how long a repeated event is known for one, hours" },
	{ "dedupe_max", OPTION_U64, AT(dedupe_max), 1000, 1000000000, "10000000", NULL, true,
	  "how many events are remembered for that" },
};

static const struct option journal_options[] = {
	{ "directory", OPTION_PATH, AT(journal_directory), 1, CONFIG_PATH_MAX - 1,
	  "/var/lib/ttgd/journal", NULL, true, "folder of the journal" },
	{ "key_file", OPTION_PATH, AT(journal_key_file), 1, CONFIG_PATH_MAX - 1,
	  "keys/journal.key", NULL, true, "key the journal is encrypted with, from ttgctl keygen "
					  "--journal" },
	{ "cipher", OPTION_CHOICE, AT(journal_cipher), 1, CONFIG_WORD_MAX - 1, "aes-256-gcm",
	  "aes-256-gcm chacha20-poly1305", true, "cipher of new segments" },
	{ "segment_bytes", OPTION_U64, AT(segment_bytes), MIB, 4 * GIB, "67108864", NULL, true,
	  "size of a segment file" },
	{ "max_bytes", OPTION_U64, AT(journal_max_bytes), 0, FORMAT_NUMBER_MAX, "0", NULL, true,
	  "size of all segments at which publishers are refused; 0: no limit but the disk" },
	{ "reserve_bytes", OPTION_U64, AT(journal_reserve_bytes), 0, FORMAT_NUMBER_MAX, "268435456",
	  NULL, true, "room left free on the disk; below it publishers are refused" },
	{ "buffer_bytes", OPTION_U64, AT(buffer_bytes), 2 * MIB, GIB, "16777216", NULL, true,
	  "memory for what is not yet on disk" },
	{ "retain_days", OPTION_U32, AT(retain_days), 0, 36500, "30", NULL, false,
	  "days acknowledged events are kept" },
	{ "retain_s", OPTION_U32, AT(retain_s), 0, RETAIN_S_MAX, "0", NULL, false,
	  "seconds acknowledged events are kept, in place of retain_days; 0: retain_days counts" },
	{ "retain_bytes", OPTION_U64, AT(retain_bytes), 0, FORMAT_NUMBER_MAX, "0", NULL, false,
	  "size above which the oldest acknowledged events go; 0: no limit" },
	{ "retain_every_s", OPTION_U32, AT(retain_every_s), 1, 86400, "60", NULL, false,
	  "how often it is looked for what may go, seconds" },
	{ "snapshot_events", OPTION_U32, AT(snapshot_events), 1000, 1000000000, "1000000", NULL,
	  false, "records between two snapshots" },
};

static const struct option archive_options[] = {
	{ "directory", OPTION_PATH, AT(archive_directory), 0, CONFIG_PATH_MAX - 1, "", NULL, true,
	  "folder of the archive, which keeps the journal's records without payloads when retention lets "
	  "them go; empty: none is kept" },
	{ "retain_days", OPTION_U32, AT(archive_retain_days), 0, 36500, "0", NULL, false,
	  "days that records are kept there, from when they came; 0: for ever" },
};

static const struct option identity_options[] = {
	{ "look_back_s", OPTION_U32, AT(look_back_s), 0, 2592000, "259200", NULL, true,
	  "how long an event that no condition let pass is kept in case its person becomes known, "
	  "seconds; 0: not at all" },
	{ "max_waiting", OPTION_U32, AT(look_back_max), 1000, 10000000, "100000", NULL, true,
	  "how many events wait so, a mailbox each; reached: publishers are told to wait" },
};

static const struct option keys_options[] = {
	{ "directory", OPTION_PATH, AT(keys_directory), 0, CONFIG_PATH_MAX - 1, "", NULL, true,
	  "folder of the keys that payloads about persons are sealed with; empty: they are not, and a person "
	  "cannot be erased" },
	{ "master_file", OPTION_PATH, AT(keys_master_file), 0, CONFIG_PATH_MAX - 1, "", NULL, false,
	  "master key that those keys are wrapped by, from ttgctl keygen --master" },
	{ "before_file", OPTION_PATH, AT(keys_before_file), 0, CONFIG_PATH_MAX - 1, "", NULL, false,
	  "the master key before that, as long as a start may find keys that are still wrapped by it" },
	{ "lapse_hold_s", OPTION_U32, AT(keys_lapse_hold_s), 0, 604800, "3600", NULL, true,
	  "how long the clock must say that payloads are kept no more before their keys are destroyed, "
	  "seconds: a clock that is put right meanwhile has destroyed nothing" },
};

static const struct option seal_options[] = {
	{ "signer_socket", OPTION_PATH, AT(signer_socket), 0, 107, "", NULL, true,
	  "Unix socket of ttg-signer, which signs what the journal holds; empty: no seals and no "
	  "receipts" },
	{ "public_file", OPTION_PATH, AT(seal_public_file), 0, CONFIG_PATH_MAX - 1, "", NULL, true,
	  "the signer's public key, as others have it to verify receipts, or several of them; a signer "
	  "with another is not taken; empty: any" },
};

static const struct option log_options[] = {
	{ "target", OPTION_ENUM, AT(log_target), 1, CONFIG_WORD_MAX, "stderr", "stderr journald",
	  true, "where log lines go" },
	{ "level", OPTION_ENUM, AT(log_level), 1, CONFIG_WORD_MAX, "info",
	  "error warn notice info debug", false, "least important lines that are written" },
};

#define GROUP(name, table) { name, table, sizeof(table) / sizeof((table)[0]) }

const struct option_group options_main[OPTIONS_MAIN_GROUPS] = {
	GROUP("broker", broker_options),   GROUP("listen", listen_options),
	GROUP("limits", limits_options),   GROUP("journal", journal_options),
	GROUP("archive", archive_options),   GROUP("identity", identity_options),
	GROUP("keys", keys_options),	   GROUP("seals", seal_options),
	GROUP("log", log_options),
};

_Static_assert(sizeof(limits_options) / sizeof(limits_options[0]) <= OPTIONS_MAX,
	       "options_read() notes a line for each option");
_Static_assert(sizeof(enum log_level) == sizeof(int) && sizeof(enum log_target) == sizeof(int),
	       "OPTION_ENUM writes an int");
_Static_assert(LOG_TO_STDERR == 0 && LOG_TO_JOURNALD == 1 && LOG_LEVEL_ERROR == 0 &&
		       LOG_LEVEL_WARN == 1 && LOG_LEVEL_NOTICE == 2 && LOG_LEVEL_INFO == 3 &&
		       LOG_LEVEL_DEBUG == 4,
	       "words of log options stand in the order of their enums");

static bool same_value(const struct option *option, const void *left, const void *right)
{
	const char *a = (const char *)left + option->offset;
	const char *b = (const char *)right + option->offset;

	switch (option->type) {
	case OPTION_ID:
	case OPTION_TEXT:
	case OPTION_PATH:
	case OPTION_CHOICE:
	case OPTION_DATE:
		return strcmp(a, b) == 0;
	case OPTION_ENUM:
	case OPTION_BOOL:
	case OPTION_U16:
	case OPTION_U32:
	case OPTION_U64:
	case OPTION_TEXTS:
	case OPTION_GROUPS:
	case OPTION_GROUP:
		break;
	}
	return memcmp(a, b, option->size) == 0;
}

void config_restart_needed(const struct config *running, const struct config *loaded,
			   char out[CONFIG_TEXT_MAX])
{
	static const char more[] = ", ...";
	size_t used = 0;

	out[0] = '\0';
	for (size_t g = 0; g < OPTIONS_MAIN_GROUPS; g++) {
		for (size_t i = 0; i < options_main[g].n_options; i++) {
			const struct option *option = &options_main[g].options[i];
			char name[64];

			if (!option->restart || same_value(option, running, loaded))
				continue;
			snprintf(name, sizeof(name), "%s%s.%s", used > 0 ? ", " : "",
				 options_main[g].name, option->name);
			if (used + strlen(name) + sizeof(more) > CONFIG_TEXT_MAX) {
				strcpy(out + used, more);
				return;
			}
			strcpy(out + used, name);
			used += strlen(name);
		}
	}
}

void config_keep_until_restart(struct config *loaded, const struct config *running)
{
	for (size_t g = 0; g < OPTIONS_MAIN_GROUPS; g++) {
		for (size_t i = 0; i < options_main[g].n_options; i++) {
			const struct option *option = &options_main[g].options[i];

			if (option->restart)
				memcpy((char *)loaded + option->offset,
				       (const char *)running + option->offset, option->size);
		}
	}
}

static void print_group(FILE *out, const struct option_group *group)
{
	for (size_t i = 0; i < group->n_options; i++) {
		const struct option *option = &group->options[i];
		char range[CONFIG_TEXT_MAX];

		options_describe(option, range, sizeof(range));
		fprintf(out, "%s.%s\n    %s%s\n    %s; default: %s\n", group->name, option->name,
			option->meaning, option->restart ? " (restart)" : "", range,
			option->fallback == NULL      ? "none, required"
			: option->fallback[0] == '\0' ? "empty"
						      : option->fallback);
	}
}

void config_print_options(FILE *out)
{
	fputs("ttgd.conf\n\n", out);
	for (size_t i = 0; i < OPTIONS_MAIN_GROUPS; i++)
		print_group(out, &options_main[i]);
	fputs("\nagencies.d/*.conf\n\n", out);
	for (size_t i = 0; i < OPTIONS_AGENCY_GROUPS; i++)
		print_group(out, &options_agency[i]);
	fputs("\nagreements.d/*.conf\n\n", out);
	for (size_t i = 0; i < OPTIONS_AGREEMENT_GROUPS; i++)
		print_group(out, &options_agreement[i]);
}
