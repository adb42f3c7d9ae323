/* See outbox_stage.h. */
#include "support/outbox_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct box_stage *faulty; /* the world's functions find their stage here */

static ssize_t failing_write(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	const struct world *real = world_real();

	(void)self;
	if (faulty->writes_left == 0) {
		/* Part of it is written before the error. */
		real->write_at(real->self, file, data, len / 2, offset);
		return -faulty->write_error;
	}
	if (faulty->writes_left > 0)
		faulty->writes_left--;
	return real->write_at(real->self, file, data, len, offset);
}

static int failing_sync(void *self, int file)
{
	const struct world *real = world_real();

	(void)self;
	if (faulty->syncs_left == 0)
		return -EIO;
	if (faulty->syncs_left > 0)
		faulty->syncs_left--;
	return real->sync(real->self, file);
}

int box_set_up(void **state)
{
	struct box_stage *stage = calloc(1, sizeof(*stage));

	assert_non_null(stage);
	unit_directory_make(stage->dir);
	snprintf(stage->outbox_dir, sizeof(stage->outbox_dir), "%s/outbox", stage->dir);
	snprintf(stage->segment, sizeof(stage->segment), "%s/0000000000000001.out",
	         stage->outbox_dir);
	snprintf(stage->head, sizeof(stage->head), "%s/HEAD", stage->outbox_dir);
	stage->world = *world_real();
	stage->world.write_at = failing_write;
	stage->world.sync = failing_sync;
	stage->writes_left = stage->syncs_left = -1;
	faulty = stage;
	*state = stage;
	return 0;
}

int box_tear_down(void **state)
{
	struct box_stage *stage = *state;

	outbox_close(&stage->outbox);
	unit_directory_remove(stage->dir);
	free(stage);
	return 0;
}

static enum ttg_error note_found(void *arg, const uint8_t id[16], uint32_t bytes,
                                 const struct outbox_place *place)
{
	struct box_stage *stage = arg;

	assert_true(stage->n < 512);
	memcpy(&stage->tags[stage->n], id, sizeof(uint64_t));
	stage->bytes[stage->n] = bytes;
	stage->places[stage->n++] = *place;
	return TTG_OK;
}

enum ttg_error box_open_sized(struct box_stage *stage, size_t max_bytes)
{
	enum ttg_error code = outbox_open(&stage->outbox, &stage->world, stage->outbox_dir,
	                                  max_bytes, &stage->message);

	stage->n = 0;
	if (code == TTG_OK)
		assert_int_equal(outbox_each(stage->outbox, note_found, stage), TTG_OK);
	return code;
}

enum ttg_error box_open(struct box_stage *stage)
{
	return box_open_sized(stage, 0);
}

void box_crash(struct box_stage *stage)
{
	stage->writes_left = 0;
	stage->write_error = EIO;
	outbox_close(&stage->outbox);
	stage->writes_left = stage->syncs_left = -1;
}

static void fill(uint8_t *out, uint64_t tag, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(tag * 7 + i);
}

enum ttg_error box_put(struct box_stage *stage, uint64_t first, size_t n, size_t bytes,
                       struct outbox_place *places)
{
	struct ttg_publish_item items[64];
	struct outbox_place unused[64];
	uint8_t ids[64][16];
	uint8_t *events = calloc(n, bytes);

	assert_true(n <= 64 && events);
	for (size_t i = 0; i < n; i++) {
		uint64_t tag = first + i;

		memset(ids[i], 0xee, sizeof(ids[i]));
		memcpy(ids[i], &tag, sizeof(tag));
		fill(events + i * bytes, tag, bytes);
		items[i] = (struct ttg_publish_item){ ids[i], events + i * bytes, bytes, NULL };
	}
	enum ttg_error code = outbox_put(stage->outbox, items, n, places ? places : unused);
	free(events);
	return code;
}

void box_must_hold(struct box_stage *stage, uint64_t first, size_t n)
{
	uint8_t wanted[4096], got[4096];

	assert_int_equal(stage->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(stage->tags[i], first + i);
		fill(wanted, first + i, stage->bytes[i]);
		assert_int_equal(
		        outbox_read(stage->outbox, &stage->places[i], stage->bytes[i], got),
		        TTG_OK);
		assert_memory_equal(got, wanted, stage->bytes[i]);
	}
}

off_t box_length(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_size : -1;
}

void box_overwrite(const char *path, off_t at, const void *data, size_t len)
{
	int file = open(path, O_RDWR);

	assert_true(file >= 0);
	assert_int_equal(pwrite(file, data, len, at), len);
	close(file);
}
