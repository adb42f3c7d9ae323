/*
 * Draws and lives one life; see life.h. Every life has its own taste: some kinds of steps are left
 * out of it and others come often, so that rare things meet.
 */
#include "sim/life.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/actor.h"
#include "sim/broker.h"
#include "sim/chance.h"
#include "sim/memory.h"
#include "sim/model.h"
#include "sim/wire.h"

#define NS_PER_MS    INT64_C(1000000)
#define PEACE_ROUNDS 3000
#define QUIET_ROUNDS 6

struct life *life_now;
bool life_tracing;
char *life_failure;

const char *const step_names[STEP_KINDS] = {
	"turn",    "broker", "poll",    "publish", "consume",      "wait",  "clock",
	"slow",    "arrive", "cut",     "repeat",  "crash_client", "leave", "detach",
	"rules",   "letter", "give_up", "fault",   "full",         "kill",  "crash",
	"restart", "flip",   "backup",  "restore", "erase",        "master",
	"redeliver"
};

static const struct {
	uint32_t weight;
	bool optional; /* half of the lives do without */
} tastes[STEP_KINDS] = {
	[STEP_TURN] = { 220, false },     [STEP_BROKER] = { 120, false },
	[STEP_POLL] = { 200, false },     [STEP_PUBLISH] = { 160, false },
	[STEP_CONSUME] = { 200, false },  [STEP_WAIT] = { 60, false },
	[STEP_CLOCK] = { 8, true },       [STEP_SLOW] = { 10, true },
	[STEP_ARRIVE] = { 60, false },    [STEP_CUT] = { 14, true },
	[STEP_REPEAT] = { 8, true },      [STEP_ACTOR_CRASH] = { 16, true },
	[STEP_ACTOR_LEAVE] = { 8, true }, [STEP_DETACH] = { 10, true },
	[STEP_RULES] = { 12, true },      [STEP_LETTER] = { 30, false },
	[STEP_GIVE_UP] = { 3, true },     [STEP_FAULT] = { 16, true },
	[STEP_FULL] = { 8, true },        [STEP_KILL] = { 16, true },
	[STEP_CRASH] = { 20, true },      [STEP_RESTART] = { 10, true },
	[STEP_FLIP] = { 6, true },        [STEP_BACKUP] = { 5, true },
	[STEP_RESTORE] = { 3, true },     [STEP_ERASE] = { 6, true },
	[STEP_MASTER] = { 4, true },      [STEP_REDELIVER] = { 10, true },
};

static uint64_t one_of(uint64_t *random, const uint64_t *values, size_t n)
{
	return values[chance_below(random, n)];
}

static void draw_numbers(struct life_plan *plan, uint64_t *random)
{
	const uint64_t retained[] = { 0, 0, 64 * 1024, 128 * 1024, 256 * 1024 };
	const uint64_t bounds[] = { 0, 0, 0, 192 * 1024, 320 * 1024, 1024 * 1024 };
	const uint64_t snapshots[] = { 5, 20, 60, 1000000 };
	const uint64_t large[] = { 0, 0, 2, 8 };

	plan->window = 2 + (uint32_t)chance_below(random, 14);
	plan->max_held = 1 + (uint32_t)chance_below(random, 24);
	plan->publish_window = 1 + (uint32_t)chance_below(random, 6);
	plan->max_events = 1 + (uint32_t)chance_below(random, 5);
	plan->snapshot_records = (uint32_t)one_of(random, snapshots, 4);
	plan->buffer_kib = 16u << chance_below(random, 3);
	plan->credit = 1 + (uint32_t)chance_below(random, 12);
	plan->hwm = 3 + (uint32_t)chance_below(random, 12);
	plan->persons = (uint32_t)chance_below(random, 5);
	plan->retain_bytes = one_of(random, retained, 5);
	plan->max_bytes = one_of(random, bounds, 6);
	plan->retain_days = (uint32_t)chance_below(random, 2);
	plan->busy = (uint32_t)chance_below(random, 4);
	plan->frame_kib = 12u << chance_below(random, 3);
	plan->large = (uint32_t)one_of(random, large, 4);
	for (int i = 0; i < LIFE_ACTORS; i++)
		plan->outbox[i] = i < 4 && chance_below(random, 2) == 0;
}

/* Of its own chance: a life in which nothing is asked of persons is the one it was. */
static void draw_who(struct life_plan *plan)
{
	const uint64_t look_back[] = { 0, 2, 20, 120, 86400, 10 * 86400 };
	uint64_t random = chance_mix(plan->seed + UINT64_C(0x77686f));

	plan->gated = chance_below(&random, 2) == 0;
	plan->look_back_s = (uint32_t)one_of(&random, look_back, 6);
	plan->keys = chance_below(&random, 2) == 0;
}

/* Of its own chance as well. */
static void draw_archive(struct life_plan *plan)
{
	uint64_t random = chance_mix(plan->seed + UINT64_C(0x61726368));

	plan->archived = chance_below(&random, 2) == 0;
}

static void draw_retention(struct life_plan *plan)
{
	const uint64_t kept[] = { 0, 0, 3, 30, 600, 86400 }, hold[] = { 0, 2, 20 };
	uint64_t random = chance_mix(plan->seed + UINT64_C(0x6b657074));

	if (!plan->keys)
		return;
	plan->retain_s = (uint32_t)one_of(&random, kept, 6);
	plan->lapse_hold_s = (uint32_t)one_of(&random, hold, 3);
}

static void draw_sign(struct life_plan *plan)
{
	uint64_t random = chance_mix(plan->seed + UINT64_C(0x7369676e));

	plan->sign = chance_below(&random, 3) == 0;
}

static void draw_referred(struct life_plan *plan)
{
	uint64_t random = chance_mix(plan->seed + UINT64_C(0x726566));

	plan->referred = chance_below(&random, 2) == 0;
}

void life_plan(struct life_plan *plan, uint64_t seed)
{
	uint64_t random = chance_mix(seed + 1), sum = 0;
	uint32_t weights[STEP_KINDS];

	memset(plan, 0, sizeof(*plan));
	plan->seed = seed;
	draw_numbers(plan, &random);
	draw_who(plan);
	draw_archive(plan);
	draw_retention(plan);
	draw_sign(plan);
	draw_referred(plan);
	for (int i = 0; i < STEP_KINDS; i++) {
		bool wanted = !tastes[i].optional || chance_below(&random, 2) == 0;

		weights[i] = wanted ? tastes[i].weight << chance_below(&random, 3) : 0;
		sum += weights[i];
	}
	plan->n_steps = 60 + (size_t)chance_below(&random, 340);
	for (size_t i = 0; i < plan->n_steps; i++) {
		uint64_t at = chance_below(&random, sum);
		int kind = 0;

		while (at >= weights[kind])
			at -= weights[kind++];
		plan->steps[i] =
		        (struct step){ (enum step_kind)kind, (uint32_t)i, chance_next(&random) };
	}
}

uint64_t life_draw(uint64_t n)
{
	return chance_below(&life_now->random, n);
}

void life_trace(const char *format, ...)
{
	va_list arguments;

	if (!life_tracing)
		return;
	va_start(arguments, format);
	printf("    ");
	vprintf(format, arguments);
	printf("\n");
	va_end(arguments);
}

void life_fail(const char *format, ...)
{
	char text[LIFE_FAILURE_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (life_failure)
		snprintf(life_failure, LIFE_FAILURE_TEXT, "%s", text);
	life_trace("FAILED: %s", text);
	fflush(stdout);
	_exit(1);
}

static struct actor *any_actor(void)
{
	return life_now->actors[life_draw(LIFE_ACTORS)];
}

static enum disk_crash any_crash(void)
{
	return (enum disk_crash)life_draw(3);
}

static void pass_time(int64_t ns)
{
	life_now->clock.mono_ns += ns;
	life_now->clock.real_ns += ns;
}

static void step_clock(void)
{
	int64_t by_ns = ((int64_t)life_draw(7200) - 3600) * PLAY_SECOND;

	if (life_draw(10) == 0)
		by_ns = 25 * 3600 * PLAY_SECOND;
	if (life_now->clock.real_ns + by_ns < PLAY_NOW ||
	    life_now->clock.real_ns + by_ns > PLAY_NOW + 5 * 24 * 3600 * PLAY_SECOND)
		return;
	life_now->clock.real_ns += by_ns;
}

static struct disk *any_disk(void)
{
	return life_draw(3) ? broker_disk(life_now->broker) : actor_disk(any_actor());
}

static void step_fault(void)
{
	static const int errors[DISK_CALLS][3] = {
		[DISK_READ] = { EIO, EIO, 0 },
		[DISK_LOOK] = { EIO, EIO, EIO },
		[DISK_OPEN] = { EIO, ENOSPC, EIO },
		[DISK_WRITE] = { EIO, ENOSPC, 0 },
		[DISK_SYNC] = { EIO, EIO, ENOSPC },
		[DISK_SYNC_DIR] = { EIO, EIO, EIO },
		[DISK_ALLOCATE] = { ENOSPC, ENOSPC, EIO },
		[DISK_RENAME] = { EIO, EIO, ENOSPC },
		[DISK_UNLINK] = { EIO, EIO, EIO },
		[DISK_TRUNCATE] = { EIO, EIO, EIO },
	};
	struct disk *disk = any_disk();
	enum disk_call call = (enum disk_call)life_draw(DISK_CALLS);
	uint64_t after = life_draw(6), times = life_draw(4) ? 1 : 1000;
	int error = errors[call][life_draw(3)];

	life_trace("%s: after %" PRIu64 " calls %s, %" PRIu64 " times", disk_call_names[call],
	           after, error ? strerror(error) : "short", times);
	disk_fail(disk, call, after, error, times);
}

static void step_full(void)
{
	uint64_t left = life_draw(2) ? UINT64_MAX : life_draw(4) * 40 * 1024;

	if (life_draw(2))
		broker_fill(life_now->broker, left);
	else
		actor_fill(any_actor(), left);
}

static void turn(void)
{
	broker_step(life_now->broker);
	for (int i = 0; i < LIFE_ACTORS; i++)
		actor_poll(life_now->actors[i]);
}

/* Steps of clients and of the network. */
static bool take_outside(const struct step *step)
{
	switch (step->kind) {
	case STEP_POLL:
		actor_poll(any_actor());
		return true;
	case STEP_PUBLISH:
		actor_publish(life_now->actors[life_draw(4)]);
		return true;
	case STEP_CONSUME:
		actor_consume(life_now->actors[4 + life_draw(LIFE_ACTORS - 4)]);
		return true;
	case STEP_WAIT:
		pass_time((int64_t)life_draw(life_draw(6) ? 300 : 20000) * NS_PER_MS);
		return true;
	case STEP_CLOCK:
		step_clock();
		return true;
	case STEP_SLOW:
		wire_slow(life_now->wire, !wire_is_slow(life_now->wire));
		return true;
	case STEP_ARRIVE:
		wire_arrive(life_now->wire);
		return true;
	case STEP_CUT:
		wire_cut(life_now->wire);
		return true;
	case STEP_REPEAT:
		wire_repeat(life_now->wire);
		return true;
	case STEP_ACTOR_CRASH:
		actor_crash(any_actor(), any_crash());
		return true;
	case STEP_ACTOR_LEAVE:
		actor_leave(any_actor());
		return true;
	case STEP_DETACH:
		actor_detach(any_actor());
		return true;
	case STEP_TURN:
	case STEP_BROKER:
	case STEP_RULES:
	case STEP_LETTER:
	case STEP_GIVE_UP:
	case STEP_FAULT:
	case STEP_FULL:
	case STEP_KILL:
	case STEP_CRASH:
	case STEP_RESTART:
	case STEP_FLIP:
	case STEP_BACKUP:
	case STEP_RESTORE:
	case STEP_ERASE:
	case STEP_MASTER:
	case STEP_REDELIVER:
	case STEP_KINDS:
	default:
		return false;
	}
}

/* Steps of the broker, its operator and its machine. */
static void take_inside(const struct step *step)
{
	struct broker *broker = life_now->broker;

	switch (step->kind) {
	case STEP_TURN:
		turn();
		break;
	case STEP_BROKER:
		broker_step(broker);
		break;
	case STEP_RULES:
		broker_new_rules(broker);
		break;
	case STEP_LETTER:
		broker_letter(broker);
		break;
	case STEP_GIVE_UP:
		broker_give_up(broker);
		break;
	case STEP_FAULT:
		step_fault();
		break;
	case STEP_FULL:
		step_full();
		break;
	case STEP_KILL:
		disk_kill_after(broker_disk(broker), life_draw(24));
		break;
	case STEP_CRASH:
		broker_crash(broker, any_crash());
		break;
	case STEP_RESTART:
		broker_stop(broker);
		break;
	case STEP_FLIP:
		if (life_draw(3))
			broker_flip(broker);
		else
			actor_flip(any_actor());
		break;
	case STEP_BACKUP:
		broker_backup(broker);
		break;
	case STEP_RESTORE:
		broker_restore(broker);
		break;
	case STEP_ERASE:
		broker_erase(broker);
		break;
	case STEP_MASTER:
		broker_new_master(broker);
		break;
	case STEP_REDELIVER:
		broker_redeliver(broker);
		break;
	case STEP_POLL:
	case STEP_PUBLISH:
	case STEP_CONSUME:
	case STEP_WAIT:
	case STEP_CLOCK:
	case STEP_SLOW:
	case STEP_ARRIVE:
	case STEP_CUT:
	case STEP_REPEAT:
	case STEP_ACTOR_CRASH:
	case STEP_ACTOR_LEAVE:
	case STEP_DETACH:
	case STEP_KINDS:
	default:
		break;
	}
}

/* All chance from here on comes from this number. */
static void reseed(uint64_t chance)
{
	life_now->random = chance;
	disk_seed(broker_disk(life_now->broker), chance_mix(chance + 1));
	for (int i = 0; i < LIFE_ACTORS; i++)
		disk_seed(actor_disk(life_now->actors[i]), chance_mix(chance + 2 + (uint64_t)i));
}

static void take(const struct step *step)
{
	life_now->step = step;
	reseed(step->chance);
	if (life_tracing)
		printf("%4u %s\n", step->number, step_names[step->kind]);
	pass_time(NS_PER_MS / 10 + (int64_t)life_draw(5 * NS_PER_MS));
	if (!take_outside(step))
		take_inside(step);
}

/* Everybody does what they should until nothing is open, `least` rounds at least. */
static void live_in_peace(int least)
{
	struct model *model = life_now->model;
	int round = 0;

	for (; round < PEACE_ROUNDS && (round < least || !model_is_quiet(model) ||
	                                 !broker_sealed(life_now->broker));
	     round++) {
		pass_time(100 * NS_PER_MS);
		turn();
		broker_letter(life_now->broker);
		for (int i = 0; i < LIFE_ACTORS; i++) {
			actor_peace(life_now->actors[i]);
			actor_consume(life_now->actors[i]);
		}
	}
	model_check_end(model);
	broker_check_seals(life_now->broker);
	broker_check_archive(life_now->broker);
	broker_compare(life_now->broker);
}

/* Nothing fails any more: whatever was promised must come now. */
static void make_peace(void)
{
	if (life_tracing)
		printf("peace\n");
	reseed(life_now->plan->seed);
	life_now->peaceful = true;
	wire_slow(life_now->wire, false);
	broker_peace(life_now->broker);
	live_in_peace(QUIET_ROUNDS);
}

/* What is settled stays so, though everything unsynced is lost. */
static void end_in_the_dark(void)
{
	if (life_tracing)
		printf("dark\n");
	broker_crash(life_now->broker, DISK_CRASH_LOSE);
	live_in_peace(2 * QUIET_ROUNDS);
}

uint64_t life_run(const struct life_plan *plan)
{
	struct life life = { .plan = plan };
	uint64_t digest;

	life_now = &life;
	memory_reset();
	life.random = plan->seed;
	life.clock = (struct sim_clock){ PLAY_NOW, PLAY_SECOND };
	life.wire = wire_new(plan->hwm);
	life.model = model_new();
	life.broker = broker_new();
	for (int i = 0; i < LIFE_ACTORS; i++)
		life.actors[i] = actor_new(i);
	for (size_t i = 0; i < plan->n_steps; i++)
		take(&plan->steps[i]);
	life.step = NULL;
	make_peace();
	end_in_the_dark();
	digest = chance_mix(life.model->digest ^ (uint64_t)life.clock.mono_ns);
	for (int i = 0; i < LIFE_ACTORS; i++)
		actor_free(&life.actors[i]);
	broker_free(&life.broker);
	model_free(&life.model);
	wire_free(&life.wire);
	life_now = NULL;
	return digest;
}
