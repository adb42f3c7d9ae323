/*
 * The probation adapter's reader: domain events (cases.c, referrals.c) and contacts (contact.c).
 * Owned by the adapter's only thread; nothing is kept between documents.
 */
#ifndef ADAPTERS_PROBATION_PROBATION_H
#define ADAPTERS_PROBATION_PROBATION_H

#include "common/adapter.h"
#include "common/domain_event.h"

struct probation_settings {
	bool publish_sensitive;
	struct config_list voluntary_types; /* contact types of voluntary services */
	char referral_provider[CONFIG_TEXT_BYTES];
};

struct probation {
	char agency[CONFIG_TEXT_BYTES];
	struct probation_settings settings;
};

extern const struct adapter_kind probation_kind;

/* One domain event in hand. */
struct probation_reading {
	const struct probation *probation;
	struct domain_event *event;
	struct intake *intake;
	struct message *message;
};

/* Reads an event, whose type is known to be present; an unknown one is counted. */
enum ttg_error cases_read(struct probation_reading *reading);
enum ttg_error referrals_read(struct probation_reading *reading, bool *known);

/* Begins an event with the envelope of the domain event in hand. */
void *probation_begin(const struct probation_reading *reading, struct build *build,
                      const char *type, Ttg__Urgency urgency);

/* A member of additionalInformation, or "". */
const char *probation_field(const struct probation_reading *reading, const char *name,
                            char room[32]);

/* One contact as nDelius has it, or one CSV row of the same members by their paths. */
enum ttg_error contact_read(const struct probation *probation, const json_t *item, int64_t seen_ns,
                            struct intake *intake, struct message *message);
bool contact_is(const json_t *item);
enum ttg_error contacts_read_csv(const struct probation *probation, const struct document *document,
                                 struct intake *intake, struct message *message);

#endif
