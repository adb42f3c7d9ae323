/*
 * What a program of ours puts into a spool: there whole and for good, or not there at all, wherever
 * the disk gives up.
 */
#include "unit.h"
#include <errno.h>
#include <string.h>
#include "common/spool_put.h"
#include "support/memory_world.h"

#define DIR  "/spool"
#define TEXT "{\"specversion\":\"1.0\"}\n"

static enum ttg_error put(struct memory_world *memory, const char *text)
{
	struct message message = { "" };

	return spool_put_as(memory_world_table(memory), DIR, "desk-1", text, strlen(text),
	                    &message);
}

static struct memory_world *disk(void)
{
	struct memory_world *memory = memory_world_new(1);
	const struct world *world = memory_world_table(memory);

	assert_int_equal(world->mkdir(world->self, DIR), 0);
	return memory;
}

static void assert_document(struct memory_world *memory, const char *text)
{
	uint64_t size = 0;
	const uint8_t *bytes = memory_world_file(memory, DIR "/desk-1.json", &size);

	assert_non_null(bytes);
	assert_int_equal(size, strlen(text));
	assert_memory_equal(bytes, text, size);
}

static void what_was_put_outlives_a_crash(void **state)
{
	struct memory_world *memory = disk();

	(void)state;
	assert_int_equal(put(memory, TEXT), TTG_OK);
	memory_world_crash(memory, MEMORY_CRASH_LOSE);
	assert_document(memory, TEXT);
	assert_null(memory_world_name(memory, 1));
	memory_world_free(&memory);
}

static void a_disk_that_gives_up_leaves_nothing_that_would_be_taken(void **state)
{
	static const enum memory_call calls[] = { MEMORY_WRITE, MEMORY_SYNC, MEMORY_RENAME };

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct memory_world *memory = disk();

		memory_world_fail(memory, calls[i], 0, ENOSPC, false);
		assert_int_equal(put(memory, TEXT), TTG_ENOSPC);
		assert_null(memory_world_name(memory, 0));
		assert_int_equal(put(memory, TEXT), TTG_OK);
		assert_document(memory, TEXT);
		memory_world_free(&memory);
	}
}

static void a_folder_that_cannot_be_synced_is_told(void **state)
{
	struct memory_world *memory = disk();

	(void)state;
	memory_world_fail(memory, MEMORY_SYNC_DIR, 0, EIO, false);
	assert_int_equal(put(memory, TEXT), TTG_EIO);
	memory_world_free(&memory);
}

static void what_a_crash_left_half_written_is_in_nobodys_way(void **state)
{
	struct memory_world *memory = disk();

	(void)state;
	memory_world_put(memory, DIR "/.desk-1.part", "{\"spec", 6);
	assert_int_equal(put(memory, TEXT), TTG_OK);
	assert_document(memory, TEXT);
	assert_null(memory_world_name(memory, 1));
	memory_world_free(&memory);
}

static void a_folder_that_is_missing_is_told(void **state)
{
	struct message message = { "" };

	(void)state;
	assert_int_equal(spool_put(world_real(), "/nonexistent/spool", "desk", TEXT, strlen(TEXT),
	                           &message),
	                 TTG_ENOENT);
	assert_string_equal(message.text, "the spool cannot be written");
}

static void two_documents_never_share_a_name(void **state)
{
	struct memory_world *memory = disk();
	struct message message;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(spool_put(memory_world_table(memory), DIR, "publish", TEXT,
		                           strlen(TEXT), &message),
		                 TTG_OK);
	assert_non_null(memory_world_name(memory, 1));
	assert_int_equal(strncmp(memory_world_name(memory, 0), DIR "/publish-", 15), 0);
	memory_world_free(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_outlives_a_crash),
		cmocka_unit_test(a_disk_that_gives_up_leaves_nothing_that_would_be_taken),
		cmocka_unit_test(a_folder_that_cannot_be_synced_is_told),
		cmocka_unit_test(what_a_crash_left_half_written_is_in_nobodys_way),
		cmocka_unit_test(a_folder_that_is_missing_is_told),
		cmocka_unit_test(two_documents_never_share_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
