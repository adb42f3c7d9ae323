/* What is pushed: signature, patience, and the queue in files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "partner/push.h"
#include "partner/push_sign.h"
#include "support/assert.h"
#include "support/folder.h"

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)

#define ID_1 "0199a000-0000-7000-8000-000000000001"
#define ID_2 "0199a000-0000-7000-8000-000000000002"
#define ID_3 "0199a000-0000-7000-8000-000000000003"

static const struct push_patience patience = {
	.first_ms = 1000, .longest_ms = 60000, .max_attempts = 5, .give_up_s = 3600
};

/* printf '%s' 'ID.TIMESTAMP.BODY' | openssl dgst -sha256 -hmac KEY -binary | base64 */
static void the_signature_is_what_openssl_computes(void **state)
{
	struct push_secret secret;
	struct message message;
	char signature[PUSH_SIGNATURE_BYTES];
	static const char body[] = "{\"specversion\":\"1.0\"}";

	(void)state;
	assert_int_equal(push_secret_read(&secret, "0123456789abcdef0123456789abcdef", &message),
	                 TTG_OK);
	assert_int_equal(push_sign(&secret, "f5c1d2f0-0000-7000-8000-000000000001", 1795768200,
	                           body, strlen(body), signature),
	                 TTG_OK);
	assert_string_equal(signature, "v1,28qxAbshn8TDgaqGdCxFrYX3R96TiFtxrgyRv5XczR0=");
	/* The same key as those who use the scheme's own libraries have it. */
	assert_int_equal(push_secret_read(&secret,
	                                  "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
	                                  &message),
	                 TTG_OK);
	assert_int_equal(secret.len, 32);
	assert_int_equal(push_sign(&secret, "f5c1d2f0-0000-7000-8000-000000000001", 1795768200,
	                           body, strlen(body), signature),
	                 TTG_OK);
	assert_string_equal(signature, "v1,28qxAbshn8TDgaqGdCxFrYX3R96TiFtxrgyRv5XczR0=");
	assert_int_equal(push_sign(&secret, "f5c1d2f0-0000-7000-8000-000000000001", 1795768201,
	                           body, strlen(body), signature),
	                 TTG_OK);
	assert_string_not_equal(signature, "v1,28qxAbshn8TDgaqGdCxFrYX3R96TiFtxrgyRv5XczR0=");
}

static void a_secret_that_is_none_is_told(void **state)
{
	struct push_secret secret;
	struct message message;

	(void)state;
	assert_int_equal(push_secret_read(&secret, "whsec_", &message), TTG_EFORMAT);
	assert_int_equal(push_secret_read(&secret, "whsec_AAAA", &message), TTG_EFORMAT);
	assert_int_equal(push_secret_read(&secret, "whsec_????????????????????????????", &message),
	                 TTG_EFORMAT);
}

static void waits_double_within_bounds_and_half_of_them_is_chance(void **state)
{
	static const int64_t full[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(full) / sizeof(*full); i++) {
		assert_int_equal(push_delay_ms(&patience, i + 1, 0, 0), full[i] / 2);
		assert_int_equal(push_delay_ms(&patience, i + 1, 0, (uint32_t)(full[i] / 2)),
		                 full[i]);
		for (uint32_t chance = 1; chance < 4000000000u; chance += 99999989u) {
			int64_t wait = push_delay_ms(&patience, i + 1, 0, chance);

			assert_in_range(wait, full[i] / 2, full[i]);
		}
	}
	assert_int_equal(push_delay_ms(&patience, 4000000000u, 0, 0), 30000);
}

static void what_the_receiver_asks_for_is_honoured_within_bounds(void **state)
{
	(void)state;
	assert_int_equal(push_delay_ms(&patience, 1, 7, 0), 7000);
	assert_int_equal(push_delay_ms(&patience, 1, 60, 0), 60000);
	assert_int_equal(push_delay_ms(&patience, 1, 61, 0), 60000);
	assert_int_equal(push_delay_ms(&patience, 1, INT64_MAX, 0), 60000);
	assert_int_equal(push_delay_ms(&patience, 7, 1, 0), 30000); /* less than we would wait */
	assert_int_equal(push_delay_ms(&patience, 1, -5, 0), 500);
}

static void answers_are_judged_by_their_status(void **state)
{
	(void)state;
	assert_int_equal(push_judge(200), PUSH_DONE);
	assert_int_equal(push_judge(204), PUSH_DONE);
	assert_int_equal(push_judge(299), PUSH_DONE);
	assert_int_equal(push_judge(0), PUSH_AGAIN);
	assert_int_equal(push_judge(199), PUSH_AGAIN);
	assert_int_equal(push_judge(302), PUSH_AGAIN);
	assert_int_equal(push_judge(400), PUSH_AGAIN);
	assert_int_equal(push_judge(429), PUSH_AGAIN);
	assert_int_equal(push_judge(500), PUSH_AGAIN);
	assert_int_equal(push_judge(410), PUSH_STOPPED);
}

static void patience_ends_by_attempts_or_by_time(void **state)
{
	(void)state;
	assert_false(push_gives_up(&patience, 4, 1000, 4599));
	assert_true(push_gives_up(&patience, 5, 1000, 1001));
	assert_true(push_gives_up(&patience, 2, 1000, 4600));
}

static void names_of_files_say_all_and_nothing_else_is_read(void **state)
{
	static const char *const wrong[] = {
		"",
		".json",
		"00000000000000000007-" ID_1,
		"00000000000000000007-" ID_1 ".json.new",
		"7-" ID_1 ".json",
		"00000000000000000007-0199a000-0000-7000-8000-00000000000.json",
		"00000000000000000007-" ID_1 ".0.1.500.json",
		"00000000000000000007-" ID_1 ".3.1795768200.json",
		"0000000000000000000x-" ID_1 ".json",
		"00000000000000000007-" ID_1 ".03.1795768200.500.json",
	};
	struct push_name name = { .order_ns = 7, .id = ID_1 };
	struct push_name read;
	char text[PUSH_NAME_BYTES];

	(void)state;
	push_name_format(&name, text);
	assert_string_equal(text, "00000000000000000007-" ID_1 ".json");
	assert_true(push_name_parse(text, &read));
	assert_int_equal(read.attempts, 0);
	name = (struct push_name){ INT64_MAX, ID_1, 100000, 1795768200, 503 };
	push_name_format(&name, text);
	assert_true(push_name_parse(text, &read));
	assert_int_equal(read.order_ns, INT64_MAX);
	assert_string_equal(read.id, ID_1);
	assert_int_equal(read.attempts, 100000);
	assert_int_equal(read.first_s, 1795768200);
	assert_int_equal(read.status, 503);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (push_name_parse(wrong[i], &read))
			must_fail("%s was read", wrong[i]);
	}
}

static struct push_queue *must_open(const struct folder *folder)
{
	struct push_queue *queue;
	struct message message;

	if (push_queue_open(&queue, world_real(), folder->path, &message) != TTG_OK)
		must_fail("%s", message.text);
	return queue;
}

static void must_put(struct push_queue *queue, int64_t order_ns, const char *id, uint8_t person)
{
	struct push_name name = { .order_ns = order_ns };
	uint8_t key[TTG_PERSON_KEY_BYTES] = { 0xab, person };
	struct message message;
	char body[128];

	strcpy(name.id, id);
	snprintf(body, sizeof(body), "{\"personkey\":\"ab%02x%028x\"}", person, 0);
	assert_int_equal(push_queue_put(queue, &name, person == 0 ? NULL : key,
	                                person == 0 ? "{}" : body, &message),
	                 TTG_OK);
}

static const char *next_id(struct push_queue *queue, int64_t now_ms)
{
	int64_t wait_ms;
	const struct push_item *item = push_queue_next(queue, now_ms, &wait_ms);

	return item == NULL ? "" : item->name.id;
}

static void must_fail_once(struct push_queue *queue, int64_t next_ms)
{
	struct message message;
	int64_t wait_ms;
	struct push_item *item = push_queue_next(queue, 0, &wait_ms);
	struct push_name now = item->name;

	now.attempts++;
	now.first_s = 1795768200;
	now.status = 500;
	assert_int_equal(push_queue_again(queue, item, &now, next_ms, &message), TTG_OK);
}

static void later_events_of_a_person_wait_and_others_go_on(void **state)
{
	struct push_queue *queue = must_open(*state);
	struct message message;
	struct push_item *item;
	int64_t wait_ms;

	must_put(queue, 2, ID_2, 1);
	must_put(queue, 1, ID_1, 1); /* came earlier, whatever the order of keeping */
	must_put(queue, 3, ID_3, 2);
	assert_string_equal(next_id(queue, 0), ID_1);
	must_fail_once(queue, 5000);
	assert_string_equal(next_id(queue, 0), ID_3);
	push_queue_next(queue, 0, &wait_ms)->sending = true;
	assert_null(push_queue_next(queue, 0, &wait_ms));
	assert_int_equal(wait_ms, 5000);
	item = push_queue_next(queue, 5000, &wait_ms);
	assert_non_null(item);
	assert_string_equal(item->name.id, ID_1);
	assert_int_equal(push_queue_done(queue, item, &message), TTG_OK);
	assert_string_equal(next_id(queue, 0), ID_2);
	push_queue_close(&queue);
}

static void what_is_about_nobody_waits_for_nobody(void **state)
{
	struct push_queue *queue = must_open(*state);

	must_put(queue, 1, ID_1, 0);
	must_put(queue, 2, ID_2, 0);
	must_fail_once(queue, 5000);
	assert_string_equal(next_id(queue, 0), ID_2);
	push_queue_close(&queue);
}

static void a_restart_finds_order_persons_and_attempts_again(void **state)
{
	struct push_queue *queue = must_open(*state);
	struct message message;
	struct push_item *item;
	int64_t wait_ms;
	char *body;
	size_t len;

	must_put(queue, 1, ID_1, 1);
	must_put(queue, 2, ID_2, 1);
	must_put(queue, 3, ID_3, 0);
	must_fail_once(queue, 5000);
	push_queue_close(&queue);
	queue = must_open(*state);
	assert_int_equal(push_queue_waiting(queue), 3);
	item = push_queue_next(queue, 0, &wait_ms);
	assert_string_equal(item->name.id, ID_1);
	assert_int_equal(item->name.attempts, 1);
	assert_int_equal(item->name.first_s, 1795768200);
	assert_int_equal(push_queue_read(queue, item, &body, &len), TTG_OK);
	assert_non_null(strstr(body, "personkey"));
	free(body);
	item->sending = true;
	assert_string_equal(next_id(queue, 0), ID_3); /* the person of the second was read */
	assert_int_equal(push_queue_bury(queue, item, &(struct push_name){ 1, ID_1, 2, 9, 0 },
	                                 &message),
	                 TTG_OK);
	assert_int_equal(push_queue_dead(queue), 1);
	assert_int_equal(push_queue_waiting(queue), 2);
	assert_string_equal(next_id(queue, 0), ID_2);
	assert_int_equal(push_queue_scan(queue, &message), TTG_OK);
	assert_int_equal(push_queue_dead(queue), 1);
	push_queue_close(&queue);
}

static void more_than_are_known_at_a_time_stay_in_order(void **state)
{
	const struct folder *folder = *state;
	struct push_queue *queue = must_open(folder);
	struct message message;
	const unsigned many = PUSH_KNOWN_MAX + 50;
	char name[FOLDER_PATH / 2];
	unsigned sent = 0;

	for (unsigned i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "push/%020u-0199a000-0000-7000-8000-%012u.json",
		         many - i, many - i);
		folder_write(folder, name, "{}");
	}
	assert_int_equal(push_queue_scan(queue, &message), TTG_OK);
	assert_int_equal(push_queue_waiting(queue), many);
	must_put(queue, many + 1, "0199a000-0000-7000-8000-000000009999", 0);
	while (sent < many + 1) {
		int64_t wait_ms;
		struct push_item *item = push_queue_next(queue, 0, &wait_ms);

		if (item == NULL) {
			assert_true(sent >= PUSH_KNOWN_MAX);
			assert_int_equal(push_queue_scan(queue, &message), TTG_OK);
			continue;
		}
		assert_int_equal(item->name.order_ns, ++sent);
		assert_int_equal(push_queue_done(queue, item, &message), TTG_OK);
	}
	assert_int_equal(push_queue_waiting(queue), 0);
	push_queue_close(&queue);
}

static void only_safe_addresses_are_taken(void **state)
{
	const struct folder *folder = *state;
	static const struct {
		const char *url;
		bool fine;
	} cases[] = {
		{ "https://hooks.example.org/throughgate", true },
		{ "http://127.0.0.1:8080/x", true },
		{ "http://127.4.5.6/x", true },
		{ "http://[::1]:8080/x", true },
		{ "http://localhost/x", true },
		{ "http://hooks.example.org/x", false },
		{ "http://128.0.0.1/x", false },
		{ "http://127.0.0.1.example.org/x", false },
		{ "https://user:secret@hooks.example.org/x", false },
		{ "ftp://hooks.example.org/x", false },
		{ "file:///etc/passwd", false },
		{ "hooks.example.org/x", false },
	};
	char secret[FOLDER_PATH];
	struct push_options options = { .ca_file = "", .patience = patience };
	struct message message;

	folder_path(folder, "secret", secret);
	folder_write(folder, "secret", "0123456789abcdef\n");
	must_be(chmod(secret, 0600) == 0, "no mode");
	options.secret_file = secret;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		options.url = cases[i].url;
		if ((push_check(&options, &message) == TTG_OK) != cases[i].fine)
			must_fail("%s: %s", cases[i].url, message.text);
	}
	options.url = cases[0].url;
	must_be(chmod(secret, 0644) == 0, "no mode");
	assert_int_equal(push_check(&options, &message), TTG_EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signature_is_what_openssl_computes),
		cmocka_unit_test(a_secret_that_is_none_is_told),
		cmocka_unit_test(waits_double_within_bounds_and_half_of_them_is_chance),
		cmocka_unit_test(what_the_receiver_asks_for_is_honoured_within_bounds),
		cmocka_unit_test(answers_are_judged_by_their_status),
		cmocka_unit_test(patience_ends_by_attempts_or_by_time),
		cmocka_unit_test(names_of_files_say_all_and_nothing_else_is_read),
		FOLDER_TEST(later_events_of_a_person_wait_and_others_go_on),
		FOLDER_TEST(what_is_about_nobody_waits_for_nobody),
		FOLDER_TEST(a_restart_finds_order_persons_and_attempts_again),
		FOLDER_TEST(more_than_are_known_at_a_time_stay_in_order),
		FOLDER_TEST(only_safe_addresses_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
