/*
 * Temporary folders for unit tests: made before a test, removed whole after it. Every failure ends
 * the test.
 */
#include "support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REMOVE_DESCRIPTORS 16

int folder_set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));
	const char *temporary = getenv("TMPDIR");

	if (folder == NULL)
		return -1;
	snprintf(folder->path, sizeof(folder->path), "%s/ttg-unit-XXXXXX",
		 temporary != NULL ? temporary : "/tmp");
	*state = folder;
	return mkdtemp(folder->path) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

int folder_tear_down(void **state)
{
	struct folder *folder = *state;

	nftw(folder->path, remove_entry, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	free(folder);
	return 0;
}

void folder_path(const struct folder *folder, const char *name, char out[FOLDER_PATH])
{
	int len = snprintf(out, FOLDER_PATH, "%s/%s", folder->path, name);

	must_be(len > 0 && len < FOLDER_PATH, "path too long");
}

void folder_make(const struct folder *folder, const char *name)
{
	char path[FOLDER_PATH];

	folder_path(folder, name, path);
	must_be(mkdir(path, 0755) == 0 && chmod(path, 0755) == 0, "cannot make a folder");
}

void folder_write_bytes(const struct folder *folder, const char *name, const void *bytes, size_t len)
{
	char path[FOLDER_PATH];
	FILE *file;

	folder_path(folder, name, path);
	file = fopen(path, "we");
	must_be(file != NULL, "cannot write a file");
	must_be(len == 0 || fwrite(bytes, len, 1, file) == 1, "cannot write a file");
	must_be(fclose(file) == 0 && chmod(path, 0644) == 0, "cannot write a file");
}

void folder_write(const struct folder *folder, const char *name, const char *text)
{
	folder_write_bytes(folder, name, text, strlen(text));
}
