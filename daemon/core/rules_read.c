/*
 * Reading the text of rules; see rules_text.h. The text comes from the journal and is the broker's own, but
 * perhaps of another version of it: a line of another shape makes the whole text unreadable, because what
 * was granted would else be told wrongly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules_text.h"

#define NAMES_MAX 9 /* words of a line with a value, beside its first */
#define VERSION "5"

/* The words of a line in order, each as its name and what stands behind that up to the next blank. */
struct shape {
	const char *kind;
	const char *names[NAMES_MAX + 1];
	bool to_the_end; /* the last value goes on to the end of the line, blanks and all */
};

enum {
	RULES, AGENCY, KEY, SIGNING, SIGNING_KEY, RANGE, MAILBOX, AGREEMENT, PARTY, SPECIAL, PUBLISH,
	DELIVER, SHAPES
};
enum { AGREED_ID, AGREED_FROM, AGREED_TO };
enum { GRANT_TYPE, GRANT_FROM, GRANT_TO, GRANT_UNDER, GRANT_ADDRESSED, GRANT_FIELDS = 9 };

static const struct shape shapes[SHAPES] = {
	[RULES] = { "rules", { "", "broker=" }, false },
	[AGENCY] = { "agency", { "", "rate=", "burst=", "links=", "asks_states=", "name=" }, true },
	[KEY] = { "key", { "", "from=", "to=", "revoked=", "" }, true },
	[SIGNING] = { "signing", { "of=", "must=" }, false },
	[SIGNING_KEY] = { "signing_key", { "", "from=", "to=", "revoked=", "" }, true },
	[RANGE] = { "range", { "" }, false },
	[MAILBOX] = { "mailbox",
		      { "", "max_attempts=", "retry_ms=", "retry_max_ms=", "max_queued=" }, false },
	[AGREEMENT] = { "agreement",
			{ "", "from=", "to=", "marking=", "recipient=", "retain_s=", "" }, true },
	[PARTY] = { "party", { "", "of=", "role=" }, false },
	[SPECIAL] = { "special_category", { "of=", "" }, true },
	[PUBLISH] = { "publish", { "", "by=", "under=" }, false },
	[DELIVER] = { "deliver",
		      { "", "from=", "to=", "under=", "addressed_by=", "retain_s=", "ack_within_s=",
			"fallback=", "when=[", "fields=" },
		      false },
};

struct agreed {
	const char *id;
	int64_t from_ns, to_ns;
};

struct grant {
	const char *type, *from, *to, *under, *addressed_by, *fields;
};

struct rules_reading {
	char *text;
	const char *broker;
	struct agreed *agreements; /* by id */
	size_t n_agreements;
	struct grant *grants; /* by type, from, to, agreement */
	size_t n_grants;
};

/* Takes a value off the front; it ends with `end`, behind which the next word begins or the line ends. */
static char *take_value(char **at, char end)
{
	char *value = *at;
	const size_t len = strcspn(value, (const char[]){ end, '\0' });

	if (value[len] == '\0') {
		*at = value + len;
		return end == ' ' ? value : NULL;
	}
	value[len] = '\0';
	*at = value + len + 1;
	if (end != ' ' && **at == ' ')
		(*at)++;
	return value;
}

/* Values of a line behind its kind, as many as the shape has names; false: another shape. */
static bool take_line(char *at, const struct shape *shape, char *values[NAMES_MAX + 1])
{
	for (size_t i = 0; i <= NAMES_MAX && shape->names[i]; i++) {
		const size_t name = strlen(shape->names[i]);
		const bool last = i == NAMES_MAX || !shape->names[i + 1];

		if (strncmp(at, shape->names[i], name) != 0)
			return false;
		at += name;
		if (last && shape->to_the_end) {
			values[i] = at;
			return true;
		}
		values[i] = take_value(&at, name > 0 && shape->names[i][name - 1] == '[' ? ']' : ' ');
		if (!values[i])
			return false;
	}
	return *at == '\0';
}

static bool read_instant(const char *text, int64_t *out)
{
	char *end = NULL;

	if (text[strspn(text, "-0123456789")] != '\0')
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0';
}

/* "*", or names in three parts. */
static bool are_fields(const char *text)
{
	size_t parts = 1;

	if (strcmp(text, "*") == 0)
		return true;
	for (; *text; text++)
		parts += *text == ';';
	return parts == 3;
}

static bool keep_line(struct rules_reading *it, size_t shape, char *const *values)
{
	struct agreed *agreed = &it->agreements[it->n_agreements];

	if (shape == RULES) {
		it->broker = values[1];
		return strcmp(values[0], VERSION) == 0;
	}
	if (shape == AGREEMENT) {
		agreed->id = values[AGREED_ID];
		it->n_agreements++;
		return read_instant(values[AGREED_FROM], &agreed->from_ns) &&
		       read_instant(values[AGREED_TO], &agreed->to_ns);
	}
	if (shape == DELIVER)
		it->grants[it->n_grants++] =
			(struct grant){ values[GRANT_TYPE],	 values[GRANT_FROM],
					values[GRANT_TO],	 values[GRANT_UNDER],
					values[GRANT_ADDRESSED], values[GRANT_FIELDS] };
	return shape != DELIVER || are_fields(values[GRANT_FIELDS]);
}

static bool read_line(struct rules_reading *it, char *line)
{
	char *values[NAMES_MAX + 1] = { NULL }, *at = line;
	const char *kind = take_value(&at, ' ');

	for (size_t i = 0; i < SHAPES; i++)
		if (strcmp(shapes[i].kind, kind) == 0)
			return (i == RULES) == (it->broker == NULL) &&
			       take_line(at, &shapes[i], values) && keep_line(it, i, values);
	return false;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct agreed *)a)->id, ((const struct agreed *)b)->id);
}

static int by_delivery(const void *a, const void *b)
{
	const struct grant *left = a, *right = b;
	int order = strcmp(left->type, right->type);

	if (order == 0)
		order = strcmp(left->from, right->from);
	return order ? order : strcmp(left->to, right->to);
}

/* The same, and those of one delivery by their agreements. */
static int by_grant(const void *a, const void *b)
{
	const int order = by_delivery(a, b);

	return order ? order :
		       strcmp(((const struct grant *)a)->under, ((const struct grant *)b)->under);
}

static const struct agreed *find_agreement(const struct rules_reading *it, const char *id)
{
	const struct agreed wanted = { .id = id };

	return bsearch(&wanted, it->agreements, it->n_agreements, sizeof(wanted), by_id);
}

/* Every grant is under an agreement that is there. */
static bool finish(struct rules_reading *it)
{
	qsort(it->agreements, it->n_agreements, sizeof(*it->agreements), by_id);
	qsort(it->grants, it->n_grants, sizeof(*it->grants), by_grant);
	for (size_t i = 0; i < it->n_grants; i++)
		if (!find_agreement(it, it->grants[i].under))
			return false;
	return it->broker != NULL;
}

struct rules_reading *rules_read(const char *text, size_t len)
{
	struct rules_reading *it = calloc(1, sizeof(*it));
	size_t lines = 1;
	bool done = it && len > 0 && text[len - 1] == '\n' && !memchr(text, 0, len);

	for (size_t i = 0; i < len && done; i++)
		lines += text[i] == '\n';
	if (done) {
		it->text = malloc(len);
		it->agreements = calloc(lines, sizeof(*it->agreements));
		it->grants = calloc(lines, sizeof(*it->grants));
		done = it->text && it->agreements && it->grants;
	}
	if (done) {
		memcpy(it->text, text, len);
		for (char *at = it->text, *end; at < it->text + len && done; at = end + 1) {
			end = memchr(at, '\n', (size_t)(it->text + len - at));
			*end = '\0';
			done = read_line(it, at);
		}
	}
	if (!done || !finish(it))
		rules_reading_free(&it);
	return it;
}

void rules_reading_free(struct rules_reading **reading)
{
	struct rules_reading *it = *reading;

	*reading = NULL;
	if (!it)
		return;
	free(it->text);
	free(it->agreements);
	free(it->grants);
	free(it);
}

static bool names(const struct rules_delivery *delivery, const char *agreement)
{
	for (size_t i = 0; i < delivery->n_under; i++)
		if (strcmp(delivery->under[i], agreement) == 0)
			return true;
	return false;
}

/* As deliver.c asks again what may go. */
static bool counts(const struct rules_reading *it, const struct grant *grant,
		   const struct rules_delivery *delivery)
{
	const struct agreed *agreed = find_agreement(it, grant->under);

	if (delivery->at_ns < agreed->from_ns || delivery->at_ns >= agreed->to_ns)
		return false;
	return names(delivery, grant->under) || (delivery->others && grant->addressed_by[0] == '\0');
}

/* The broker's own words about a delivery, which go whole whatever is agreed. */
static bool goes_whole(const struct rules_reading *it, const struct rules_delivery *delivery)
{
	return strcmp(delivery->from, it->broker) == 0 &&
	       (strcmp(delivery->type, "broker.alert_unacknowledged") == 0 ||
		strcmp(delivery->type, "broker.correction") == 0 ||
		strcmp(delivery->type, "broker.referral_overdue") == 0);
}

char *rules_read_fields(const struct rules_reading *reading, const struct rules_delivery *delivery)
{
	const struct grant wanted = { .type = delivery->type, .from = delivery->from,
				      .to = delivery->to };
	const struct grant *end = reading->grants + reading->n_grants, *at;
	char *fields = strdup(goes_whole(reading, delivery) ? "*" : "");

	at = bsearch(&wanted, reading->grants, reading->n_grants, sizeof(wanted), by_delivery);
	while (at && at > reading->grants && by_delivery(&wanted, at - 1) == 0)
		at--;
	for (; fields && at && at < end && by_delivery(&wanted, at) == 0; at++) {
		char *more;

		if (!counts(reading, at, delivery))
			continue;
		more = rules_join_fields(fields, at->fields);
		free(fields);
		fields = more;
	}
	return fields;
}
