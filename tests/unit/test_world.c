/* The machine behind the world table, and what is built on any world. */
#include "unit.h"

#include "base/world.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES (UNIT_DIRECTORY + 32)

struct fixture {
	char directory[UNIT_DIRECTORY];
	char path[PATH_BYTES];
	const struct world *world;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	unit_directory_make(fixture->directory);
	snprintf(fixture->path, sizeof(fixture->path), "%s/file", fixture->directory);
	fixture->world = world_real();
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unit_directory_remove(fixture->directory);
	free(fixture);
	return 0;
}

static void what_is_written_is_read_back_and_the_file_is_ours_alone(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	struct stat status;
	char text[6] = "";

	int file = w->open(w->self, f->path, WORLD_EXCLUSIVE);
	assert_true(file >= 0);
	assert_int_equal(world_write_all(w, file, "hello", 5, 3), 0);
	assert_int_equal(w->sync(w->self, file), 0);
	assert_int_equal(w->size(w->self, file), 8);
	assert_int_equal(world_read_all(w, file, text, 5, 3), 0);
	assert_string_equal(text, "hello");
	assert_int_equal(world_read_all(w, file, text, 6, 3), -EIO);
	assert_int_equal(w->truncate(w->self, file, 4), 0);
	assert_int_equal(w->size(w->self, file), 4);
	assert_int_equal(w->close(w->self, file), 0);
	assert_int_equal(stat(f->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void the_ways_to_open_differ_in_what_must_exist(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	char link[PATH_BYTES];

	assert_int_equal(w->open(w->self, f->path, WORLD_READ), -ENOENT);
	assert_int_equal(w->open(w->self, f->path, WORLD_WRITE), -ENOENT);
	int file = w->open(w->self, f->path, WORLD_CREATE);
	assert_true(file >= 0);
	w->close(w->self, file);
	assert_int_equal(w->open(w->self, f->path, WORLD_EXCLUSIVE), -EEXIST);
	file = w->open(w->self, f->path, WORLD_READ);
	assert_true(file >= 0);
	assert_int_equal(w->write_at(w->self, file, "x", 1, 0), -EBADF);
	w->close(w->self, file);
	snprintf(link, sizeof(link), "%s/link", f->directory);
	assert_int_equal(symlink(f->path, link), 0);
	assert_int_equal(w->open(w->self, link, WORLD_CREATE), -ELOOP);
}

static void allocated_room_reads_as_zeros_and_keeps_what_was_there(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	uint8_t bytes[200000];

	int file = w->open(w->self, f->path, WORLD_CREATE);
	assert_true(file >= 0);
	assert_int_equal(world_write_all(w, file, "abc", 3, 0), 0);
	assert_int_equal(w->allocate(w->self, file, sizeof(bytes)), 0);
	assert_int_equal(w->size(w->self, file), sizeof(bytes));
	assert_int_equal(world_read_all(w, file, bytes, sizeof(bytes), 0), 0);
	assert_memory_equal(bytes, "abc", 3);
	for (size_t i = 3; i < sizeof(bytes); i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(w->allocate(w->self, file, UINT64_MAX), -EFBIG);
	w->close(w->self, file);
}

static void a_second_opening_cannot_lock_even_in_the_same_process(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	int first = w->open(w->self, f->path, WORLD_CREATE);
	int second = w->open(w->self, f->path, WORLD_CREATE);

	assert_int_equal(w->lock(w->self, first), 0);
	assert_int_equal(w->lock(w->self, second), -EWOULDBLOCK);
	assert_int_equal(world_error(w->lock(w->self, second)), TTG_ELOCKED);
	w->close(w->self, first);
	assert_int_equal(w->lock(w->self, second), 0);
	w->close(w->self, second);
}

static bool count_names(void *arg, const char *name)
{
	assert_string_not_equal(name, ".");
	assert_string_not_equal(name, "..");
	return ++*(int *)arg < 2;
}

static void directories_are_made_once_listed_and_synced(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	struct stat status;
	char path[PATH_BYTES];
	int seen = 0;

	snprintf(path, sizeof(path), "%s/inner", f->directory);
	assert_int_equal(w->mkdir(w->self, path), 0);
	assert_int_equal(w->mkdir(w->self, path), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	assert_int_equal(w->list(w->self, path, count_names, &seen), 0);
	assert_int_equal(seen, 0);
	for (int i = 0; i < 3; i++) {
		char name[PATH_BYTES + 16];

		snprintf(name, sizeof(name), "%s/%d", path, i);
		w->close(w->self, w->open(w->self, name, WORLD_CREATE));
	}
	assert_int_equal(w->list(w->self, path, count_names, &seen), 0);
	assert_int_equal(seen, 2);
	assert_int_equal(w->sync_dir(w->self, path), 0);
	assert_int_equal(w->sync_dir(w->self, f->path), -ENOENT);
	assert_int_equal(w->list(w->self, f->path, count_names, &seen), -ENOENT);
	w->close(w->self, w->open(w->self, f->path, WORLD_CREATE));
	assert_int_equal(w->mkdir(w->self, f->path), -ENOTDIR);
	assert_true(w->free_bytes(w->self, path) > 0);
	assert_int_equal(w->unlink(w->self, f->path), 0);
	assert_int_equal(w->unlink(w->self, f->path), -ENOENT);
}

static void assert_holds(const struct fixture *f, const char *expected)
{
	const struct world *w = f->world;
	char text[64] = "";
	int file = w->open(w->self, f->path, WORLD_READ);

	assert_true(file >= 0);
	assert_int_equal(w->size(w->self, file), strlen(expected));
	assert_int_equal(world_read_all(w, file, text, strlen(expected), 0), 0);
	assert_string_equal(text, expected);
	w->close(w->self, file);
}

static void a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it(void **state)
{
	const struct fixture *f = *state;
	char leftover[PATH_BYTES + 16];

	assert_int_equal(world_replace_file(f->world, f->path, "first and long", 14), 0);
	assert_holds(f, "first and long");
	/* As a crash would leave it. */
	snprintf(leftover, sizeof(leftover), "%s.new", f->path);
	int file = f->world->open(f->world->self, leftover, WORLD_CREATE);
	assert_int_equal(world_write_all(f->world, file, "half a file that is longer", 26, 0), 0);
	f->world->close(f->world->self, file);
	assert_int_equal(world_replace_file(f->world, f->path, "second", 6), 0);
	assert_holds(f, "second");
	assert_int_not_equal(access(leftover, F_OK), 0);
}

/* Lengths around the pieces it is written in. */
static void a_large_file_is_replaced_whole(void **state)
{
	static const size_t lengths[] = { 0, 1, 524287, 524288, 524289, 1048576, 1500000 };
	const struct fixture *f = *state;
	const size_t most = 1500000;
	uint8_t *bytes = malloc(most), *back = malloc(most);

	assert_true(bytes && back);
	for (size_t i = 0; i < most; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 4096);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(world_replace_file(f->world, f->path, bytes, lengths[i]), 0);
		int file = f->world->open(f->world->self, f->path, WORLD_READ);
		assert_true(file >= 0);
		assert_int_equal(f->world->size(f->world->self, file), lengths[i]);
		assert_int_equal(world_read_all(f->world, file, back, lengths[i], 0), 0);
		assert_memory_equal(back, bytes, lengths[i]);
		f->world->close(f->world->self, file);
	}
	free(bytes);
	free(back);
}

/* A world whose disk refuses one kind of call. */
struct refusing {
	struct world world;
	int moved;
};

static int refuse_sync(void *self, int file)
{
	(void)self;
	(void)file;
	return -EIO;
}

static ssize_t write_one_byte(void *self, int file, const void *data, size_t len, uint64_t offset)
{
	struct refusing *refusing = self;

	if (refusing->moved-- <= 0)
		return 0;
	return world_real()->write_at(NULL, file, data, len > 0 ? 1 : 0, offset);
}

static void a_failed_sync_or_a_stuck_disk_leaves_the_old_file(void **state)
{
	const struct fixture *f = *state;
	struct refusing refusing = { .world = *world_real(), .moved = 3 };

	assert_int_equal(world_replace_file(f->world, f->path, "old", 3), 0);
	refusing.world.self = &refusing;
	refusing.world.sync = refuse_sync;
	assert_int_equal(world_replace_file(&refusing.world, f->path, "new", 3), -EIO);
	assert_holds(f, "old");
	refusing.world.sync = f->world->sync;
	refusing.world.write_at = write_one_byte;
	assert_int_equal(world_replace_file(&refusing.world, f->path, "fresh", 5), -EIO);
	assert_holds(f, "old");
	/* Short writes that move are no failure. */
	refusing.moved = 5;
	assert_int_equal(world_replace_file(&refusing.world, f->path, "fresh", 5), 0);
	assert_holds(f, "fresh");
}

static void clocks_move_and_random_bytes_differ(void **state)
{
	const struct fixture *f = *state;
	const struct world *w = f->world;
	uint8_t first[64] = { 0 };
	uint8_t second[64] = { 0 };
	int64_t before = w->mono_ns(w->self);

	assert_true(w->mono_ns(w->self) >= before);
	assert_true(w->real_ns(w->self) > INT64_C(1700000000) * 1000000000);
	assert_int_equal(w->random(w->self, first, sizeof(first)), 0);
	assert_int_equal(w->random(w->self, second, sizeof(second)), 0);
	assert_memory_not_equal(first, second, sizeof(first));
}

static void results_have_the_code_a_caller_reports(void **state)
{
	(void)state;
	assert_int_equal(world_error(0), TTG_OK);
	assert_int_equal(world_error(7), TTG_OK);
	assert_int_equal(world_error(-ENOSPC), TTG_ENOSPC);
	assert_int_equal(world_error(-EIO), TTG_EIO);
	assert_int_equal(world_error(-ENOENT), TTG_ENOENT);
	assert_int_equal(world_error(-EACCES), TTG_EPERM);
	assert_int_equal(world_error(-EMFILE), TTG_ESYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_back_and_the_file_is_ours_alone),
		TEST(the_ways_to_open_differ_in_what_must_exist),
		TEST(allocated_room_reads_as_zeros_and_keeps_what_was_there),
		TEST(a_second_opening_cannot_lock_even_in_the_same_process),
		TEST(directories_are_made_once_listed_and_synced),
		TEST(a_replaced_file_holds_the_new_bytes_and_leaves_nothing_beside_it),
		TEST(a_large_file_is_replaced_whole),
		TEST(a_failed_sync_or_a_stuck_disk_leaves_the_old_file),
		TEST(clocks_move_and_random_bytes_differ),
		cmocka_unit_test(results_have_the_code_a_caller_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
