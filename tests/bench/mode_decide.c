/*
 * What deciding costs by itself: no broker, no disk, no network. The rules are of 200 agencies and
 * 2,000 grants under 200 agreements, half of them of some fields only; an event of a type goes to some
 * fifty mailboxes. Given are nanoseconds of one processor, the least of several rounds, for one
 * recipient: to be found and written down when the event is accepted (what publishing costs more than
 * the same event without recipients), to have its mask chosen at delivery, and for one packing of what
 * is left of the event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/modes.h"
#include "core/core.h"
#include "core/disclose.h"
#include "core/redact.h"

#define AGENCIES 200
#define GRANTS 2000
#define TYPES 40
#define ROUNDS 7
#define EVENTS 4000

static int64_t real_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void *must(void *made)
{
	if (!made)
		bench_die("no memory");
	return made;
}

static enum ttg_error take_record(void *self, const struct core_record *taken, size_t n,
				  uint64_t *first)
{
	uint64_t *records = self;

	(void)taken;
	*first = *records + 1;
	*records += n;
	return TTG_OK;
}

static enum ttg_error read_none(void *self, uint64_t sequence, uint8_t *kind, const uint8_t **data,
				size_t *len)
{
	(void)self, (void)sequence, (void)kind, (void)data, (void)len;
	return TTG_ENOENT;
}

static void note_none(void *self, const char *word, const char *mailbox, uint64_t sequence)
{
	(void)self, (void)word, (void)mailbox, (void)sequence;
}

/* "prison.released" and 39 others; the first agency publishes them all. */
static void add_types(struct rules *rules)
{
	const int released = ttg_type_find("prison.released");

	rules->types = must(calloc(TYPES, sizeof(*rules->types)));
	rules->publish = must(calloc(TYPES, sizeof(*rules->publish)));
	for (uint32_t i = 0; i < TYPES; i++) {
		snprintf(rules->types[i], sizeof(rules->types[i]), "%s",
			 ttg_type_name(((size_t)released + i) % TYPES));
		rules->publish[i] = (struct rules_publish_grant){ .type = i };
	}
	rules->n_types = rules->n_publish = TYPES;
}

static void add_agencies(struct rules *rules)
{
	rules->agencies = must(calloc(AGENCIES, sizeof(*rules->agencies)));
	rules->mailboxes = must(calloc(AGENCIES, sizeof(*rules->mailboxes)));
	rules->agreements = must(calloc(AGENCIES, sizeof(*rules->agreements)));
	for (uint32_t i = 0; i < AGENCIES; i++) {
		snprintf(rules->agencies[i].id, RULES_ID_MAX, "agency-%03u", i);
		snprintf(rules->mailboxes[i].id, RULES_MAILBOX_MAX, "agency-%03u/in", i);
		snprintf(rules->agreements[i].id, RULES_ID_MAX, "agreement-%03u", i);
		rules->mailboxes[i].agency = i;
		rules->mailboxes[i].max_attempts = 5;
		rules->agreements[i].to_ns = RULES_FOREVER;
	}
	rules->n_agencies = rules->n_mailboxes = rules->n_agreements = AGENCIES;
}

static uint32_t add_mask(struct rules *rules, const char *type, uint32_t number)
{
	struct mask *mask = must(mask_new(ttg_type_find(type)));
	const ProtobufCMessageDescriptor *payload = ttg_type_descriptor((size_t)mask->type);

	for (uint32_t i = 0; i < 5; i++)
		mask_add(mask, payload->fields[(number + i) % payload->n_fields].name);
	mask_add_kind(mask, 1);
	rules->masks[rules->n_masks++] = mask;
	return (uint32_t)rules->n_masks;
}

static struct rules *make_rules(bool with_grants)
{
	struct rules *rules = must(rules_new());

	snprintf(rules->broker, sizeof(rules->broker), "broker");
	add_types(rules);
	add_agencies(rules);
	rules->deliver = must(calloc(GRANTS, sizeof(*rules->deliver)));
	rules->masks = must(calloc(GRANTS, sizeof(struct mask *)));
	for (uint32_t i = 0; i < GRANTS && with_grants; i++) {
		const uint32_t type = i % TYPES, turn = i / TYPES;

		rules->deliver[rules->n_deliver++] = (struct rules_deliver_grant){
			.type = type,
			.mailbox = turn * 4 + type % 4,
			.agreement = (turn * 4 + type) % AGENCIES,
			.fallback = RULES_NONE,
			.mask = turn % 2 ? add_mask(rules, rules->types[type], i) : 0,
		};
	}
	if (!rules_finish(rules))
		bench_die("no memory");
	return rules;
}

static struct core *make_core(uint64_t *records, const struct rules *rules)
{
	const struct core_options options = {
		.broker = "broker", .max_event_bytes = 65536, .max_skew_s = 300,
		.dedupe_window_ns = UINT64_C(3600000000000), .dedupe_max = 100000, .window = 1,
		.max_held = 1,
	};
	const struct core_sink sink = { .self = records, .append = take_record, .read = read_none,
					.note = note_none };
	const struct core_now now = { real_now_ns(), 1 };
	struct core *core = must(core_new(&options, &sink));

	if (core_set_rules(core, &now, rules))
		bench_die("the rules are not taken");
	return core;
}

static double smaller(double least, int64_t spent_ns, uint64_t n)
{
	const double each = (double)spent_ns / (double)n;

	return least == 0 || each < least ? each : least;
}

/* Nanoseconds to accept one event; *recipients: how many mailboxes it went to. */
static double accept_ns(const struct rules *rules, uint64_t *recipients)
{
	const struct event_wish wish = { .source = "agency-000", .bytes = 512, .publishers = 1,
					 .persons = 1000 };
	double least = 0;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t records = 0;
		struct core *core = make_core(&records, rules);
		const struct core_now now = { real_now_ns(), 1 };
		struct core_outcome outcome = { .kind = CORE_REFUSED };
		struct event_maker maker;
		int64_t spent = 0;

		event_maker_init(&maker, &wish);
		for (uint64_t i = 1; i <= EVENTS; i++) {
			const struct event *event = event_make(&maker, i);
			const int64_t began = bench_now_ns();

			core_publish(core, &now, "agency-000", event->bytes, event->len, &outcome);
			spent += bench_now_ns() - began;
			if (outcome.kind != CORE_ACCEPTED)
				bench_die("an event is refused: %s", outcome.text);
		}
		least = smaller(least, spent, EVENTS);
		*recipients = 0;
		for (size_t i = 0; i < core_mailbox_count(core); i++) {
			struct core_mailbox_view view;

			core_mailbox_view(core, i, &view);
			*recipients += view.next_position > 1;
		}
		event_maker_fini(&maker);
		core_free(&core);
	}
	return least;
}

/* The masks of all recipients of one event, chosen and packed. */
static void deliver_ns(const struct rules *rules, double *mask_ns, double *pack_ns)
{
	const struct event_wish wish = { .source = "agency-000", .bytes = 512, .publishers = 1,
					 .persons = 1000 };
	const struct rules_deliver_grant *grants;
	const size_t n = rules_deliveries(rules, (uint32_t)rules_find_type(rules, "prison.released"),
					  0, &grants);
	struct disclose *disclose = must(disclose_new());
	struct event_maker maker;

	event_maker_init(&maker, &wish);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t choosing = 0, packing = 0;
		uint64_t chosen = 0, packed = 0;

		for (uint64_t i = 1; i <= EVENTS / 10; i++) {
			const struct event *made = event_make(&maker, i);
			const struct record_event event = { .source = "agency-000",
							    .type = "prison.released" };
			uint8_t out[1024];

			for (size_t k = 0; k < n; k++) {
				const struct record_recipient to = {
					.n_agreements = 1,
					.agreements = { rules->agreements[grants[k].agreement].id },
				};
				const struct mask *mask;
				const int64_t began = bench_now_ns();

				disclose_mask(disclose, rules, &event, grants[k].mailbox, &to, &mask);
				const int64_t then = bench_now_ns();
				choosing += then - began;
				chosen++;
				size_t len = 0;
				if (!mask)
					continue;
				if (!redact(mask, (struct span){ made->bytes, made->len }, out, &len))
					bench_die("an event cannot be cut");
				packing += bench_now_ns() - then;
				packed++;
			}
		}
		*mask_ns = smaller(*mask_ns, choosing, chosen);
		*pack_ns = smaller(*pack_ns, packing, packed);
	}
	event_maker_fini(&maker);
	disclose_free(&disclose);
}

/* What reading the clock twice costs, which every figure has in it. */
static double clock_ns(void)
{
	const int64_t began = bench_now_ns();
	int64_t last = began;

	for (int i = 0; i < 100000; i++)
		last = bench_now_ns();
	return (double)(last - began) / 100000;
}

void mode_decide(struct bench *bench)
{
	struct rules *with = make_rules(true), *without = make_rules(false);
	uint64_t recipients = 0, nobody = 0;
	double mask_ns = 0, pack_ns = 0;

	(void)bench;
	const double some = accept_ns(with, &recipients), none = accept_ns(without, &nobody);
	deliver_ns(with, &mask_ns, &pack_ns);
	if (recipients == 0 || nobody != 0)
		bench_die("the rules do not give what they should");
	printf("{\"mode\":\"decide\",\"agencies\":%d,\"grants\":%d,\"recipients\":%llu,"
	       "\"accept_ns\":%.0f,\"accept_ns_per_recipient\":%.0f,\"mask_ns_per_recipient\":%.0f,"
	       "\"pack_ns\":%.0f,\"clock_ns\":%.0f}\n",
	       AGENCIES, GRANTS, (unsigned long long)recipients, none,
	       (some - none) / (double)recipients, mask_ns, pack_ns, clock_ns());
	rules_free(&with);
	rules_free(&without);
}
