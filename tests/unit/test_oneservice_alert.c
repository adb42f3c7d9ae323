/* Alerts of the case store: one for each urgent event, acknowledged by one person, released once.
 */
#include "store_unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <ttg/event.h>
#include <unistd.h>
#include "store/alert.h"

#define SHOWN_MAX 8
#define PEOPLE    6
#define RACES     10

#define STORE_TEST(test)                                                                           \
	cmocka_unit_test_setup_teardown(test, new_sqlite, remove_bed),                             \
	        cmocka_unit_test_setup_teardown(test, new_postgres, remove_bed)

static void must_receive_event(struct bed *bed, const Ttg__Event *event, const char *mailbox,
                               int64_t received_ns, enum store_verdict expected)
{
	uint8_t bytes[CASE_EVENT_BYTES];
	const struct ttg_delivery delivery = {
		.mailbox = mailbox,
		.position = event->id.data[15],
		.event = bytes,
		.event_bytes = ttg__event__pack(event, bytes),
		.accepted_ns = 2000,
	};
	enum store_verdict verdict;

	assert_int_equal(store_add(bed->store, &delivery, received_ns, &verdict, &bed->message),
	                 TTG_OK);
	assert_int_equal(verdict, expected);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
}

static Ttg__Event made_event(const char *type, uint8_t id[16])
{
	Ttg__Event event = TTG__EVENT__INIT;

	event.id = (ProtobufCBinaryData){ .data = id, .len = 16 };
	event.type = (char *)(uintptr_t)type;
	event.source = (char *)(uintptr_t) "police";
	return event;
}

static void must_arrest(struct bed *bed, unsigned number, const char *mailbox,
                        enum store_verdict expected)
{
	uint8_t id[16];
	Ttg__Event event = made_event("police.arrest", id);

	case_event_id(number, id);
	event.urgency = TTG__URGENCY__URGENT;
	must_receive_event(bed, &event, mailbox, 3000 + number, expected);
}

/* That nobody acknowledged the arrest in time. */
static void must_notify(struct bed *bed, unsigned number, unsigned arrest)
{
	uint8_t id[16], of[16];
	Ttg__Event event = made_event("broker.alert_unacknowledged", id);
	Ttg__BrokerAlertUnacknowledged notice = TTG__BROKER_ALERT_UNACKNOWLEDGED__INIT;

	case_event_id(number, id);
	case_event_id(arrest, of);
	notice.event_id = (ProtobufCBinaryData){ .data = of, .len = sizeof(of) };
	event.urgency = TTG__URGENCY__URGENT;
	event.payload_case = TTG__EVENT__PAYLOAD_BROKER_ALERT_UNACKNOWLEDGED;
	event.broker_alert_unacknowledged = &notice;
	must_receive_event(bed, &event, "one-service/manager", 3000 + number, STORE_NEW);
}

static void hold(struct bed *bed, bool wait)
{
	assert_int_equal(store_hold_alerts(bed->store, wait, &bed->message), TTG_OK);
}

static bool waits(struct bed *bed, unsigned number)
{
	uint8_t id[16];
	bool found = false;

	case_event_id(number, id);
	assert_int_equal(store_alert_waits(bed->store, id, &found, &bed->message), TTG_OK);
	return found;
}

static enum ttg_error acknowledge(struct store *store, unsigned number, const char *user,
                                  int64_t now_ns, struct store_signature *signature)
{
	struct message message;
	uint8_t id[16];

	case_event_id(number, id);
	return store_acknowledge(store, id, user, now_ns, signature, &message);
}

struct shown {
	struct store_alert alerts[SHOWN_MAX]; /* without what they point to */
	char by[SHOWN_MAX][STORE_USER_MAX + 1];
	uint8_t about[SHOWN_MAX]; /* the last byte; 0: nothing */
	size_t n;
};

static bool show(void *arg, const struct store_alert *alert)
{
	struct shown *shown = arg;

	assert_true(shown->n < SHOWN_MAX);
	assert_string_equal(alert->type,
	                    alert->about != NULL ? "broker.alert_unacknowledged" : "police.arrest");
	assert_non_null(alert->mailbox);
	shown->alerts[shown->n] = *alert;
	snprintf(shown->by[shown->n], sizeof(shown->by[0]), "%s", alert->acknowledged_by);
	shown->about[shown->n] = alert->about != NULL ? alert->about[15] : 0;
	shown->n++;
	return true;
}

static void must_read(struct store *store, bool open_only, struct shown *shown)
{
	struct message message;

	shown->n = 0;
	assert_int_equal(store_each_alert(store, open_only, show, shown, &message), TTG_OK);
}

static void an_urgent_event_is_an_alert_and_no_other_is(void **state)
{
	struct bed *bed = *state;
	struct shown shown;
	enum store_verdict verdict;

	hold(bed, true);
	must_arrest(bed, 2, MAILBOX, STORE_NEW);
	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	must_arrest(bed, 1, OTHER_BOX, STORE_KNOWN);
	assert_int_equal(arrive(bed->store, &(struct arrival){ .number = 3 }, &verdict), TTG_OK);
	assert_int_equal(store_commit(bed->store, &bed->message), TTG_OK);
	must_read(bed->store, false, &shown);
	assert_int_equal(shown.n, 2);
	assert_int_equal(shown.alerts[0].id[15], 1);
	assert_int_equal(shown.alerts[0].raised_ns, 3001);
	assert_int_equal(shown.alerts[0].position, 1);
	assert_false(shown.alerts[0].is_acknowledged);
	assert_false(shown.alerts[0].released);
	assert_string_equal(shown.by[0], "");
	assert_true(waits(bed, 1));
	assert_false(waits(bed, 3));
}

static void an_event_from_before_the_alerts_has_none(void **state)
{
	struct bed *bed = *state;
	struct shown shown;

	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	must_tell_bed(&bed->at, "DELETE FROM alert");
	must_arrest(bed, 1, MAILBOX, STORE_KNOWN);
	must_read(bed->store, false, &shown);
	assert_int_equal(shown.n, 0);
	assert_int_equal(acknowledge(bed->store, 1, "ann", 5000, NULL), TTG_ENOENT);
}

static void who_acknowledges_first_has_done_it(void **state)
{
	struct bed *bed = *state;
	struct store *desk = NULL;
	struct store_signature signature;
	struct shown shown;

	assert_int_equal(store_open_desk(&desk, &bed->place, &bed->message), TTG_OK);
	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	must_arrest(bed, 2, MAILBOX, STORE_NEW);
	assert_int_equal(acknowledge(desk, 1, "ann", 5000, &signature), TTG_OK);
	assert_string_equal(signature.by, "ann");
	assert_int_equal(signature.at_ns, 5000);
	assert_int_equal(acknowledge(desk, 1, "bob", 6000, &signature), TTG_EEXIST);
	assert_string_equal(signature.by, "ann");
	assert_int_equal(signature.at_ns, 5000);
	assert_int_equal(acknowledge(desk, 3, "bob", 6000, &signature), TTG_ENOENT);
	must_read(bed->store, true, &shown);
	assert_int_equal(shown.n, 1);
	assert_int_equal(shown.alerts[0].id[15], 2);
	must_read(bed->store, false, &shown);
	assert_int_equal(shown.n, 2);
	assert_true(shown.alerts[0].is_acknowledged);
	assert_int_equal(shown.alerts[0].acknowledged_ns, 5000);
	assert_string_equal(shown.by[0], "ann");
	store_close(&desk);
}

static void a_name_that_is_none_acknowledges_nothing(void **state)
{
	struct bed *bed = *state;
	char name[STORE_USER_MAX + 2];
	struct store_signature signature;

	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	memset(name, 'n', sizeof(name));
	name[STORE_USER_MAX + 1] = '\0';
	assert_int_equal(acknowledge(bed->store, 1, "", 5000, NULL), TTG_EINVAL);
	assert_int_equal(acknowledge(bed->store, 1, name, 5000, NULL), TTG_EINVAL);
	assert_int_equal(acknowledge(bed->store, 1, "a\nb", 5000, NULL), TTG_EINVAL);
	assert_int_equal(acknowledge(bed->store, 1, "\xc3\x28", 5000, NULL), TTG_EINVAL);
	name[STORE_USER_MAX] = '\0';
	assert_int_equal(acknowledge(bed->store, 1, name, 5000, &signature), TTG_OK);
	assert_string_equal(signature.by, name);
}

static void a_notice_is_acknowledged_with_the_event_it_names(void **state)
{
	struct bed *bed = *state;
	struct shown shown;

	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	must_arrest(bed, 2, MAILBOX, STORE_NEW);
	must_notify(bed, 5, 1);
	must_notify(bed, 6, 2);
	must_read(bed->store, true, &shown);
	assert_int_equal(shown.n, 4);
	assert_int_equal(shown.about[2], 1);
	assert_int_equal(acknowledge(bed->store, 1, "ann", 5000, NULL), TTG_OK);
	must_read(bed->store, false, &shown);
	assert_int_equal(shown.n, 4);
	assert_string_equal(shown.by[0], "ann");
	assert_string_equal(shown.by[1], "");
	assert_string_equal(shown.by[2], "ann");
	assert_string_equal(shown.by[3], "");
	/* The other way round it is only the notice. */
	assert_int_equal(acknowledge(bed->store, 6, "bob", 6000, NULL), TTG_OK);
	must_read(bed->store, true, &shown);
	assert_int_equal(shown.n, 1);
	assert_int_equal(shown.alerts[0].id[15], 2);
}

static void a_notice_that_comes_too_late_is_acknowledged_already(void **state)
{
	struct bed *bed = *state;
	struct shown shown;

	hold(bed, true);
	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	assert_int_equal(acknowledge(bed->store, 1, "ann", 5000, NULL), TTG_OK);
	must_notify(bed, 5, 1);
	must_notify(bed, 6, 7); /* of an event that is not here */
	assert_false(waits(bed, 5));
	assert_true(waits(bed, 6));
	must_read(bed->store, false, &shown);
	assert_string_equal(shown.by[1], "ann");
	assert_int_equal(shown.alerts[1].acknowledged_ns, 5000);
}

/* The last bytes of the ids that are released by one call, ends with 0. */
static void must_release(struct bed *bed, size_t max, const unsigned *numbers)
{
	uint8_t ids[SHOWN_MAX][16];
	size_t n = 99;

	assert_int_equal(store_release_acknowledged(bed->store, ids, max, &n, &bed->message),
	                 TTG_OK);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ids[i][15], numbers[i]);
	assert_int_equal(numbers[n], 0);
}

static void what_was_acknowledged_is_released_once(void **state)
{
	struct bed *bed = *state;

	hold(bed, true);
	for (unsigned i = 1; i <= 4; i++)
		must_arrest(bed, i, MAILBOX, STORE_NEW);
	must_release(bed, 2, (const unsigned[]){ 0 });
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(acknowledge(bed->store, i, "ann", 5000, NULL), TTG_OK);
	assert_false(waits(bed, 1));
	must_release(bed, 2, (const unsigned[]){ 1, 2, 0 });
	must_release(bed, 2, (const unsigned[]){ 3, 0 });
	must_release(bed, 2, (const unsigned[]){ 0 });
	assert_true(waits(bed, 4));
}

static void what_is_released_waits_no_more_and_stays_open(void **state)
{
	struct bed *bed = *state;
	struct shown shown;
	uint8_t id[16];

	hold(bed, true);
	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	case_event_id(1, id);
	assert_int_equal(store_release(bed->store, id, &bed->message), TTG_OK);
	assert_false(waits(bed, 1));
	must_read(bed->store, true, &shown);
	assert_int_equal(shown.n, 1);
	assert_true(shown.alerts[0].released);
	assert_int_equal(acknowledge(bed->store, 1, "ann", 5000, NULL), TTG_OK);
	must_release(bed, 2, (const unsigned[]){ 0 });
}

static void where_nobody_is_waited_for_nothing_waits_any_more(void **state)
{
	struct bed *bed = *state;
	struct shown shown;

	hold(bed, true);
	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	hold(bed, false);
	assert_false(waits(bed, 1));
	must_arrest(bed, 2, MAILBOX, STORE_NEW);
	assert_false(waits(bed, 2));
	hold(bed, true);
	must_arrest(bed, 3, MAILBOX, STORE_NEW);
	assert_true(waits(bed, 3));
	assert_false(waits(bed, 1));
	must_read(bed->store, true, &shown);
	assert_int_equal(shown.n, 3);
}

/* One person of several, once all are there. */
static void race(const struct bed *bed, unsigned number, int go)
{
	struct store *desk = NULL;
	struct message message;
	struct store_signature signature;
	char user[16], byte;
	enum ttg_error error;

	snprintf(user, sizeof(user), "user-%u", number);
	if (store_open_desk(&desk, &bed->place, &message) != TTG_OK || read(go, &byte, 1) != 0)
		_exit(9);
	error = acknowledge(desk, 1, user, 5000 + number, &signature);
	store_close(&desk);
	if (error == TTG_OK)
		_exit(strcmp(signature.by, user) == 0 ? 1 : 8);
	_exit(error == TTG_EEXIST && strcmp(signature.by, user) != 0 ? 0 : 7);
}

static void of_several_people_at_once_exactly_one_wins(void **state)
{
	struct bed *bed = *state;

	must_arrest(bed, 1, MAILBOX, STORE_NEW);
	store_close(&bed->store);
	for (unsigned round = 0; round < RACES; round++) {
		int go[2], winners = 0;

		must_tell_bed(&bed->at, "UPDATE alert SET acknowledged_ns = NULL,"
		                        " acknowledged_by = NULL");
		assert_int_equal(pipe(go), 0);
		for (unsigned i = 0; i < PEOPLE; i++) {
			pid_t child = fork();

			assert_true(child >= 0);
			if (child == 0) {
				close(go[1]);
				race(bed, i, go[0]);
			}
		}
		close(go[0]);
		close(go[1]);
		for (unsigned i = 0; i < PEOPLE; i++) {
			int status = -1;

			assert_true(wait(&status) > 0);
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
			winners += WEXITSTATUS(status);
		}
		assert_int_equal(winners, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(an_urgent_event_is_an_alert_and_no_other_is),
		STORE_TEST(an_event_from_before_the_alerts_has_none),
		STORE_TEST(who_acknowledges_first_has_done_it),
		STORE_TEST(a_name_that_is_none_acknowledges_nothing),
		STORE_TEST(a_notice_is_acknowledged_with_the_event_it_names),
		STORE_TEST(a_notice_that_comes_too_late_is_acknowledged_already),
		STORE_TEST(what_was_acknowledged_is_released_once),
		STORE_TEST(what_is_released_waits_no_more_and_stays_open),
		STORE_TEST(where_nobody_is_waited_for_nothing_waits_any_more),
		STORE_TEST(of_several_people_at_once_exactly_one_wins),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
