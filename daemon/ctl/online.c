/*
 * Commands the running daemon answers: command line to request, answer to text. One table; the daemon
 * alone knows what the commands do.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "config/config.h"
#include "ctl/client.h"
#include "ctl/table.h"

#define ARGUMENTS_MAX 6
#define SILENCE_MS    30000 /* of a daemon that should answer at once */

enum argument_kind {
	ARGUMENT_NONE = 0,
	ARGUMENT_TEXT,
	ARGUMENT_NUMBER,
	ARGUMENT_FOLDER,      /* made absolute: the daemon stands elsewhere */
	ARGUMENT_FLAG,        /* --name */
	ARGUMENT_NUMBER_FLAG, /* --name N */
	ARGUMENT_TEXT_FLAG,   /* --name TEXT */
	ARGUMENT_YES,         /* --yes, required; sent as confirm */
};

struct argument {
	enum argument_kind kind;
	const char *name;
	bool required;
};

enum answer_style { STYLE_TABLE, STYLE_ITEM, STYLE_HISTORY, STYLE_RECEIPT, STYLE_LINES };

struct online {
	const char *words[2];
	const char *command;
	struct argument arguments[ARGUMENTS_MAX];
	enum answer_style style;
	bool patient; /* may be silent for long */
	const struct table_column *columns;
	const char *usage, *meaning;
};

static const struct table_column agencies_columns[] = {
	{ "agency", "AGENCY" }, { "name", "NAME" },   { "sessions", "SESSIONS" }, { "rate_per_s", "RATE/S" },
	{ "keys", "KEYS" },	{ "mailboxes", "MAILBOXES" }, { NULL, NULL },
};

static const struct table_column agreements_columns[] = {
	{ "agreement", "AGREEMENT" },	{ "state", "STATE" },	    { "from", "FROM" },
	{ "to", "TO" },			{ "publish_grants", "PUBLISH" }, { "deliver_grants", "DELIVER" },
	{ "parties", "PARTIES" },	{ "recipient", "RECIPIENT" },
	{ "special_category", "SPECIAL CATEGORY" }, { "title", "TITLE" }, { NULL, NULL },
};

static const struct table_column mailboxes_columns[] = {
	{ "mailbox", "MAILBOX" },	{ "consumer", "CONSUMER" }, { "queued", "QUEUED" },
	{ "in_flight", "IN FLIGHT" },	{ "parked", "PARKED" },	    { "held", "HELD" },
	{ "delivered", "DELIVERED" },	{ "acked", "ACKED" },	    { "nacked", "NACKED" },
	{ "escalated", "ESCALATED" },	{ "oldest_at", "OLDEST" },  { "redelivery", "REDELIVERY" },
	{ NULL, NULL },
};

static const struct table_column explain_columns[] = {
	{ "agency", "FROM" },	  { "mailbox", "TO" },		{ "receives", "RECEIVES" },
	{ "fields", "FIELDS" },	  { "agreements", "AGREEMENTS" }, { "reason", "REASON" },
	{ NULL, NULL },
};

static const struct table_column person_columns[] = {
	{ "what", "WHAT" }, { "text", "KNOWN" }, { NULL, NULL },
};

static const struct table_column report_columns[] = {
	{ "what", "WHAT" },	    { "at", "AT" },   { "sequence", "SEQUENCE" }, { "type", "TYPE" },
	{ "from", "FROM" },	    { "to", "TO" },   { "event_id", "EVENT" },	  { "payload", "PAYLOAD" },
	{ "offset", "OFFSET" },	    { "text", "KNOWN" }, { NULL, NULL },
};

static const struct table_column conflict_columns[] = {
	{ "conflict", "CONFLICT" }, { "at", "SINCE" },		{ "what", "WHAT" },
	{ "agencies", "SAID BY" },  { "numbers", "NUMBERS" }, { NULL, NULL },
};

static const struct table_column disclosure_columns[] = {
	{ "what", "WHAT" },
	{ "delivered_at", "DELIVERED" }, { "type", "TYPE" },	   { "from", "FROM" },
	{ "to", "TO" },			 { "agreements", "AGREEMENTS" }, { "fields", "FIELDS" },
	{ "event_id", "EVENT" },	 { "sequence", "SEQUENCE" }, { "person_key", "PERSON" },
	{ "accepted_at", "ACCEPTED" },	 { "repeat", "REPEAT" },
	{ "attempts", "ATTEMPTS" }, { "outcome", "OUTCOME" },
	{ "ended_at", "ENDED" },	 { "at", "AT" },	     { "who", "WHO" },
	{ "text", "TEXT" },		 { NULL, NULL },
};

static const struct table_column changes_columns[] = {
	{ "sequence", "SEQUENCE" }, { "at", "AT" },	      { "digest", "DIGEST" },
	{ "grants", "GRANTS" },	    { "removed", "REMOVED" }, { "added", "ADDED" },
	{ NULL, NULL },
};

static const struct table_column dead_columns[] = {
	{ "mailbox", "MAILBOX" },   { "sequence", "SEQUENCE" }, { "type", "TYPE" },
	{ "event_id", "EVENT" },    { "attempts", "ATTEMPTS" }, { "reason", "REASON" },
	{ "behind", "BEHIND" },	    { "parked_at", "PARKED" },	{ "text", "TEXT" },
	{ NULL, NULL },
};

static const struct online commands[] = {
	{ { "status", NULL }, "status", { { 0 } }, STYLE_ITEM, false, NULL, "status",
	  "how the daemon is" },
	{ { "agencies", NULL }, "agencies", { { ARGUMENT_TEXT, "agency", false } }, STYLE_TABLE, false,
	  agencies_columns, "agencies [AGENCY]", "who may connect, with which keys" },
	{ { "agreements", NULL }, "agreements", { { ARGUMENT_TEXT, "agreement", false } }, STYLE_TABLE,
	  false, agreements_columns, "agreements [AGREEMENT]",
	  "what is agreed; with a name, every grant of it" },
	{ { "mailboxes", NULL }, "mailboxes", { { ARGUMENT_TEXT, "mailbox", false } }, STYLE_TABLE,
	  false, mailboxes_columns, "mailboxes [MAILBOX]", "what waits where" },
	{ { "mailbox", "redeliver" }, "mailbox.redeliver",
	  { { ARGUMENT_TEXT, "mailbox", true }, { ARGUMENT_TEXT_FLAG, "since", false },
	    { ARGUMENT_FLAG, "stop", false }, { ARGUMENT_TEXT_FLAG, "reason", true } }, STYLE_ITEM,
	  false, NULL,
	  "mailbox redeliver MAILBOX [--since TIME] [--stop] --reason WHY",
	  "delivers once more what a mailbox was given and may still have, or ends that; that you asked "
	  "is written down" },
	{ { "explain", NULL }, "explain",
	  { { ARGUMENT_TEXT_FLAG, "type", true }, { ARGUMENT_TEXT_FLAG, "from", false },
	    { ARGUMENT_TEXT_FLAG, "at", false }, { ARGUMENT_TEXT_FLAG, "person", false },
	    { ARGUMENT_TEXT_FLAG, "reason", false } }, STYLE_TABLE, false, explain_columns,
	  "explain --type TYPE [--from AGENCY] [--at TIME] [--person NUMBER --reason WHY]",
	  "who would receive it, which fields, by which agreements, and who not, and why" },
	{ { "person", "show" }, "person.show",
	  { { ARGUMENT_TEXT, "person", true }, { ARGUMENT_TEXT_FLAG, "reason", true } }, STYLE_TABLE,
	  false, person_columns, "person show NUMBER --reason WHY",
	  "what is known of a person; that you asked is written down" },
	{ { "person", "conflicts" }, "person.conflicts", { { 0 } }, STYLE_TABLE, false,
	  conflict_columns, "person conflicts", "numbers that agencies disagree about" },
	{ { "person", "resolve" }, "person.resolve",
	  { { ARGUMENT_TEXT, "conflict", true }, { ARGUMENT_TEXT, "decision", true },
	    { ARGUMENT_TEXT_FLAG, "reason", true } }, STYLE_ITEM, false, NULL,
	  "person resolve CONFLICT accept|reject --reason WHY",
	  "decides it: what was said is done, or never" },
	{ { "person", "report" }, "person.report",
	  { { ARGUMENT_TEXT, "person", true }, { ARGUMENT_TEXT_FLAG, "reason", true },
	    { ARGUMENT_FLAG, "payloads", false } }, STYLE_TABLE, true, report_columns,
	  "person report NUMBER --reason WHY [--payloads]",
	  "all that is held about a person, and whom it was for; that you asked is written down" },
	{ { "person", "erase" }, "person.erase",
	  { { ARGUMENT_TEXT, "person", true }, { ARGUMENT_TEXT_FLAG, "reason", true } }, STYLE_ITEM,
	  false, NULL, "person erase NUMBER --reason WHY",
	  "destroys the keys of what is held about a person, for good" },
	{ { "keys", NULL }, "keys", { { 0 } }, STYLE_ITEM, false, NULL, "keys",
	  "how many keys payloads are sealed with, and whether they are being wrapped anew" },
	{ { "disclosures", NULL }, "disclosures",
	  { { ARGUMENT_TEXT_FLAG, "agency", false }, { ARGUMENT_TEXT_FLAG, "person", false },
	    { ARGUMENT_TEXT_FLAG, "since", false }, { ARGUMENT_TEXT_FLAG, "until", false },
	    { ARGUMENT_TEXT_FLAG, "reason", true }, { ARGUMENT_FLAG, "reasons", false } }, STYLE_TABLE, true,
	  disclosure_columns,
	  "disclosures [--person NUMBER] [--agency AGENCY] [--since TIME] [--until TIME] [--reasons] "
	  "--reason WHY",
	  "what was given to whom, when, which fields, under which agreements; that you asked is written "
	  "down" },
	{ { "rules", "--changes" }, "rules.changes",
	  { { ARGUMENT_TEXT_FLAG, "since", false }, { ARGUMENT_TEXT_FLAG, "until", false } },
	  STYLE_TABLE, true, changes_columns, "rules --changes [--since TIME] [--until TIME]",
	  "when the rules changed, and how many lines of them" },
	{ { "rules", "--diff" }, "rules.diff",
	  { { ARGUMENT_TEXT, "from", true }, { ARGUMENT_TEXT, "to", true } }, STYLE_LINES, true, NULL,
	  "rules --diff FROM TO", "what the rules of two moments (times or sequences) differ in" },
	{ { "rules", NULL }, "rules",
	  { { ARGUMENT_TEXT_FLAG, "at", false }, { ARGUMENT_NUMBER_FLAG, "sequence", false } },
	  STYLE_LINES, true, NULL, "rules [--at TIME | --sequence N]",
	  "the rules in force, now or then: agencies, keys, agreements, every grant" },
	{ { "deadletters", "list" }, "deadletters.list", { { ARGUMENT_TEXT, "mailbox", false } },
	  STYLE_TABLE, false, dead_columns, "deadletters list [MAILBOX]",
	  "events given up after too many attempts" },
	{ { "deadletters", "retry" }, "deadletters.retry",
	  { { ARGUMENT_TEXT, "mailbox", true }, { ARGUMENT_NUMBER, "sequence", false } }, STYLE_ITEM,
	  false, NULL, "deadletters retry MAILBOX [SEQUENCE]",
	  "sends one, or all of the mailbox, again" },
	{ { "deadletters", "discard" }, "deadletters.discard",
	  { { ARGUMENT_TEXT, "mailbox", true }, { ARGUMENT_NUMBER, "sequence", true } }, STYLE_ITEM,
	  false, NULL, "deadletters discard MAILBOX SEQUENCE", "gives one up for good" },
	{ { "tail", NULL }, "tail",
	  { { ARGUMENT_FLAG, "follow", false }, { ARGUMENT_NUMBER_FLAG, "count", false } },
	  STYLE_HISTORY, true, NULL, "tail [--follow] [--count N]",
	  "what happened last: types and opaque keys, never content" },
	{ { "trace", NULL }, "trace", { { ARGUMENT_TEXT, "event_id", true } }, STYLE_HISTORY, true, NULL,
	  "trace EVENT-ID", "what happened to one event, where and when" },
	{ { "receipt", NULL }, "receipt", { { ARGUMENT_TEXT, "event_id", true } }, STYLE_RECEIPT, true,
	  NULL, "receipt EVENT-ID", "proof that an event was accepted, for ttg-verify" },
	{ { "reload", NULL }, "reload", { { 0 } }, STYLE_ITEM, false, NULL, "reload",
	  "loads the configuration again" },
	{ { "backup", NULL }, "backup",
	  { { ARGUMENT_FLAG, "archive", false }, { ARGUMENT_FOLDER, "directory", true } }, STYLE_ITEM, true,
	  NULL, "backup [--archive] DIRECTORY",
	  "copies the journal, or the archive, into an empty folder, while running" },
	{ { "journal", "verify" }, "journal.verify", { { 0 } }, STYLE_ITEM, true, NULL,
	  "journal verify", "proves the journal on disk" },
	{ { "give-up", NULL }, "give-up",
	  { { ARGUMENT_NUMBER, "sequence", true }, { ARGUMENT_YES, "confirm", true } }, STYLE_ITEM,
	  false, NULL, "give-up SEQUENCE --yes",
	  "gives up every delivery below a sequence that is not acknowledged" },
};

struct printing {
	struct ctl *ctl;
	const struct online *command;
	json_t *items; /* of a table */
	size_t n_csv;  /* lines of it printed, where they are printed as they come */
	json_t *grants;
};

static const struct table_column grants_columns[] = {
	{ "grant", "GRANT" },	  { "type", "TYPE" },	    { "agency", "FROM" },
	{ "mailbox", "TO" },	  { "addressed_by", "ADDRESSED BY" }, { "when", "WHEN" },
	{ "fields", "FIELDS" },	  { "retain_s", "KEPT S" },
	{ "ack_within_s", "ACK WITHIN S" },
	{ "fallback", "FALLBACK" }, { NULL, NULL },
};

void ctl_online_usage(FILE *out)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %s\n        %s\n", commands[i].usage, commands[i].meaning);
}

static void print_item(void *arg, json_t *data)
{
	struct printing *printing = arg;
	FILE *out = printing->ctl->out;

	if (printing->ctl->json) {
		json_dumpf(data, out, JSON_COMPACT);
		fputc('\n', out);
		fflush(out);
		return;
	}
	switch (printing->command->style) {
	case STYLE_TABLE:
		if (printing->ctl->csv && json_object_get(data, "grant") == NULL) {
			table_print_csv(out, data, printing->command->columns, printing->n_csv++ == 0);
			break;
		}
		json_array_append(json_object_get(data, "grant") != NULL ? printing->grants
									   : printing->items,
				  data);
		break;
	case STYLE_ITEM:
		/* Progress and messages are for the eye, not part of the result. */
		if (json_object_get(data, "all_bytes") != NULL)
			break;
		if (json_is_string(json_object_get(data, "message")))
			fprintf(out, "%s%s\n",
				json_is_true(json_object_get(data, "warning")) ? "warning: " : "",
				json_string_value(json_object_get(data, "message")));
		else
			table_print_item(out, data);
		break;
	case STYLE_HISTORY:
		table_print_history(out, data);
		fflush(out);
		break;
	case STYLE_LINES:
		table_print_line(out, data);
		break;
	case STYLE_RECEIPT: /* as it is: it goes into a file */
		if (json_is_string(json_object_get(data, "receipt")))
			fputs(json_string_value(json_object_get(data, "receipt")), out);
		break;
	}
}

static const struct online *find_command(int argc, char **argv, int *n_words)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct online *command = &commands[i];

		*n_words = command->words[1] != NULL ? 2 : 1;
		if (argc >= *n_words && strcmp(argv[0], command->words[0]) == 0 &&
		    (*n_words == 1 || strcmp(argv[1], command->words[1]) == 0))
			return command;
	}
	return NULL;
}

static bool parse_number(const char *text, json_t **out)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0)
		return false;
	*out = json_integer(value);
	return true;
}

static bool parse_folder(const char *text, json_t **out)
{
	char here[PATH_MAX], path[2 * PATH_MAX];

	if (text[0] == '/') {
		*out = json_string(text);
		return *out != NULL;
	}
	if (getcwd(here, sizeof(here)) == NULL)
		return false;
	snprintf(path, sizeof(path), "%s/%s", here, text);
	*out = json_string(path);
	return *out != NULL;
}

/* One argument of the command line; *at moves past it. False: it does not fit this one. */
static bool take(const struct argument *argument, int argc, char **argv, int *at, json_t **out)
{
	const char *word = argv[*at];
	bool dashed = strncmp(word, "--", 2) == 0;
	bool fits;

	switch (argument->kind) {
	case ARGUMENT_TEXT:
		*out = dashed ? NULL : json_string(word);
		fits = *out != NULL;
		break;
	case ARGUMENT_NUMBER:
		fits = parse_number(word, out);
		break;
	case ARGUMENT_FOLDER:
		fits = !dashed && parse_folder(word, out);
		break;
	case ARGUMENT_FLAG:
		fits = dashed && strcmp(word + 2, argument->name) == 0;
		if (fits)
			*out = json_true();
		break;
	case ARGUMENT_YES:
		fits = strcmp(word, "--yes") == 0;
		if (fits)
			*out = json_true();
		break;
	case ARGUMENT_NUMBER_FLAG:
		fits = dashed && strcmp(word + 2, argument->name) == 0 && *at + 1 < argc &&
		       parse_number(argv[*at + 1], out);
		if (fits)
			(*at)++;
		break;
	case ARGUMENT_TEXT_FLAG:
		fits = dashed && strcmp(word + 2, argument->name) == 0 && *at + 1 < argc;
		if (fits)
			*out = json_string(argv[++*at]);
		fits = fits && *out != NULL;
		break;
	case ARGUMENT_NONE:
	default:
		fits = false;
		break;
	}
	if (fits)
		(*at)++;
	return fits;
}

/* The request's arguments, owned by the caller; NULL when the command line does not fit. */
static json_t *parse_arguments(const struct online *command, int argc, char **argv)
{
	json_t *object = json_object();

	for (int at = 0; object != NULL && at < argc;) {
		bool fits = false;

		for (size_t i = 0; i < ARGUMENTS_MAX && !fits; i++) {
			const struct argument *argument = &command->arguments[i];
			json_t *value = NULL;

			if (argument->kind == ARGUMENT_NONE ||
			    json_object_get(object, argument->name) != NULL)
				continue;
			fits = take(argument, argc, argv, &at, &value);
			if (fits)
				json_object_set_new(object, argument->name, value);
		}
		if (!fits)
			goto fail;
	}
	for (size_t i = 0; i < ARGUMENTS_MAX; i++)
		if (command->arguments[i].required &&
		    json_object_get(object, command->arguments[i].name) == NULL)
			goto fail;
	return object;
fail:
	json_decref(object);
	return NULL;
}

static enum ctl_exit find_socket(struct ctl *ctl, char path[CONFIG_PATH_MAX])
{
	if (ctl->socket != NULL) {
		snprintf(path, CONFIG_PATH_MAX, "%s", ctl->socket);
		return CTL_FINE;
	}
	if (config_find_socket(ctl->config, path))
		return CTL_FINE;
	if (ctl->config_given)
		return ctl_say(ctl, CTL_NO, "%s does not say where the socket is: ttgctl check, or "
			       "--socket PATH", ctl->config);
	strcpy(path, CTL_DEFAULT_SOCKET);
	return CTL_FINE;
}

static enum ctl_exit conclude(struct ctl *ctl, const struct printing *printing,
			      const struct client_answer *answer)
{
	if (printing->command->style == STYLE_TABLE && !ctl->json && !ctl->csv &&
	    (answer->result == CLIENT_ENDED && answer->code == TTG_OK)) {
		table_print(ctl->out, printing->items, printing->command->columns);
		if (json_array_size(printing->grants) > 0) {
			fputc('\n', ctl->out);
			table_print(ctl->out, printing->grants, grants_columns);
		}
	}
	if (answer->result == CLIENT_ENDED && answer->code == TTG_OK)
		return CTL_FINE;
	if (answer->result == CLIENT_UNREACHABLE)
		return ctl_say(ctl, CTL_UNREACHABLE, "%s", answer->message.text);
	if (answer->result == CLIENT_REFUSED)
		return ctl_say(ctl, CTL_REFUSED, "%s", answer->message.text);
	return ctl_say(ctl, ctl_status(answer->code), "%s", answer->message.text);
}

enum ctl_exit ctl_online(struct ctl *ctl, int argc, char **argv)
{
	int n_words = 0;
	const struct online *command = find_command(argc, argv, &n_words);
	struct printing printing = { .ctl = ctl, .command = command };
	struct client_answer answer;
	char path[CONFIG_PATH_MAX];
	json_t *arguments;
	enum ctl_exit status;

	if (command == NULL)
		return ctl_say(ctl, CTL_USAGE, "no command %.32s%s%.32s, see ttgctl --help", argv[0],
			       argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	arguments = parse_arguments(command, argc - n_words, argv + n_words);
	if (arguments == NULL)
		return ctl_say(ctl, CTL_USAGE, "usage: ttgctl %s", command->usage);
	status = find_socket(ctl, path);
	if (status != CTL_FINE)
		goto out;
	printing.items = json_array();
	printing.grants = json_array();
	client_ask(path, command->command, arguments, command->patient ? -1 : SILENCE_MS, print_item,
		   &printing, &answer);
	status = conclude(ctl, &printing, &answer);
	json_decref(printing.items);
	json_decref(printing.grants);
out:
	json_decref(arguments);
	return status;
}
