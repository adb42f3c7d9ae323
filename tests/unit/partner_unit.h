/* Events about referrals, written as CloudEvents and put among the referrals of the agency "mind". */
#ifndef TTG_TESTS_PARTNER_UNIT_H
#define TTG_TESTS_PARTNER_UNIT_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "common/cloudevents.h"
#include "partner/caseload.h"
#include "support/assert.h"

struct told_news {
	const char *type;
	const char *referral;
	const char *data; /* further members, each behind a comma; NULL: none */
	const char *id;   /* NULL: made of number */
	unsigned number;
	const char *at; /* when it was kept; NULL: 2026-11-20T09:00:00Z */
	bool ours;
	enum step_answer answer;
};

static inline int64_t instant_of(const char *text)
{
	int64_t unix_ns = 0;

	assert_int_equal(instant_parse(text, &unix_ns), TTG_OK);
	return unix_ns;
}

static inline Ttg__Event *must_read_news(const struct told_news *told)
{
	char text[2048];
	json_t *object;
	Ttg__Event *event = NULL;
	unsigned ignored;
	struct message message = { "" };

	snprintf(text, sizeof(text),
	         "{\"specversion\":\"1.0\",\"id\":\"0199a000-0000-7000-8000-%012u\","
	         "\"source\":\"%s\",\"type\":\"%s\",\"time\":\"2026-11-20T09:00:00Z\","
	         "\"data\":{\"referral_id\":\"%s\",%s\"person\":{\"identifiers\":"
	         "[{\"kind\":\"CASE_NUMBER\",\"value\":\"C-%s\",\"issuer\":\"one-service\"}]}%s}}",
	         told->number, told->ours ? "mind" : "one-service", told->type, told->referral,
	         strncmp(told->type, "referral.", 9) != 0
	                 ? ""
	                 : "\"referrer_agency\":\"one-service\",\"provider_agency\":\"mind\",",
	         told->referral, told->data == NULL ? "" : told->data);
	object = json_loads(text, 0, NULL);
	assert_non_null(object);
	if (cloudevents_read(object, &event, &ignored, &message) != TTG_OK)
		must_fail("%s", message.text);
	json_decref(object);
	return event;
}

static inline void must_tell(struct caseload *referrals, const struct told_news *told)
{
	Ttg__Event *event = must_read_news(told);
	struct caseload_news news = {
		.at_ns = instant_of(told->at == NULL ? "2026-11-20T09:00:00Z" : told->at),
		.ours = told->ours,
		.answer = told->answer,
	};
	uint8_t *bytes;

	assert_int_equal(ttg_event_pack(event, &bytes, &news.encoded_bytes), TTG_OK);
	news.encoded = bytes;
	assert_int_equal(caseload_add(referrals, &news), TTG_OK);
	free(bytes);
	ttg__event__free_unpacked(event, NULL);
}

#endif
