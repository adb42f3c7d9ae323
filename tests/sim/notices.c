/*
 * What the operator gives up is told to the owner of each mailbox that loses something, once, with
 * what was lost, in those of its mailboxes that are granted the notice. See notices.h.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/model.h"
#include "ttg/event.h"

/* As broker_make_rules() grants it: to the police as long as "limited" is in force. */
static bool is_granted(const struct model *model, int play)
{
	if (play == BOX_POLICE)
		return model->limited && life_now->clock.real_ns < model->limited_until_ns;
	return play == BOX_DESK || play == BOX_CHARITY;
}

void model_owe_notice(struct model *model, const struct box *box, uint64_t below)
{
	struct owed *owed;
	uint64_t from = 0, before = box->n + 1, count = 0;

	for (size_t i = box->n; i > 0; i--) {
		if (box->facts[i - 1].state == FACT_SETTLED)
			continue;
		if (box->facts[i - 1].sequence >= below) {
			before = i;
		} else {
			from = i;
			count++;
		}
	}
	for (int i = 0; i < N_BOXES && count > 0; i++) {
		if (play_owners[i] != play_owners[box->play] || !is_granted(model, i))
			continue;
		life_check(model->n_owed < OWED_MAX, "too many notices");
		owed = &model->owed[model->n_owed++];
		*owed = (struct owed){ i, box->play, count, from, before };
	}
}

static bool fits(const struct owed *owed, int to, const Ttg__BrokerDeliveriesGivenUp *it)
{
	return owed->to == to && strcmp(it->mailbox, play_mailboxes[owed->about]) == 0 &&
	       it->delivery_count == owed->count && it->from_position == owed->from &&
	       it->before_position == owed->before;
}

/* One event may go to several mailboxes: each is owed it. */
void model_take_notice(struct model *model, const uint8_t *bytes, size_t len, int to)
{
	Ttg__Event *event = ttg__event__unpack(NULL, len, bytes);
	size_t i = 0;

	life_check(event, "the broker's own event is none");
	if (event->payload_case == TTG__EVENT__PAYLOAD_BROKER_DELIVERIES_GIVEN_UP) {
		while (i < model->n_owed &&
		       !fits(&model->owed[i], to, event->broker_deliveries_given_up))
			i++;
		life_check(i < model->n_owed,
		           "%s is told that %" PRIu64 " deliveries of %s were given up, "
		           "which nobody owes it",
		           play_mailboxes[to], event->broker_deliveries_given_up->delivery_count,
		           event->broker_deliveries_given_up->mailbox);
		model->owed[i] = model->owed[--model->n_owed];
	}
	ttg__event__free_unpacked(event, NULL);
}

void model_untold(struct model *model, const char *mailbox)
{
	life_check(life_now->append_refused, "nobody is told what %s lost, for no reason", mailbox);
	for (size_t i = 0; i < model->n_owed; i++)
		if (strcmp(play_mailboxes[model->owed[i].about], mailbox) == 0)
			model->owed[i--] = model->owed[--model->n_owed];
}

void model_check_told(const struct model *model)
{
	life_check(model->n_owed == 0, "%s is not told what was given up of %s",
	           play_mailboxes[model->owed[0].to], play_mailboxes[model->owed[0].about]);
}
