/*
 * The option tables of agencies.d and agreements.d: what may stand in their groups.
 */
#include "config/build.h"
#include "config/forms.h"

#define RETAIN_DAYS_MAX 36500
#define RETAIN_S_MAX 1000000000 /* over 30 years */

#define AGENCY(member) \
	offsetof(struct agency_form, member), sizeof(((struct agency_form *)0)->member)
#define KEY(member) \
	offsetof(struct key_form, member), sizeof(((struct key_form *)0)->member)
#define SIGNING(member) \
	offsetof(struct signing_key_form, member), sizeof(((struct signing_key_form *)0)->member)
#define BOX(member) \
	offsetof(struct box_form, member), sizeof(((struct box_form *)0)->member)
#define AGREEMENT(member) \
	offsetof(struct agreement_form, member), sizeof(((struct agreement_form *)0)->member)
#define ROLE(member) \
	offsetof(struct role_form, member), sizeof(((struct role_form *)0)->member)
#define PUBLISH(member) \
	offsetof(struct publish_form, member), sizeof(((struct publish_form *)0)->member)
#define DELIVER(member) \
	offsetof(struct deliver_form, member), sizeof(((struct deliver_form *)0)->member)
#define WHEN(member) \
	offsetof(struct when_form, member), sizeof(((struct when_form *)0)->member)

static const struct option agency_options[] = {
	{ "id", OPTION_ID, AGENCY(id), 1, RULES_ID_MAX, NULL, NULL, false,
	  "agency id, used everywhere" },
	{ "name", OPTION_TEXT, AGENCY(name), 1, 128, NULL, NULL, false, "its name, for people" },
	{ "keys", OPTION_GROUPS, AGENCY(keys), 0, BUILD_MAX_KEYS, "", NULL, false,
	  "its public keys; several while one replaces another" },
	{ "addresses", OPTION_TEXTS, AGENCY(addresses), 0, BUILD_MAX_RANGES, "", NULL, false,
	  "address ranges it may connect from, for example \"192.0.2.0/24\"; none: anywhere" },
	{ "rate_per_s", OPTION_U32, AGENCY(rate_per_s), 0, 10000000, "0", NULL, false,
	  "events a second it may publish, in the long run; 0: no limit" },
	{ "burst", OPTION_U32, AGENCY(burst), 0, 10000000, "0", NULL, false,
	  "events it may publish at once; 0: twice rate_per_s" },
	{ "links", OPTION_BOOL, AGENCY(links), 0, 1, "false", NULL, false,
	  "true: what its events say of numbers being one man's counts" },
	{ "asks_states", OPTION_BOOL, AGENCY(asks_states), 0, 1, "false", NULL, false,
	  "true: it may ask how many recipients got each of its events, and acknowledged" },
	{ "signing_keys", OPTION_GROUPS, AGENCY(signing_keys), 0, BUILD_MAX_KEYS, "", NULL, false,
	  "public keys of what it signs; several while one replaces another" },
	{ "must_sign", OPTION_BOOL, AGENCY(must_sign), 0, 1, "false", NULL, false,
	  "true: events that it publishes without a signature are refused" },
	{ "mailboxes", OPTION_GROUPS, AGENCY(mailboxes), 0, BUILD_MAX_BOXES, "", NULL, false,
	  "where it receives" },
};

static const struct option key_options[] = {
	{ "label", OPTION_ID, KEY(label), 1, RULES_ID_MAX, NULL, NULL, false,
	  "name of the key in logs, for example \"2026-a\"" },
	{ "public", OPTION_TEXT, KEY(public), 40, 40, "", NULL, false,
	  "the public key, 40 characters Z85; or public_file" },
	{ "public_file", OPTION_PATH, KEY(public_file), 1, CONFIG_PATH_MAX - 1, "", NULL, false,
	  "file with the public key, from ttgctl keygen; or public" },
	{ "from", OPTION_DATE, KEY(from), 10, 10, "", NULL, false,
	  "first day it is good for; empty: always was" },
	{ "to", OPTION_DATE, KEY(to), 10, 10, "", NULL, false,
	  "first day it is no longer good for; empty: without end" },
	{ "revoked", OPTION_BOOL, KEY(revoked), 0, 1, "false", NULL, false,
	  "true: refused at once, whatever the dates" },
};

static const struct option signing_key_options[] = {
	{ "label", OPTION_ID, SIGNING(label), 1, RULES_ID_MAX, NULL, NULL, false,
	  "name of the key, for example \"2026-a\"" },
	{ "public_file", OPTION_PATH, SIGNING(public_file), 1, CONFIG_PATH_MAX - 1, NULL, NULL, false,
	  "file with the public Ed25519 key (PEM), from ttgctl keygen --signing" },
	{ "from", OPTION_DATE, SIGNING(from), 10, 10, "", NULL, false,
	  "first day it is good for; empty: always was" },
	{ "to", OPTION_DATE, SIGNING(to), 10, 10, "", NULL, false,
	  "first day it is no longer good for; empty: without end" },
	{ "revoked", OPTION_BOOL, SIGNING(revoked), 0, 1, "false", NULL, false,
	  "true: refused at once, whatever the dates" },
};

static const struct option box_options[] = {
	{ "box", OPTION_ID, BOX(box), 1, RULES_ID_MAX, NULL, NULL, false,
	  "name of the mailbox in its agency: \"duty\" is one-service/duty" },
	{ "max_attempts", OPTION_U32, BOX(max_attempts), 1, 1000, "5", NULL, false,
	  "refusals before an event becomes a dead letter and its person's lane waits" },
	{ "retry_ms", OPTION_U32, BOX(retry_ms), 1, 3600000, "1000", NULL, false,
	  "delay after the first refusal, milliseconds; doubled each time" },
	{ "retry_max_ms", OPTION_U32, BOX(retry_max_ms), 1, 86400000, "60000", NULL, false,
	  "longest delay, milliseconds" },
	{ "max_queued", OPTION_U32, BOX(max_queued), 0, 1000000000, "0", NULL, false,
	  "events waiting at which publishers are told to wait; 0: no bound but the disk" },
};

static const struct option agreement_options[] = {
	{ "id", OPTION_ID, AGREEMENT(id), 1, RULES_ID_MAX, NULL, NULL, false,
	  "agreement id; stands on every delivery under it" },
	{ "title", OPTION_TEXT, AGREEMENT(title), 1, 256, NULL, NULL, false,
	  "its name, for people" },
	{ "parties", OPTION_TEXTS, AGREEMENT(parties), 1, BUILD_MAX_PARTIES, NULL, NULL, false,
	  "ids of the agencies that signed it" },
	{ "roles", OPTION_GROUPS, AGREEMENT(roles), 0, BUILD_MAX_PARTIES, "", NULL, false,
	  "what each party is to what is shared" },
	{ "purpose", OPTION_TEXT, AGREEMENT(purpose), 1, 1024, NULL, NULL, false,
	  "what the information is shared for" },
	{ "gateway", OPTION_TEXT, AGREEMENT(gateway), 1, 256, NULL, NULL, false,
	  "the law or power it is shared under" },
	{ "special_category", OPTION_TEXT, AGREEMENT(special_category), 1, 256, "", NULL, false,
	  "the condition that special category data is shared under, for example \"DPA 2018 Sch. 1 "
	  "para. 18\"; empty: none is" },
	{ "recipient", OPTION_CHOICE, AGREEMENT(recipient), 1, CONFIG_WORD_MAX - 1, "other",
	  "law-enforcement other", false, "what kind of body receives" },
	{ "marking", OPTION_CHOICE, AGREEMENT(marking), 1, CONFIG_WORD_MAX - 1, "official-sensitive",
	  "official official-sensitive", false, "highest marking of an event that goes under it" },
	{ "valid_from", OPTION_DATE, AGREEMENT(valid_from), 10, 10, NULL, NULL, false,
	  "first day it is in force" },
	{ "valid_to", OPTION_DATE, AGREEMENT(valid_to), 10, 10, NULL, NULL, false,
	  "first day it is no longer in force" },
	{ "review", OPTION_DATE, AGREEMENT(review), 10, 10, "", NULL, false,
	  "day it is to be looked at again; past it every check warns" },
	{ "retain_days", OPTION_U32, AGREEMENT(retain_days), 0, RETAIN_DAYS_MAX, "0", NULL, false,
	  "days that payloads about persons are kept under it, from acceptance; 0: no end by themselves" },
	{ "retain_s", OPTION_U32, AGREEMENT(retain_s), 0, RETAIN_S_MAX, "0", NULL, false,
	  "seconds that they are kept, in place of retain_days; 0: retain_days counts" },
	{ "publish", OPTION_GROUPS, AGREEMENT(publish), 0, BUILD_MAX_ENTRIES, "", NULL, false,
	  "who may publish what" },
	{ "deliver", OPTION_GROUPS, AGREEMENT(deliver), 0, BUILD_MAX_ENTRIES, "", NULL, false,
	  "which mailbox receives what, from whom" },
	{ "future_types", OPTION_TEXTS, AGREEMENT(future_types), 0, BUILD_MAX_ENTRIES, "", NULL,
	  false, "types this version does not know and passes on as they are" },
};

static const struct option publish_options[] = {
	{ "agency", OPTION_ID, PUBLISH(agency), 1, RULES_ID_MAX, NULL, NULL, false,
	  "the publisher, a party" },
	{ "types", OPTION_TEXTS, PUBLISH(types), 1, BUILD_MAX_ENTRIES, NULL, NULL, false,
	  "event types, each by name" },
};

static const struct option deliver_options[] = {
	{ "mailbox", OPTION_TEXT, DELIVER(mailbox), 3, RULES_MAILBOX_MAX, NULL, NULL, false,
	  "\"agency/box\" of a party" },
	{ "from", OPTION_TEXTS, DELIVER(from), 1, BUILD_MAX_PARTIES, NULL, NULL, false,
	  "the publishers: parties, or the broker itself for broker.* types" },
	{ "types", OPTION_TEXTS, DELIVER(types), 1, BUILD_MAX_ENTRIES, NULL, NULL, false,
	  "event types, each by name" },
	{ "fields", OPTION_TEXTS, DELIVER(fields), 0, BUILD_MAX_ENTRIES, "", NULL, false,
	  "what goes of the payload, by path, for example \"contact.telephone\"; left out: all of the "
	  "event" },
	{ "envelope", OPTION_TEXTS, DELIVER(envelope), 0, BUILD_MAX_ENTRIES, "", NULL, false,
	  "what goes of the envelope besides what always goes, for example \"person\"; only with "
	  "fields" },
	{ "identifiers", OPTION_TEXTS, DELIVER(identifiers), 0, BUILD_MAX_ENTRIES, "", NULL, false,
	  "kinds of the person's numbers that go, for example \"NOMS\"; only with fields" },
	{ "addressed_by", OPTION_TEXT, DELIVER(addressed_by), 1, RULES_TYPE_MAX, "", NULL, false,
	  "only events whose payload field of this name holds the mailbox's agency id" },
	{ "retain_days", OPTION_U32, DELIVER(retain_days), 0, RETAIN_DAYS_MAX, "0", NULL, false,
	  "days that the payloads of these types are kept for this mailbox; 0: as the agreement says" },
	{ "ack_within_s", OPTION_U32, DELIVER(ack_within_s), 0, 604800, "0", NULL, false,
	  "seconds an urgent event may wait for its acknowledgement before fallback is told; 0: "
	  "for ever" },
	{ "fallback", OPTION_TEXT, DELIVER(fallback), 3, RULES_MAILBOX_MAX, "", NULL, false,
	  "\"agency/box\" of a party that is told then" },
	{ "when", OPTION_GROUP, DELIVER(when), 0, 0, "", NULL, false,
	  "what has to be known of the person for an event to go; left out: nothing" },
};

static const struct option when_options[] = {
	{ "enrolled", OPTION_TEXT, WHEN(enrolled), 3, CONDITION_SCHEME_MAX, "", NULL, false,
	  "\"agency/scheme\": that agency has enrolled him in this scheme" },
	{ "window_days", OPTION_U32, WHEN(window_days), 1, CONDITIONS_WINDOW_DAYS_MAX, "", NULL, false,
	  "days from the release that begins his time in it until it is over; only with enrolled" },
	{ "referral", OPTION_BOOL, WHEN(referral), 0, 1, "false", NULL, false,
	  "true: a referral of him to the mailbox's agency is open" },
	{ "risk_at_most", OPTION_CHOICE, WHEN(risk_at_most), 1, CONFIG_WORD_MAX - 1, "",
	  "low medium high very-high", false, "the level of risk last told of him is no higher" },
	{ "custody", OPTION_CHOICE, WHEN(custody), 1, CONFIG_WORD_MAX - 1, "", "in out", false,
	  "he is in prison, or is not" },
	{ "areas", OPTION_TEXTS, WHEN(areas), 1, CONDITION_AREAS_MAX, "", NULL, false,
	  "he lives in one of these local authorities, for example \"E06000031\"" },
};

static const struct option role_options[] = {
	{ "agency", OPTION_ID, ROLE(agency), 1, RULES_ID_MAX, NULL, NULL, false, "the party" },
	{ "role", OPTION_CHOICE, ROLE(role), 1, CONFIG_WORD_MAX - 1, NULL,
	  "controller joint-controller processor", false, "what it is under data protection law" },
};

#define GROUP(name, table) { name, table, sizeof(table) / sizeof((table)[0]) }

const struct option_group options_agency[OPTIONS_AGENCY_GROUPS] = {
	GROUP("agency", agency_options),
	GROUP("agency.keys", key_options),
	GROUP("agency.mailboxes", box_options),
	GROUP("agency.signing_keys", signing_key_options),
};

const struct option_group options_agreement[OPTIONS_AGREEMENT_GROUPS] = {
	GROUP("agreement", agreement_options),
	GROUP("agreement.publish", publish_options),
	GROUP("agreement.deliver", deliver_options),
	GROUP("agreement.deliver.when", when_options),
	GROUP("agreement.roles", role_options),
};
