/*
 * A stage for tests of the outbox: one in a folder of its own over a disk that fails on command,
 * and events whose bytes follow from their number.
 */
#ifndef TTG_TESTS_OUTBOX_STAGE_H
#define TTG_TESTS_OUTBOX_STAGE_H

#include "unit/unit.h"

#include <sys/types.h>
#include "client/outbox.h"

#define BOX_SECTOR 512

struct box_stage {
	char dir[UNIT_DIRECTORY];
	char outbox_dir[128];
	char segment[192]; /* the first one's path */
	char head[192];
	uint8_t first_head[3 * BOX_SECTOR];  /* two_batches(): HEAD as it was after the first */
	uint8_t second_head[3 * BOX_SECTOR]; /* and after the second */
	struct world world;
	struct outbox *outbox;
	struct message message;
	/* What outbox_each() found. */
	size_t n;
	uint64_t tags[512];
	uint32_t bytes[512];
	struct outbox_place places[512];
	/* Faults. */
	int writes_left, syncs_left; /* before they fail; -1: never */
	int write_error;
};

int box_set_up(void **state);
int box_tear_down(void **state);
enum ttg_error box_open_sized(struct box_stage *stage, size_t max_bytes);
enum ttg_error box_open(struct box_stage *stage);
/* A crash: what is in memory only is gone. close() would write the marks of done events. */
void box_crash(struct box_stage *stage);
/* Stores n events of `bytes` bytes as one batch. */
enum ttg_error box_put(struct box_stage *stage, uint64_t first, size_t n, size_t bytes,
                       struct outbox_place *places);
void box_must_hold(struct box_stage *stage, uint64_t first, size_t n);
off_t box_length(const char *path);
void box_overwrite(const char *path, off_t at, const void *data, size_t len);

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, box_set_up, box_tear_down)

#endif
