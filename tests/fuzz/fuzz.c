/* Taking inputs apart, and the folder of targets that read files; see fuzz.h. One thread. */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_BYTES 256
#define OPEN_FOLDERS 8

static uint64_t number(struct fuzz_input *input, unsigned bytes)
{
	uint64_t value = 0;

	if (input->left < bytes) {
		input->left = 0;
		return 0;
	}
	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)input->at[i] << (8 * i);
	input->at += bytes;
	input->left -= bytes;
	return value;
}

uint8_t fuzz_u8(struct fuzz_input *input)
{
	return (uint8_t)number(input, 1);
}

uint16_t fuzz_u16(struct fuzz_input *input)
{
	return (uint16_t)number(input, 2);
}

uint32_t fuzz_u32(struct fuzz_input *input)
{
	return (uint32_t)number(input, 4);
}

uint64_t fuzz_u64(struct fuzz_input *input)
{
	return number(input, 8);
}

char *fuzz_piece(struct fuzz_input *input, size_t *len)
{
	if (*len > input->left)
		*len = input->left;
	char *piece = malloc(*len + 1);
	MUST(piece);
	if (*len > 0)
		memcpy(piece, input->at, *len);
	piece[*len] = '\0';
	input->at += *len;
	input->left -= *len;
	return piece;
}

char *fuzz_sized(struct fuzz_input *input, size_t *len)
{
	*len = fuzz_u16(input);
	return fuzz_piece(input, len);
}

char *fuzz_rest(struct fuzz_input *input, size_t *len)
{
	*len = input->left;
	return fuzz_piece(input, len);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info, (void)kind, (void)where;
	return remove(path);
}

/* The one state between inputs: where the folder is. */
static const char *folder(bool end)
{
	static char path[FOLDER_BYTES];

	if (end && path[0] != '\0') {
		nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
		path[0] = '\0';
	}
	if (end || path[0] != '\0')
		return path;
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(path, sizeof(path), "%s/ttg-fuzz-XXXXXX", base);
	MUST(mkdtemp(path));
	return path;
}

static void remove_folder(void)
{
	folder(true);
}

const char *fuzz_folder(void)
{
	static bool registered;

	if (!registered)
		atexit(remove_folder);
	registered = true;
	return folder(false);
}

void fuzz_path(const char *name, char *out, size_t room)
{
	const int len = snprintf(out, room, "%s/%s", fuzz_folder(), name);

	MUST(len > 0 && (size_t)len < room);
}

void fuzz_write(const char *name, const void *bytes, size_t len)
{
	char path[FOLDER_BYTES * 2];

	fuzz_path(name, path, sizeof(path));
	const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(file >= 0);
	MUST(len == 0 || write(file, bytes, len) == (ssize_t)len);
	close(file);
}
