/* See referred.h. */
#include "sim/referred.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/record.h"
#include "sim/broker.h"
#include "sim/erased.h"
#include "sim/model.h"

#define CALM 3 /* cycles after which everything that is due was told */

/* Of each type: in which states it may come, and the state then. */
static const struct {
	const char *from;
	char to;
} moves[REFERRAL_TYPES] = {
	[REFERRAL_TYPE_SENT] = { "-", 's' },
	[REFERRAL_TYPE_WITHDRAWN] = { "-skagb", 'w' },
	[REFERRAL_TYPE_ACKNOWLEDGED] = { "-s", 'k' },
	[REFERRAL_TYPE_ACCEPTED] = { "-sk", 'a' },
	[REFERRAL_TYPE_DECLINED] = { "-sk", 'd' },
	[REFERRAL_TYPE_ASSIGNED] = { "-agb", 'g' },
	[REFERRAL_TYPE_STARTED] = { "-ag", 'b' },
	[REFERRAL_TYPE_ENDED] = { "-b", 'e' },
};
#define CANCELLED_FROM "-agb"

static bool is_referrers(int move)
{
	return move == REFERRAL_TYPE_SENT || move == REFERRAL_TYPE_WITHDRAWN;
}

void referred_forget(struct model *model)
{
	for (int i = 0; i < REFERRED_MAX; i++)
		model->referred[i] = (struct referred){ .state = '-' };
}

/* Most of the time what may follow by the records, else anything, whoever says it. */
void referred_choose(const struct model *model, struct said *said, bool by_provider)
{
	static const char *const likely[] = { "-s", "sw", "skad", "kad", "agbc", "ggb", "beg" };
	static const char letters[] = "swkadgbec";
	const struct referred *it;
	char move = 'x';

	said->referral = (int)life_draw(REFERRED_MAX);
	it = &model->referred[said->referral];
	for (size_t i = 0; i < sizeof(likely) / sizeof(likely[0]); i++)
		if (likely[i][0] == it->state && by_provider == (i >= 2))
			move = likely[i][1 + life_draw(strlen(likely[i]) - 1)];
	if (move == 'x' || life_draw(5) == 0)
		move = letters[life_draw(sizeof(letters) - 1)];
	said->cancelled = move == 'c';
	said->move = said->cancelled ? REFERRAL_TYPE_ENDED
	                             : (int)(strchr(letters, move) - letters);
	said->wrong = by_provider == is_referrers(said->move);
	if (said->move == REFERRAL_TYPE_SENT && life_draw(4))
		said->by_ns = life_now->clock.real_ns +
		              (int64_t)life_draw(life_draw(8) ? 30 : 7200) * PLAY_SECOND;
}

void referred_say(Ttg__Event *event, struct referral_words *words, const struct said *said)
{
	char id[8];
	const struct referral_said it = {
		.type = said->move,
		.source = said->wrong == is_referrers(said->move) ? "charity" : "oneservice",
		.id = id,
		.provider = "charity",
		.referrer = "oneservice",
		.answer_by_ns = said->by_ns,
		.cancelled = said->cancelled,
	};

	snprintf(id, sizeof(id), "R-%d", said->referral);
	referral_say(event, words, &it);
}

static bool may_follow(const struct model *model, const struct said *said)
{
	const char *from = said->cancelled ? CANCELLED_FROM : moves[said->move].from;

	return !said->wrong && strchr(from, model->referred[said->referral].state);
}

void referred_judged(const struct model *model, const struct said *said, bool refused)
{
	life_check(!refused || (said->referral >= 0 && !may_follow(model, said)),
	           "%s of referral %d is refused, and it is '%c'",
	           said->referral >= 0 ? referral_types[said->move] : "an event that is none",
	           said->referral,
	           said->referral >= 0 ? model->referred[said->referral].state : '?');
}

void referred_learn(struct model *model, int event, const struct record_event *it, uint64_t sequence)
{
	const struct said *said = &model->events[event];
	struct referred *referred;

	if (said->referral < 0)
		return;
	referred = &model->referred[said->referral];
	life_check(may_follow(model, said), "%s of referral %d is accepted%s, and it is '%c'",
	           referral_types[said->move], said->referral,
	           said->wrong ? " from the wrong side" : "", referred->state);
	/* A hand-over does not take back that the work began. */
	if (said->move != REFERRAL_TYPE_ASSIGNED || referred->state != 'b')
		referred->state = moves[said->move].to;
	referred->since_ns = it->accepted_ns;
	if (said->move == REFERRAL_TYPE_SENT) {
		referred->by_ns = said->by_ns;
		referred->sent = sequence;
		referred->event = event;
	} else if (referred->state != 'k') {
		referred->by_ns = 0;
	}
}

static Ttg__Event *unpack(const uint8_t *bytes, size_t len)
{
	Ttg__Event *event = ttg__event__unpack(NULL, len, bytes);

	life_check(event, "the broker's own event is none");
	if (event->payload_case == TTG__EVENT__PAYLOAD_BROKER_REFERRAL_OVERDUE)
		return event;
	ttg__event__free_unpacked(event, NULL);
	return NULL;
}

void referred_about(const struct model *model, const uint8_t *bytes, size_t len, struct said *own)
{
	Ttg__Event *event = unpack(bytes, len);
	int sent;

	if (!event)
		return;
	sent = model_find(model, event->broker_referral_overdue->event_id.data);
	life_check(sent >= 0, "an answer is overdue to an event that nobody published");
	own->person = model->events[sent].person;
	own->numbers[0] = model->events[sent].numbers[0];
	ttg__event__free_unpacked(event, NULL);
}

static void check_told(const struct model *model, const struct referred *it, int number,
                       const Ttg__BrokerReferralOverdue *told)
{
	life_check(it->by_ns != 0 && !it->told && (it->state == 's' || it->state == 'k'),
	           "referral %d is told to be overdue, and it is '%c'%s", number, it->state,
	           it->told ? ", and was told before" : "");
	life_check(told->answer_by_at->unix_ns == it->by_ns &&
	                   told->since_at->unix_ns == it->since_ns &&
	                   (told->waiting == TTG__REFERRAL_WAITING__REFERRAL_WAITING_SENT) ==
	                           (it->state == 's') &&
	                   memcmp(told->event_id.data, model->events[it->event].id, 16) == 0,
	           "referral %d is told otherwise than it is", number);
}

void referred_told(struct model *model, const struct record_event *it, bool live)
{
	Ttg__Event *event = unpack(it->bytes, it->n_bytes);
	struct record_recipient to;
	struct cursor recipients = it->recipients;
	struct referred *referred;
	int number = -1;

	if (!event)
		return;
	sscanf(event->broker_referral_overdue->referral_id, "R-%d", &number);
	life_check(number >= 0 && number < REFERRED_MAX, "an unknown referral is told to be overdue");
	referred = &model->referred[number];
	check_told(model, referred, number, event->broker_referral_overdue);
	life_check(!live || life_now->clock.real_ns >= referred->by_ns,
	           "referral %d is told to be overdue before it is", number);
	life_check(it->n_recipients == 1, "referral %d is told to %u mailboxes", number,
	           it->n_recipients);
	record_next_recipient(&recipients, &to);
	life_check(model->boxes[to.mailbox].play == BOX_DESK, "referral %d is told to %s", number,
	           model->boxes[to.mailbox].id);
	referred->told = true;
	ttg__event__free_unpacked(event, NULL);
}

/* The event that sent it is needed for that. */
static bool can_be_told(const struct model *model, uint64_t sent, int event)
{
	return broker_holds(life_now->broker, sent) &&
	       !model_is_erased(model, model->events[event].key);
}

void referred_untold(const struct model *model, uint64_t sequence)
{
	for (int i = 0; i < REFERRED_MAX; i++)
		life_check(model->referred[i].sent != sequence ||
		                   !can_be_told(model, sequence, model->referred[i].event),
		           "nobody is told that referral %d is overdue, for no reason", i);
}

void referred_cycle(struct model *model)
{
	for (int i = 0; i < REFERRED_MAX; i++) {
		struct referred *it = &model->referred[i];
		const bool overdue = it->by_ns != 0 && !it->told &&
		                     it->by_ns <= life_now->clock.real_ns &&
		                     can_be_told(model, it->sent, it->event);

		it->calm = overdue ? it->calm + 1 : 0;
		life_check(it->calm <= CALM, "referral %d is overdue, and nobody is told", i);
	}
}
