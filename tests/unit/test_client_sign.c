/* Publishing with a key of one's own: every frame is signed over what is in it, also what is sent again. */
#include "unit.h"

#include <string.h>
#include <sys/stat.h>

#include "base/claim.h"
#include "base/signature.h"
#include "support/fake_broker.h"

static char secret[128], public[128];

static int set_up(void **state)
{
	struct scene *scene = scene_new();
	struct message message;

	snprintf(secret, sizeof(secret), "%s/signing.key", scene->dir);
	snprintf(public, sizeof(public), "%s/signing.pub", scene->dir);
	assert_int_equal(signature_make(secret, public, &message), TTG_OK);
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	scene_free((struct scene **)state);
	return 0;
}

static bool is_good(const Ttg__Publish *publish, const char *agency)
{
	struct hasher *hasher = hasher_new();
	struct tree *tree = tree_new();
	uint8_t *digests = calloc(publish->n_events, HASH_BYTES), raw[SIGNATURE_PUBLIC];
	uint8_t fingerprint[SIGNATURE_FINGERPRINT];
	struct verify_key *key = NULL;
	struct message message;
	char text[CLAIM_TEXT_MAX];
	struct claim claim;

	assert_true(hasher && tree && digests);
	for (size_t i = 0; i < publish->n_events; i++)
		assert_true(hasher_sum(hasher, publish->events[i].data, publish->events[i].len,
				       digests + i * HASH_BYTES));
	assert_true(claim_grow(tree, hasher, digests, publish->n_events));
	assert_true(claim_make(tree, agency, &claim));
	assert_int_equal(verify_key_read(public, &key, &message), TTG_OK);
	assert_true(verify_key_raw(key, raw) && signature_fingerprint(raw, fingerprint));
	assert_int_equal(publish->signature.len, SIGNATURE_BYTES);
	assert_int_equal(publish->signed_by.len, SIGNATURE_FINGERPRINT);
	assert_memory_equal(publish->signed_by.data, fingerprint, SIGNATURE_FINGERPRINT);
	const bool good =
		verify_key_accepts(key, text, claim_write(&claim, text), publish->signature.data);
	verify_key_free(&key);
	hasher_free(&hasher);
	tree_free(&tree);
	free(digests);
	return good;
}

static void every_frame_is_signed_and_so_is_what_is_sent_again(void **state)
{
	struct scene *scene = *state;

	scene->options.signing_key_file = secret;
	scene_begin(scene);
	for (uintptr_t i = 1; i <= 3; i++)
		assert_int_equal(scene_publish(scene, i, 20), TTG_OK);
	for (size_t taken = 0; taken < 3;) {
		Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);

		assert_true(is_good(frame->publish, scene->welcome.agency));
		assert_false(is_good(frame->publish, "another"));
		taken += frame->publish->n_events;
		ttg__frame__free_unpacked(frame, NULL);
	}
	scene_broker_stop(scene);
	scene_broker_start(scene);
	scene_welcome(scene);
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	assert_int_equal(frame->publish->n_events, 3);
	assert_true(is_good(frame->publish, scene->welcome.agency));
	frame->publish->events[1].data[0] ^= 1;
	assert_false(is_good(frame->publish, scene->welcome.agency));
	ttg__frame__free_unpacked(frame, NULL);
}

static void without_a_key_nothing_is_signed(void **state)
{
	struct scene *scene = *state;

	scene_begin(scene);
	assert_int_equal(scene_publish(scene, 1, 20), TTG_OK);
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);
	assert_int_equal(frame->publish->signature.len, 0);
	assert_int_equal(frame->publish->signed_by.len, 0);
	ttg__frame__free_unpacked(frame, NULL);
}

static void a_signature_has_its_room_in_the_frame(void **state)
{
	struct scene *scene = *state;

	scene->options.signing_key_file = secret;
	scene->welcome.max_frame_bytes = 8192;
	scene->welcome.publish_window = 16;
	scene_begin(scene);
	for (uintptr_t i = 1; i <= 20; i++)
		assert_int_equal(scene_publish(scene, i, 1000), TTG_OK);
	for (size_t taken = 0; taken < 20;) {
		Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_PUBLISH);

		assert_true(ttg__frame__get_packed_size(frame) <= 8192);
		assert_true(is_good(frame->publish, scene->welcome.agency));
		taken += frame->publish->n_events;
		ttg__frame__free_unpacked(frame, NULL);
	}
}

static void a_key_that_others_may_read_or_that_is_none_is_not_taken(void **state)
{
	struct scene *scene = *state;
	char message[TTG_MESSAGE_TEXT];
	struct ttg_client *client;

	scene->options.signing_key_file = public;
	assert_int_equal(ttg_client_new(&client, &scene->options, message), TTG_EPERM);
	assert_int_equal(chmod(public, 0600), 0);
	assert_int_equal(ttg_client_new(&client, &scene->options, message), TTG_EFORMAT);
	assert_non_null(strstr(message, public));
	scene->options.signing_key_file = secret;
	assert_int_equal(chmod(secret, 0640), 0);
	assert_int_equal(ttg_client_new(&client, &scene->options, message), TTG_EPERM);
	assert_null(client);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_frame_is_signed_and_so_is_what_is_sent_again),
		TEST(without_a_key_nothing_is_signed),
		TEST(a_signature_has_its_room_in_the_frame),
		TEST(a_key_that_others_may_read_or_that_is_none_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
