/*
 * Consuming with libttg against a broker that the test plays: credit, acknowledgement, refusal,
 * lanes, repeats.
 */
#include "unit.h"

#include <string.h>
#include "client/consume.h"
#include "support/fake_broker.h"

static int set_up(void **state)
{
	*state = scene_new();
	return 0;
}

static int tear_down(void **state)
{
	scene_free((struct scene **)state);
	return 0;
}

static void begin_with(struct scene *scene, uint32_t credit, uint64_t acknowledged)
{
	scene_begin(scene);
	assert_int_equal(ttg_client_attach(scene->client, "box", credit), TTG_OK);
	assert_int_equal(scene_attach(scene, acknowledged), credit);
}

static size_t wanted;

static bool got_wanted(const struct scene *scene)
{
	return scene->n_deliveries >= wanted;
}

static void must_get(struct scene *scene, size_t n)
{
	wanted = n;
	scene_until(scene, got_wanted);
	assert_int_equal(scene->n_deliveries, n);
}

static void expect_ack(struct scene *scene, uint64_t up_to, size_t n, const uint64_t *positions)
{
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_ACK);

	assert_int_equal(frame->ack->handle, 1);
	assert_int_equal(frame->ack->up_to, up_to);
	assert_int_equal(frame->ack->n_positions, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(frame->ack->positions[i], positions[i]);
	ttg__frame__free_unpacked(frame, NULL);
}

static void expect_credit(struct scene *scene, uint32_t more)
{
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_CREDIT);

	assert_int_equal(frame->credit->handle, 1);
	assert_int_equal(frame->credit->more, more);
	ttg__frame__free_unpacked(frame, NULL);
}

static void expect_nack(struct scene *scene, uint64_t position, const char *text)
{
	Ttg__Frame *frame = scene_expect(scene, TTG__FRAME__BODY_NACK);

	assert_int_equal(frame->nack->position, position);
	assert_int_equal(frame->nack->reason, TTG__NACK_REASON__NACK_TEMPORARY);
	assert_string_equal(frame->nack->text, text);
	ttg__frame__free_unpacked(frame, NULL);
}

static void deliveries_come_in_order_with_the_full_name(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 3, 'a');
	must_get(scene, 3);
	assert_int_equal(scene->n_batches, 1);
	assert_int_equal(scene->n_attached, 1);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(scene->deliveries[i].position, i + 1);
	assert_string_equal(scene->deliveries[0].mailbox, "agency/box");
}

static void acknowledgements_of_one_turn_are_one_frame_and_give_credit_back(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 4);
	scene_deliver(scene, 5, 4, 'a');
	must_get(scene, 4);
	assert_int_equal(ttg_client_ack(scene->client, "box", 5), TTG_OK);
	assert_int_equal(ttg_client_ack(scene->client, "agency/box", 6), TTG_OK);
	assert_int_equal(ttg_client_ack(scene->client, "box", 8), TTG_OK);
	expect_ack(scene, 6, 1, (const uint64_t[]){ 8 });
	expect_credit(scene, 3);
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 8), TTG_OK);
	expect_ack(scene, 8, 0, NULL);
	expect_credit(scene, 1);
	assert_int_equal(ttg_client_ack(scene->client, "box", 9), TTG_ENOENT);
	assert_int_equal(ttg_client_ack(scene->client, "other", 1), TTG_ENOENT);
}

static void beyond_a_gap_positions_are_acknowledged_by_name(void **state)
{
	struct scene *scene = *state;

	/* Position 5 may be a dead letter that is delivered any moment. */
	begin_with(scene, 10, 4);
	scene_deliver(scene, 6, 3, 'a');
	must_get(scene, 3);
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 8), TTG_OK);
	expect_ack(scene, 0, 3, (const uint64_t[]){ 6, 7, 8 });
	expect_credit(scene, 3);
	scene_deliver(scene, 5, 1, 'b');
	must_get(scene, 4);
	assert_int_equal(ttg_client_ack(scene->client, "box", 5), TTG_OK);
	expect_ack(scene, 8, 0, NULL);
}

static void refuse_first(struct scene *scene, const struct ttg_delivery *delivery)
{
	if (delivery->position == 1 && scene->n_deliveries == 1)
		assert_int_equal(ttg_client_nack(scene->client, "box", 1,
						 TTG__NACK_REASON__NACK_TEMPORARY, "not now", 0),
				 TTG_OK);
}

static void after_a_refusal_the_same_person_waits_and_others_do_not(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene->on_delivery = refuse_first;
	scene_deliver(scene, 1, 3, 'a');
	must_get(scene, 1);
	expect_nack(scene, 1, "not now");
	expect_credit(scene, 3);
	scene_deliver(scene, 4, 1, 'a'); /* was on its way */
	scene_deliver(scene, 5, 1, 'b');
	must_get(scene, 2);
	assert_int_equal(scene->deliveries[1].position, 5);
	expect_credit(scene, 1);
	scene_nacked(scene, 1);
	scene_deliver(scene, 1, 4, 'a');
	must_get(scene, 6);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(scene->deliveries[2 + i].position, i + 1);
}

static void a_refusal_voids_what_was_handed_over_after_it(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 3, 'a');
	scene_deliver(scene, 4, 1, 'b');
	must_get(scene, 4);
	assert_int_equal(ttg_client_nack(scene->client, "box", 2,
					 TTG__NACK_REASON__NACK_TEMPORARY, "again\nplease", 5),
			 TTG_OK);
	/* 3 is about the same person; its acknowledgement says nothing any more. */
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 4), TTG_OK);
	expect_ack(scene, 1, 1, (const uint64_t[]){ 4 });
	expect_nack(scene, 2, "again?please");
	expect_credit(scene, 4);
	scene_nacked(scene, 2);
	scene_deliver(scene, 2, 2, 'a');
	must_get(scene, 6);
	assert_int_equal(scene->deliveries[4].position, 2);
	assert_int_equal(scene->deliveries[5].position, 3);
	assert_int_equal(ttg_client_nack(scene->client, "box", 9, 1, NULL, 0), TTG_ENOENT);
}

static void break_and_return(struct scene *scene, uint64_t acknowledged)
{
	scene_broker_stop(scene);
	scene_broker_start(scene);
	scene_welcome(scene);
	scene_attach(scene, acknowledged);
}

static void repeats_after_a_loss_are_dropped(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 3, 'a');
	must_get(scene, 3);
	break_and_return(scene, 0);
	scene_deliver(scene, 1, 4, 'a');
	must_get(scene, 4);
	assert_int_equal(scene->deliveries[3].position, 4);
	scene_expect_silence(scene);
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 4), TTG_OK);
	expect_ack(scene, 4, 0, NULL);
	expect_credit(scene, 4);
}

static void an_acknowledgement_that_was_lost_is_said_again(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 2, 'a');
	must_get(scene, 2);
	scene_broker_stop(scene);
	assert_int_equal(ttg_client_ack(scene->client, "box", 1), TTG_OK);
	scene_broker_start(scene);
	scene_welcome(scene);
	scene_attach(scene, 0);
	scene_expect_silence(scene); /* nothing was delivered in this attachment */
	scene_deliver(scene, 1, 2, 'a');
	expect_ack(scene, 1, 0, NULL);
	expect_credit(scene, 1);
	assert_int_equal(scene->n_deliveries, 2);
}

static void a_position_that_means_another_event_is_handed_over(void **state)
{
	struct scene *scene = *state;
	Ttg__Delivery delivery = TTG__DELIVERY__INIT, *deliveries[1] = { &delivery };
	Ttg__Deliver deliver = TTG__DELIVER__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;
	uint8_t other[] = { 0x0a, 2, 9, 9 };

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 2, 'a');
	must_get(scene, 2);
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 2), TTG_OK);
	expect_ack(scene, 2, 0, NULL);
	expect_credit(scene, 2);
	break_and_return(scene, 0); /* restored from a backup: positions are given anew */
	delivery.position = 1;
	delivery.attempt = 1;
	delivery.event.data = other;
	delivery.event.len = sizeof(other);
	deliver.handle = 1;
	deliver.n_deliveries = 1;
	deliver.deliveries = deliveries;
	frame.body_case = TTG__FRAME__BODY_DELIVER;
	frame.deliver = &deliver;
	scene_send(scene, &frame);
	must_get(scene, 3);
}

static void a_refused_delivery_is_handed_over_again_after_a_loss(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene->on_delivery = refuse_first;
	scene_deliver(scene, 1, 1, 'a');
	must_get(scene, 1);
	expect_nack(scene, 1, "not now");
	break_and_return(scene, 0);
	scene_deliver(scene, 1, 1, 'a');
	must_get(scene, 2);
}

static void detach_inside_the_callback(struct scene *scene, const struct ttg_delivery *delivery)
{
	(void)delivery;
	assert_int_equal(ttg_client_ack(scene->client, "box", 1), TTG_OK);
	assert_int_equal(ttg_client_detach(scene->client, "box"), TTG_OK);
}

static void detaching_inside_a_callback_ends_the_hand_over(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene->on_delivery = detach_inside_the_callback;
	scene_deliver(scene, 1, 3, 'a');
	expect_ack(scene, 1, 0, NULL);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_DETACH), NULL);
	assert_int_equal(scene->n_deliveries, 1);
	assert_int_equal(ttg_client_detach(scene->client, "box"), TTG_ENOENT);
	scene_deliver(scene, 2, 1, 'a'); /* was on its way */
	scene_expect_silence(scene);
	assert_int_equal(scene->n_deliveries, 1);
}

/* The broker may have been restored meanwhile: its positions may be other events. */
static void a_mailbox_left_before_it_was_attached_again_acknowledges_nothing(void **state)
{
	struct scene *scene = *state;

	begin_with(scene, 10, 0);
	scene_deliver(scene, 1, 2, 'a');
	must_get(scene, 2);
	scene_broker_stop(scene);
	assert_int_equal(ttg_client_ack_up_to(scene->client, "box", 2), TTG_OK);
	scene_broker_start(scene);
	scene_welcome(scene);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_ATTACH), NULL);
	assert_int_equal(ttg_client_detach(scene->client, "box"), TTG_OK);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_DETACH), NULL);
	scene_expect_silence(scene);
}

static void what_is_detached_without_a_session_makes_room_for_others(void **state)
{
	struct scene *scene = *state;

	scene_connect(scene); /* no Welcome comes */
	for (int i = 0; i < 2 * CONSUME_MAX_MAILBOXES; i++) {
		assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
		assert_int_equal(ttg_client_detach(scene->client, "box"), TTG_OK);
		scene_turn(scene);
	}
	assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
}

static bool is_attached(const struct scene *scene)
{
	return scene->n_attached > 0;
}

static void an_attached_that_comes_late_is_not_taken_for_the_next_attachment(void **state)
{
	struct scene *scene = *state;
	Ttg__Attached attached = TTG__ATTACHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT, *asked;

	scene_begin(scene);
	assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_ATTACH), NULL);
	assert_int_equal(ttg_client_detach(scene->client, "box"), TTG_OK);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_DETACH), NULL);
	assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
	asked = scene_expect(scene, TTG__FRAME__BODY_ATTACH);
	attached.handle = 1;
	attached.active = true;
	frame.body_case = TTG__FRAME__BODY_ATTACHED;
	frame.attached = &attached;
	scene_send(scene, &frame);
	scene_expect_silence(scene);
	assert_int_equal(scene->n_attached, 0);
	attached.handle = asked->attach->handle;
	scene_send(scene, &frame);
	scene_until(scene, is_attached);
	ttg__frame__free_unpacked(asked, NULL);
}

static void wrong_attachments_are_refused(void **state)
{
	struct scene *scene = *state;
	char name[16];

	begin_with(scene, 10, 0);
	assert_int_equal(ttg_client_attach(scene->client, "box", 1), TTG_EEXIST);
	assert_int_equal(ttg_client_attach(scene->client, "Box", 1), TTG_EINVAL);
	assert_int_equal(ttg_client_attach(scene->client, "a/b/c", 1), TTG_EINVAL);
	assert_int_equal(ttg_client_attach(scene->client, "", 1), TTG_EINVAL);
	assert_int_equal(ttg_client_attach(scene->client, NULL, 1), TTG_EINVAL);
	for (int i = 1; i < 64; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		assert_int_equal(ttg_client_attach(scene->client, name, 1), TTG_OK);
	}
	assert_int_equal(ttg_client_attach(scene->client, "last", 1), TTG_ELIMIT);
}

static bool is_told(const struct scene *scene)
{
	return scene->last_code == TTG_SESSION_MAILBOX;
}

static void a_mailbox_that_is_not_ours_is_told_and_asked_for_again(void **state)
{
	struct scene *scene = *state;
	Ttg__Error error = TTG__ERROR__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_ATTACH), NULL);
	error.code = TTG_SESSION_MAILBOX;
	error.handle = 1;
	error.text = (char *)(uintptr_t)"no such mailbox";
	frame.body_case = TTG__FRAME__BODY_ERROR;
	frame.error = &error;
	scene_send(scene, &frame);
	scene_until(scene, is_told);
	assert_string_equal(scene->last_text, "mailbox box: no such mailbox");
	scene_attach(scene, 0);
	assert_int_equal(scene->hellos, 1);
}

static void must_end_the_session(struct scene *scene, Ttg__Delivery *delivery, size_t times)
{
	Ttg__Delivery *deliveries[16];
	Ttg__Deliver deliver = TTG__DELIVER__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	for (size_t i = 0; i < times; i++)
		deliveries[i] = delivery;
	begin_with(scene, 3, 0);
	deliver.handle = 1;
	deliver.n_deliveries = times;
	deliver.deliveries = deliveries;
	frame.body_case = TTG__FRAME__BODY_DELIVER;
	frame.deliver = &deliver;
	scene_send(scene, &frame);
	scene_welcome(scene);
	assert_int_equal(scene->hellos, 2);
	assert_int_equal(scene->n_deliveries, 0);
}

static void more_deliveries_than_credit_end_the_session(void **state)
{
	Ttg__Delivery delivery = TTG__DELIVERY__INIT;
	uint8_t byte = 1;

	delivery.position = 1;
	delivery.event.data = &byte;
	delivery.event.len = 1;
	must_end_the_session(*state, &delivery, 4);
}

static void a_person_key_of_the_wrong_length_ends_the_session(void **state)
{
	Ttg__Delivery delivery = TTG__DELIVERY__INIT;
	uint8_t byte = 1;

	delivery.position = 1;
	delivery.event.data = &byte;
	delivery.event.len = 1;
	delivery.person_key.data = &byte;
	delivery.person_key.len = 1;
	must_end_the_session(*state, &delivery, 1);
}

static void a_position_of_zero_ends_the_session(void **state)
{
	Ttg__Delivery delivery = TTG__DELIVERY__INIT;
	uint8_t byte = 1;

	delivery.event.data = &byte;
	delivery.event.len = 1;
	must_end_the_session(*state, &delivery, 1);
}

static void a_standby_becomes_active(void **state)
{
	struct scene *scene = *state;
	Ttg__Attached attached = TTG__ATTACHED__INIT;
	Ttg__Frame frame = TTG__FRAME__INIT;

	scene_begin(scene);
	assert_int_equal(ttg_client_attach(scene->client, "box", 10), TTG_OK);
	ttg__frame__free_unpacked(scene_expect(scene, TTG__FRAME__BODY_ATTACH), NULL);
	attached.handle = 1;
	frame.body_case = TTG__FRAME__BODY_ATTACHED;
	frame.attached = &attached;
	scene_send(scene, &frame);
	attached.active = true;
	attached.acknowledged = 41;
	scene_send(scene, &frame);
	scene_deliver(scene, 42, 1, 'a');
	must_get(scene, 1);
	assert_int_equal(scene->n_attached, 2);
	assert_int_equal(ttg_client_ack(scene->client, "box", 42), TTG_OK);
	expect_ack(scene, 42, 0, NULL);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(deliveries_come_in_order_with_the_full_name),
		SCENE_TEST(acknowledgements_of_one_turn_are_one_frame_and_give_credit_back),
		SCENE_TEST(beyond_a_gap_positions_are_acknowledged_by_name),
		SCENE_TEST(after_a_refusal_the_same_person_waits_and_others_do_not),
		SCENE_TEST(a_refusal_voids_what_was_handed_over_after_it),
		SCENE_TEST(repeats_after_a_loss_are_dropped),
		SCENE_TEST(an_acknowledgement_that_was_lost_is_said_again),
		SCENE_TEST(a_position_that_means_another_event_is_handed_over),
		SCENE_TEST(a_refused_delivery_is_handed_over_again_after_a_loss),
		SCENE_TEST(detaching_inside_a_callback_ends_the_hand_over),
		SCENE_TEST(a_mailbox_left_before_it_was_attached_again_acknowledges_nothing),
		SCENE_TEST(what_is_detached_without_a_session_makes_room_for_others),
		SCENE_TEST(an_attached_that_comes_late_is_not_taken_for_the_next_attachment),
		SCENE_TEST(wrong_attachments_are_refused),
		SCENE_TEST(a_mailbox_that_is_not_ours_is_told_and_asked_for_again),
		SCENE_TEST(more_deliveries_than_credit_end_the_session),
		SCENE_TEST(a_person_key_of_the_wrong_length_ends_the_session),
		SCENE_TEST(a_position_of_zero_ends_the_session),
		SCENE_TEST(a_standby_becomes_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
