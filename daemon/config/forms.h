/*
 * What one group of agencies.d or agreements.d holds, as read by the option tables of
 * options_rules.c, before anything is checked against anything else.
 *
 * Lists and groups stay libconfig's and live as long as the source. Texts left out are "", lists and
 * groups NULL.
 */
#ifndef TTGD_CONFIG_FORMS_H
#define TTGD_CONFIG_FORMS_H

#include "base/keyfile.h"
#include "config/options.h"

struct agency_form {
	char id[RULES_ID_MAX + 1];
	char name[129];
	const config_setting_t *keys, *signing_keys, *addresses, *mailboxes;
	uint32_t rate_per_s, burst;
	bool links, asks_states, must_sign;
};

struct key_form {
	char label[RULES_ID_MAX + 1];
	char public[KEYFILE_Z85];
	char public_file[CONFIG_PATH_MAX];
	char from[11], to[11];
	bool revoked;
};

struct signing_key_form {
	char label[RULES_ID_MAX + 1];
	char public_file[CONFIG_PATH_MAX];
	char from[11], to[11];
	bool revoked;
};

struct box_form {
	char box[RULES_ID_MAX + 1];
	uint32_t max_attempts, retry_ms, retry_max_ms, max_queued;
};

struct agreement_form {
	char id[RULES_ID_MAX + 1];
	char title[257];
	char purpose[1025];
	char gateway[257];
	char special_category[257];
	char recipient[CONFIG_WORD_MAX];
	char marking[CONFIG_WORD_MAX];
	char valid_from[11], valid_to[11], review[11];
	uint32_t retain_days, retain_s;
	const config_setting_t *parties, *roles, *publish, *deliver, *future_types;
};

struct role_form {
	char agency[RULES_ID_MAX + 1];
	char role[CONFIG_WORD_MAX];
};

struct publish_form {
	char agency[RULES_ID_MAX + 1];
	const config_setting_t *types;
};

struct deliver_form {
	char mailbox[RULES_MAILBOX_MAX + 1];
	const config_setting_t *from, *types;
	const config_setting_t *fields, *envelope, *identifiers; /* NULL fields: all of the event */
	char addressed_by[RULES_TYPE_MAX + 1];
	uint32_t retain_days;
	uint32_t ack_within_s;
	char fallback[RULES_MAILBOX_MAX + 1];
	const config_setting_t *when; /* NULL: no conditions */
};

#define CONDITIONS_WINDOW_DAYS_MAX 3650

struct when_form {
	char enrolled[CONDITION_SCHEME_MAX + 1];
	uint32_t window_days; /* 0: left out */
	bool referral;
	char risk_at_most[CONFIG_WORD_MAX];
	char custody[CONFIG_WORD_MAX];
	const config_setting_t *areas;
};

#endif
