/*
 * The text of the daily summary. See summary.h. Pure but for malloc.
 *
 * Lines hold what others sent (case numbers, referral ids): each is one line, without control
 * characters, well below the 998 bytes a mail line may have.
 */
#include "partner/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "partner/words.h"

#define NS_PER_S     INT64_C(1000000000)
#define DAY_NS       (86400 * NS_PER_S)
#define SUMMARY_ROWS 500 /* of each list; the others are counted */

struct text {
	FILE *out;
	const struct caseload *referrals;
	int64_t now_ns;
	int64_t since_ns;
	char today[11];
	size_t n; /* rows of the list being written */
};

__attribute__((format(printf, 2, 3))) static void add_line(struct text *text, const char *format,
                                                           ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(text->out, format, arguments);
	va_end(arguments);
	fputs("\r\n", text->out);
}

static void add_row(struct text *text, const struct referral *referral, const char *before)
{
	const Ttg__ReferralSent *sent = referral->sent->event->referral_sent;
	char number[WORDS_BYTES];
	char id[WORDS_BYTES];
	char need[WORDS_BYTES];
	char date[11] = "";
	char clock[6] = "";

	if (text->n++ >= SUMMARY_ROWS)
		return;
	words_case_number(referral, number);
	words_line(referral->id, id);
	words_of(&ttg__need_category__descriptor, (int)sent->need, need);
	if (sent->answer_by_at != NULL)
		instant_to_civil(sent->answer_by_at->unix_ns, date, clock);
	add_line(text, "  %s%s (referral %s): %s%s%s%s%s", before, number, id, need,
	         date[0] == '\0' ? "" : ", answer by ", date, date[0] == '\0' ? "" : " ", clock);
}

static bool is_new(const struct text *text, const struct referral *referral)
{
	return referral->sent->at_ns >= text->since_ns;
}

static bool waits(const struct text *text, const struct referral *referral)
{
	(void)text;
	return referral_is_new(referral->state);
}

static bool is_overdue(const struct text *text, const struct referral *referral)
{
	return referral_is_overdue(referral, text->now_ns);
}

typedef bool chooser(const struct text *text, const struct referral *referral);

static const struct referral *next_of(const struct text *text, chooser *fits, size_t *at)
{
	const struct referral *referral;

	while ((referral = caseload_at(text->referrals, (*at)++)) != NULL) {
		if (referral_is_ours(text->referrals, referral) && referral->sent != NULL &&
		    fits(text, referral))
			return referral;
	}
	return NULL;
}

static size_t count_of(const struct text *text, chooser *fits)
{
	size_t n = 0;

	for (size_t at = 0; next_of(text, fits, &at) != NULL;)
		n++;
	return n;
}

static void end_list(struct text *text)
{
	if (text->n == 0)
		add_line(text, "  none");
	if (text->n > SUMMARY_ROWS)
		add_line(text, "  and %zu more", text->n - SUMMARY_ROWS);
	add_line(text, "%s", "");
}

static void add_list(struct text *text, const char *heading, chooser *fits)
{
	const struct referral *referral;

	text->n = 0;
	add_line(text, "%s", heading);
	for (size_t at = 0; (referral = next_of(text, fits, &at)) != NULL;)
		add_row(text, referral, "");
	end_list(text);
}

struct appointments {
	struct text *text;
	const struct referral *referral;
	bool count; /* only */
};

static bool add_appointment(void *arg, const struct referral_step *step)
{
	struct appointments *it = arg;
	const Ttg__PartnerAppointment *appointment = step->event->partner_appointment;
	char number[WORDS_BYTES];
	char id[WORDS_BYTES];
	char date[11];
	char clock[6];

	if (appointment->starts_at == NULL ||
	    appointment->status == TTG__APPOINTMENT_STATUS__APPOINTMENT_STATUS_CANCELLED)
		return true;
	instant_to_civil(appointment->starts_at->unix_ns, date, clock);
	if (strcmp(date, it->text->today) != 0 || it->text->n++ >= SUMMARY_ROWS || it->count)
		return true;
	words_case_number(it->referral, number);
	words_line(it->referral->id, id);
	add_line(it->text, "  %s %s (referral %s)", clock, number, id);
	return true;
}

static void walk_appointments(struct text *text, bool count)
{
	const struct referral *referral;

	text->n = 0;
	for (size_t at = 0; (referral = caseload_at(text->referrals, at)) != NULL; at++) {
		struct appointments appointments = { text, referral, count };

		if (referral_is_ours(text->referrals, referral))
			referral_each_appointment(referral, add_appointment, &appointments);
	}
}

/* "Fri, 27 Nov 2026 07:30:00 +0000" */
static void add_date(struct text *text)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char utc[INSTANT_TEXT];
	int month;

	instant_format(text->now_ns / NS_PER_S * NS_PER_S, utc);
	month = (utc[5] - '0') * 10 + utc[6] - '0';
	add_line(text, "Date: %s, %.2s %s %.4s %.8s +0000",
	         days[text->now_ns / DAY_NS % 7], utc + 8,
	         months[month >= 1 && month <= 12 ? month - 1 : 0], utc, utc + 11);
}

static void add_head(struct text *text, const struct summary_plan *plan)
{
	size_t appointments;

	walk_appointments(text, true);
	appointments = text->n;
	add_date(text);
	add_line(text, "From: %s", plan->from);
	add_line(text, "To: %s", plan->to);
	add_line(text,
	         "Subject: Referrals: %zu new, %zu waiting, %zu overdue, %zu appointments today",
	         count_of(text, is_new), count_of(text, waits), count_of(text, is_overdue),
	         appointments);
	add_line(text, "Message-ID: <summary-%s.%s%s>", text->today, plan->agency,
	         strrchr(plan->from, '@'));
	add_line(text, "MIME-Version: 1.0");
	add_line(text, "Content-Type: text/plain; charset=UTF-8");
	add_line(text, "Content-Transfer-Encoding: 8bit");
	add_line(text, "Auto-Submitted: auto-generated");
	add_line(text, "%s", "");
}

static void add_body(struct text *text)
{
	char date[11];
	char clock[6];
	char heading[64];

	instant_to_civil(text->since_ns, date, clock);
	snprintf(heading, sizeof(heading), "New since %s %s:", date, clock);
	add_list(text, heading, is_new);
	add_list(text, "Waiting for an answer:", waits);
	add_list(text, "Overdue, the time to answer is over:", is_overdue);
	add_line(text, "Appointments today, %s:", text->today);
	walk_appointments(text, false);
	end_list(text);
}

char *summary_text(const struct summary_plan *plan, const struct caseload *referrals,
                   int64_t now_ns)
{
	struct text text = { .referrals = referrals, .now_ns = now_ns };
	char clock[6];
	char *bytes = NULL;
	size_t len = 0;
	bool fine;

	instant_to_civil(now_ns, text.today, clock);
	if (plan->last[0] == '\0' ||
	    instant_from_civil(plan->last, plan->at, &text.since_ns) != TTG_OK)
		text.since_ns = now_ns - DAY_NS;
	text.out = open_memstream(&bytes, &len);
	if (text.out == NULL)
		return NULL;
	add_head(&text, plan);
	add_body(&text);
	fine = ferror(text.out) == 0;
	if (fclose(text.out) == 0 && fine)
		return bytes;
	free(bytes);
	return NULL;
}
