/*
 * Forms sent with whatever fields, good, bad and hostile: never more than one event comes of it,
 * the reader of ttg-oneservice always takes it, and no page shows what was typed as markup.
 */
#include "unit.h"
#include <string.h>
#include <unistd.h>
#include "support/acting.h"

#define ROUNDS 2000

static desk_page *const sends[] = {
	page_enrol_send,    page_enrol_new_send, page_contact_send,
	page_needs_send,    page_exit_send,      page_gate_meeting_send,
	page_withdraw_send, page_referral_send,  page_referral_withdraw_send,
	page_flag_send,     page_access_send,    page_return_send,
};

/* Every control of every form that is more than a date. */
static const char *const names[] = {
	"scheme",
	"cohort",
	"consent_version",
	"caseworker",
	"prison_code",
	"noms",
	"pnc",
	"crn",
	"case_number",
	"channel",
	"purpose",
	"result",
	"minutes",
	"setting",
	"needs",
	"counts",
	"volunteer",
	"referral",
	"kind",
	"need-1",
	"note-1",
	"need-11",
	"note-11",
	"before",
	"instrument",
	"outcome",
	"reason",
	"may_return",
	"note",
	"provider",
	"need",
	"ask",
	"display_name",
	"telephone",
	"other_telephone",
	"email",
	"best_time",
	"safe",
	"language_code",
	"interpreter",
	"access_needs",
	"area",
	"text",
	"action",
	"contact_number",
	"flag_reference",
	"police_agency",
	"name",
	"role",
	"agency",
	"vetting_reference",
	"keys",
	"sure",
};

static const char *const moments[] = { "from",     "until",        "consent_at", "release",
	                               "started",  "assessed",     "review",     "exited",
	                               "returned", "withdrawn",    "answer_by",  "wanted_by",
	                               "met",      "vetting_until" };

static const char *const values[] = {
	"1",
	"2",
	"3",
	"15",
	"0",
	"-1",
	"99999999999999999999",
	"yes",
	"mind",
	"pilot",
	"*",
	"MOV",
	"A1234BC",
	"A7777AA",
	"2012/0052494Q",
	"X320741",
	"R-1",
	"%3Cttg%3E",
	"%22%3E%3Cttg%3E",
	"%00",
	"a%0ab",
	"%F0%9F%90%94",
	"%C3",
	"one-service",
	"cambridgeshire-police",
	"J.+Okafor",
	"%26lt%3B",
	"%25s%25n",
};

static const char *const dates[] = { "2027-03-12", "2027-03-11", "2028-02-29", "2027-02-30",
	                             "1899-12-31", "9999-99-99", "0000-00-00", "12/03/2027" };
static const char *const clocks[] = { "09:30", "23:59", "00:00", "24:00", "1:5", "noon" };

#define PICK(list, seed) list[unit_random(seed) % (sizeof(list) / sizeof(list[0]))]

/* Mostly what a form wants, so that some come through. */
static void make_fields(char out[FIELDS_BYTES], uint64_t *seed)
{
	size_t len = 0;

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
		if (unit_random(seed) % 16 != 0)
			len += (size_t)snprintf(
			        out + len, FIELDS_BYTES - len, "%s=%s&%s-time=%s&", moments[i],
			        unit_random(seed) % 8 != 0 ? "2027-03-12" : PICK(dates, seed),
			        moments[i],
			        unit_random(seed) % 8 != 0 ? "09:30" : PICK(clocks, seed));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t dice = unit_random(seed) % 8;

		if (dice < 6)
			len += (size_t)snprintf(out + len, FIELDS_BYTES - len, "%s=%s&", names[i],
			                        dice < 4 ? "1" : PICK(values, seed));
	}
	snprintf(out + len, FIELDS_BYTES - len, "sure=yes");
}

static void must_be_sane(struct acting *acting, size_t *sent)
{
	const struct web_response *response = &acting->bed.response;
	const char *body = response->body.bytes == NULL ? "" : response->body.bytes;
	char path[2 * FOLDER_PATH];

	assert_true(response->status == 303 || response->status == 400 || response->status == 409 ||
	            response->status == 200);
	assert_null(strstr(body, "<ttg"));
	assert_int_equal(spool_files(acting), response->status == 303);
	if (response->status != 303)
		return;
	assert_non_null(must_read_spool(acting));
	desk_bed_get(&acting->bed, page_sent_one, NULL, acting->id, NULL);
	assert_int_equal(response->status, 200);
	assert_null(strstr(response->body.bytes, "<ttg"));
	snprintf(path, sizeof(path), "%s/desk-%s.json", acting->bed.spool, acting->id);
	assert_int_equal(unlink(path), 0);
	(*sent)++;
}

static void whatever_is_sent_is_told_or_taken(void **state)
{
	struct acting *acting = *state;
	const char *given = getenv("TTG_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20270312;
	char fields[FIELDS_BYTES];
	uint8_t id[TTG_UUID_BYTES];
	size_t sent = 0;

	print_message("seed %llu\n", (unsigned long long)seed);
	must_enrol(acting);
	acting->file.referral = "R-1";
	casefile_sent(&acting->file, &(struct casefile_man){ .noms = tom.noms, .crn = tom.crn },
	              must_at("2027-03-01 09:00"), "mind");
	casefile_released(&acting->file, &tom, must_at("2027-03-12 08:45"), true, 2);
	must_follow(&acting->bed);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(ttg_uuid_new(id), TTG_OK);
		ttg_uuid_format(id, acting->id);
		make_fields(fields, &seed);
		act_send(acting, PICK(sends, &seed), fields, "R-1");
		must_be_sane(acting, &sent);
	}
	print_message("%zu of %d were sent\n", sent, ROUNDS);
	assert_true(sent > ROUNDS / 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_is_sent_is_told_or_taken, act_set_up,
		                                act_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
