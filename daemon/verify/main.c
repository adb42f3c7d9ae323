/*
 * ttg-verify: checks receipts with the broker's public key, the publisher's, and the event's bytes, and
 * asks nobody.
 *
 * One thread. Every file is hostile: none is read beyond a bound, and nothing a receipt says is
 * printed before it is proven.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evidence/hand_over.h"
#include "evidence/receipt.h"
#include "report.h"

#define EVENT_MAX (16u * 1024 * 1024) /* no broker accepts one so long */

/* Exit statuses, as ttg-verify(1) lists them. */
enum { EXIT_FINE = 0, EXIT_NOT_GOOD = 1, EXIT_USAGE = 2, EXIT_NOT_READ = 3 };

struct task {
	const char *key_path, *event_path; /* event_path NULL: no event was given */
	const char *publisher_path;        /* NULL: who published is not asked */
	bool json;
	struct verify_key *key, *publisher;
	const char *hand_overs[VERIFY_KEYS_MAX];
	size_t n_hand_overs;
	char *event; /* NULL without one */
	size_t event_len;
};

static void usage(FILE *out)
{
	fputs("Usage: ttg-verify --key BROKER.pub [--hand-over FILE]... [--publisher-key FILE]\n"
	      "                  [--event FILE] [--json] RECEIPT...\n"
	      "Checks receipts: that the broker accepted an event, from whom, when and as which.\n"
	      "\n"
	      "      --key FILE      the broker's public key, or several\n"
	      "      --hand-over FILE\n"
	      "                      what one of them signed about the key after it: that is trusted too\n"
	      "      --publisher-key FILE\n"
	      "                      the publisher's public key: he must have signed with it\n"
	      "      --event FILE    the event's bytes as they were published; - for standard input\n"
	      "      --json          one JSON object a line for each receipt\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       version\n"
	      "\n"
	      "Exit status: 0 all are good, 1 one is not, 2 usage, 3 a file cannot be read.\n",
	      out);
}

/* Up to `room` bytes; when *len becomes `room`, there may be more. False: errno says why not. */
static bool read_file(const char *path, char *out, size_t room, size_t *len)
{
	const int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = 1;

	*len = 0;
	if (file < 0)
		return false;
	while (*len < room && got != 0) {
		got = read(file, out + *len, room - *len);
		if (got < 0 && errno != EINTR)
			break;
		*len += got > 0 ? (size_t)got : 0;
	}
	const int error = errno;
	if (file != STDIN_FILENO)
		close(file);
	errno = error;
	return got >= 0;
}

static bool read_event(struct task *task)
{
	if (!task->event_path)
		return true;
	task->event = malloc(EVENT_MAX + 1);
	if (!task->event || !read_file(task->event_path, task->event, EVENT_MAX + 1, &task->event_len)) {
		fprintf(stderr, "ttg-verify: %s: %s\n", task->event_path, strerror(errno));
		return false;
	}
	if (task->event_len <= EVENT_MAX)
		return true;
	fprintf(stderr, "ttg-verify: %s: more than %u bytes: no event is so long\n",
		task->event_path, EVENT_MAX);
	return false;
}

static int verify(const struct task *task, const char *path)
{
	char text[RECEIPT_TEXT_MAX + 1]; /* one more than a receipt has: what is longer is none */
	struct report report = { .word = "not_read" };
	struct message message = { "" };
	struct receipt receipt;
	size_t len = 0, line = 0;
	int status = EXIT_NOT_READ;

	if (!read_file(path, text, sizeof(text), &len)) {
		message_set(&message, TTG_EIO, "cannot be read: %s", strerror(errno));
		report.text = message.text;
	} else if (!receipt_read(text, len, &receipt, &line)) {
		report = (struct report){ .word = "no_receipt", .text = "not a receipt", .line = line };
		status = EXIT_NOT_GOOD;
	} else {
		enum receipt_finding finding =
			receipt_check(&receipt, task->key, task->event, task->event_len);
		if (finding == RECEIPT_GOOD && task->publisher)
			finding = receipt_check_publisher(&receipt, task->publisher);
		report = report_finding(&receipt, finding);
		status = finding == RECEIPT_GOOD	? EXIT_FINE :
			 finding == RECEIPT_NOT_CHECKED ? EXIT_NOT_READ : EXIT_NOT_GOOD;
	}
	report.path = path;
	report.event_path = task->event_path;
	report.publisher_path = task->publisher_path;
	if (task->json)
		report_print_json(&report);
	else
		report_print(&report);
	return status;
}

/* Each in its turn: by a key that is trusted, of one that then is. */
static bool take_hand_over(const struct task *task, const char *path)
{
	char bytes[HAND_OVER_FILE_MAX + 1];
	size_t len = 0;
	struct seal it;
	const char *why = NULL;

	if (!read_file(path, bytes, sizeof(bytes), &len))
		why = strerror(errno);
	else if (!hand_over_from_file(bytes, len, &it))
		why = "is not a hand-over, or not signed by the key it is from";
	else if (!verify_key_has(task->key, it.from))
		why = "is from a key that is not trusted";
	else if (!verify_key_add(task->key, it.to))
		why = "one key too many";
	if (why)
		fprintf(stderr, "ttg-verify: %s: %s\n", path, why);
	return !why;
}

static bool read_keys(struct task *task)
{
	struct message message = { "" };

	if (verify_key_read(task->key_path, &task->key, &message) != TTG_OK ||
	    (task->publisher_path &&
	     verify_key_read(task->publisher_path, &task->publisher, &message) != TTG_OK)) {
		fprintf(stderr, "ttg-verify: %s\n", message.text);
		return false;
	}
	for (size_t i = 0; i < task->n_hand_overs; i++)
		if (!take_hand_over(task, task->hand_overs[i]))
			return false;
	return true;
}

/* The highest status of all. */
static int verify_all(struct task *task, char **paths, int n)
{
	int status = EXIT_FINE;

	if (read_keys(task) && read_event(task)) {
		for (int i = 0; i < n; i++) {
			const int one = verify(task, paths[i]);

			status = one > status ? one : status;
		}
	} else {
		status = EXIT_NOT_READ;
	}
	free(task->event);
	verify_key_free(&task->key);
	verify_key_free(&task->publisher);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, 'k' }, { "event", required_argument, NULL, 'e' },
		{ "hand-over", required_argument, NULL, 'o' },
		{ "publisher-key", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },	 { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },	 { NULL, 0, NULL, 0 },
	};
	struct task task = { .key_path = NULL };
	int option = 0;

	while ((option = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (option) {
		case 'k':
			task.key_path = optarg;
			break;
		case 'e':
			task.event_path = optarg;
			break;
		case 'o':
			if (task.n_hand_overs == VERIFY_KEYS_MAX) {
				usage(stderr);
				return EXIT_USAGE;
			}
			task.hand_overs[task.n_hand_overs++] = optarg;
			break;
		case 'p':
			task.publisher_path = optarg;
			break;
		case 'j':
			task.json = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_FINE;
		case 'V':
			puts("ttg-verify " TTG_VERSION);
			return EXIT_FINE;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (!task.key_path || optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	const int status = verify_all(&task, argv + optind, argc - optind);
	/* What nobody could read was not said. */
	return fflush(stdout) == 0 && !ferror(stdout) ? status : EXIT_NOT_READ;
}
