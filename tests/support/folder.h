/*
 * A temporary folder of a unit test, with files of configuration in it.
 */
#ifndef TTG_TEST_FOLDER_H
#define TTG_TEST_FOLDER_H

#include "support/assert.h"

#define FOLDER_PATH 512

struct folder {
	char path[FOLDER_PATH / 2];
};

/* Set-up and tear-down of cmocka: *state is the folder, empty. */
int folder_set_up(void **state);
int folder_tear_down(void **state);

/* Complete path of a name in it. */
void folder_path(const struct folder *folder, const char *name, char out[FOLDER_PATH]);

/* Makes a folder in it, mode 0755. */
void folder_make(const struct folder *folder, const char *name);

/* Writes a file, mode 0644; its folder is there. */
void folder_write(const struct folder *folder, const char *name, const char *text);
void folder_write_bytes(const struct folder *folder, const char *name, const void *bytes, size_t len);

#endif
