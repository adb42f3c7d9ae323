/*
 * Stages: directory, keys, configuration and the broker's life. See stage.h for the cast.
 *
 * Owner: the test's only thread. Whatever cannot be done fails the test; stage_tear_down() kills
 * what still runs whether the test passed or not.
 */
#include "support/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "support/http.h"
#include "support/peer.h"
#include "support/wait.h"

#define PORT_FIRST 10000 /* below the ports the kernel gives out by itself */
#define PORT_LAST 32000
#define PORT_TRIES 2000
#define REMOVE_DESCRIPTORS 16

static const char *const agencies[] = { "prison", "police", "probation", "one-service", "housing" };
#define N_AGENCIES (sizeof(agencies) / sizeof(agencies[0]))

static const struct {
	const char *agency, *box;
} mailboxes[] = {
	{ "probation", "inbox" },
	{ "one-service", "duty" },
	{ "one-service", "desk" },
	{ "housing", "referrals" },
};

int must_find_port(void)
{
	static int next;

	for (int i = 0; i < PORT_TRIES; i++) {
		if (next == 0)
			next = PORT_FIRST + (int)getpid() * 16 % (PORT_LAST - PORT_FIRST);
		int port = next;
		next = next + 1 > PORT_LAST ? PORT_FIRST : next + 1;
		struct sockaddr_in address = { .sin_family = AF_INET,
					       .sin_port = htons((uint16_t)port),
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bool free_port = fd >= 0 &&
				 bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		if (fd >= 0)
			close(fd);
		if (free_port)
			return port;
	}
	must_fail("no free port");
}

void stage_path(const struct stage *stage, char *out, size_t room, const char *format, ...)
{
	va_list arguments;
	int used = snprintf(out, room, "%s/", stage->directory);

	va_start(arguments, format);
	int more = vsnprintf(out + used, room - (size_t)used, format, arguments);
	va_end(arguments);
	must_be(more >= 0 && (size_t)(used + more) < room, "path too long");
}

static void make_folders(const char *path)
{
	char folder[PROCESS_PATH_MAX];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
		must_be(mkdir(folder, 0700) == 0 || errno == EEXIST, "cannot make a folder");
	}
}

void must_write(const struct stage *stage, const char *name, const char *format, ...)
{
	char path[PROCESS_PATH_MAX], other[PROCESS_PATH_MAX + 8];
	va_list arguments;

	STAGE_PATH(stage, path, "%s", name);
	make_folders(path);
	/* Beside it under a name no spool looks at, so that nobody sees half a file. */
	snprintf(other, sizeof(other), "%s/.writing", stage->directory);
	FILE *file = fopen(other, "we");
	must_be(file != NULL, "cannot write a file");
	va_start(arguments, format);
	int written = vfprintf(file, format, arguments);
	va_end(arguments);
	must_be(written >= 0 && fclose(file) == 0, "cannot write a file");
	must_be(rename(other, path) == 0, "cannot put a file into its place");
}

void must_make_key(struct stage *stage, const char *name)
{
	char secret[PROCESS_PATH_MAX];

	STAGE_PATH(stage, secret, "keys/%s", name);
	make_folders(secret);
	struct ran ran = must_run(stage, "ttgctl", "keygen", secret, NULL);
	if (ran.code != 0)
		must_fail("ttgctl keygen: %d %s", ran.code, ran.err);
	ran_free(&ran);
}

void must_write_agency(const struct stage *stage, const char *agency, const char *keys,
		       const char *options)
{
	char name[128], boxes[1024] = "";

	for (size_t i = 0; i < sizeof(mailboxes) / sizeof(mailboxes[0]); i++)
		if (strcmp(mailboxes[i].agency, agency) == 0)
			snprintf(boxes + strlen(boxes), sizeof(boxes) - strlen(boxes),
				 "%s{ box = \"%s\"; %s }", boxes[0] ? ", " : "",
				 mailboxes[i].box, stage->box_options);
	snprintf(name, sizeof(name), "agencies.d/%s.conf", agency);
	must_write(stage, name,
		   "agency: {\n\tid = \"%s\";\n\tname = \"The %s\";\n%s"
		   "\tkeys = (\n\t\t{ label = \"first\"; public_file = \"keys/%s.pub\"; %s );\n"
		   "\tmailboxes = ( %s );\n};\n",
		   agency, agency, options ? options : "", agency, keys ? keys : "}", boxes);
}

void must_write_agreement(const struct stage *stage)
{
	must_write(stage, "agreements.d/sample.conf",
		   "agreement: {\n\tid = \"sample\";\n\ttitle = \"What the tests play with\";\n"
		   "\tvalid_from = \"%s\";\n\tvalid_to = \"%s\";\n"
		   "\tpurpose = \"tests\";\n\tgateway = \"consent\";\n\trecipient = \"other\";\n"
		   "\tparties = [ \"prison\", \"police\", \"probation\", \"one-service\", "
		   "\"housing\" ];\n%s"
		   "\tpublish = (\n"
		   "\t\t{ agency = \"prison\"; types = [ \"prison.released\", "
		   "\"prison.reception\" ]; },\n"
		   "\t\t{ agency = \"police\"; types = [ \"police.arrest\" ]; },\n"
		   "\t\t{ agency = \"probation\"; types = [ \"probation.contact\" ]; },\n"
		   "\t\t{ agency = \"one-service\"; types = [ \"referral.sent\" ]; }\n\t);\n"
		   "\tdeliver = (\n"
		   "\t\t{ mailbox = \"one-service/duty\"; from = [ \"prison\" ];\n"
		   "\t\t  types = [ \"prison.released\", \"prison.reception\" ]; %s },\n"
		   "\t\t{ mailbox = \"one-service/duty\"; from = [ \"police\" ];\n"
		   "\t\t  types = [ \"police.arrest\" ]; %s },\n"
		   "\t\t{ mailbox = \"probation/inbox\"; from = [ \"prison\" ];\n"
		   "\t\t  types = [ \"prison.released\", \"prison.reception\" ]; },\n"
		   "\t\t{ mailbox = \"one-service/desk\"; from = [ \"probation\" ];\n"
		   "\t\t  types = [ \"probation.contact\" ]; },\n"
		   "\t\t{ mailbox = \"housing/referrals\"; from = [ \"one-service\" ];\n"
		   "\t\t  types = [ \"referral.sent\" ]; addressed_by = \"provider_agency\"; }%s%s\n"
		   "\t);\n};\n",
		   stage->valid_from ? stage->valid_from : "2020-01-01",
		   stage->valid_to ? stage->valid_to : "2099-01-01",
		   stage->agreement_options ? stage->agreement_options : "",
		   stage->duty_options ? stage->duty_options : "",
		   stage->duty_options ? stage->duty_options : "",
		   stage->more_grants ? ",\n\t\t" : "", stage->more_grants ? stage->more_grants : "");
}

void must_write_configuration(struct stage *stage)
{
	must_write(stage, "ttgd.conf",
		   "listen: {\n\tendpoint = \"%s\";\n\tkey_file = \"keys/broker.key\";\n"
		   "\thttp_port = %d;\n\tcontrol_socket = \"control\";\n%s};\n"
		   "limits: {\n\theartbeat_ms = 1000;\n%s};\n"
		   "journal: {\n\tdirectory = \"journal\";\n\tkey_file = \"keys/journal.key\";\n"
		   "\tsegment_bytes = %u;\n\treserve_bytes = 0;\n%s};\n"
		   "archive: {\n%s};\nkeys: {\n%s};\nseals: {\n%s};\n"
		   "log: { level = \"debug\"; };\n",
		   stage->endpoint, stage->http_port, stage->listen, stage->limits,
		   stage->segment_bytes, stage->journal, stage->archive, stage->keys, stage->seals);
}

int stage_set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const char *bin = getenv("TTG_BIN");
	const char *temporary = getenv("TMPDIR");

	if (!stage || !bin) {
		fprintf(stderr, "TTG_BIN does not say where the programs are\n");
		free(stage);
		return -1;
	}
	*state = stage;
	snprintf(stage->bin, sizeof(stage->bin), "%s", bin);
	snprintf(stage->directory, sizeof(stage->directory), "%s/ttg-test-XXXXXX",
		 temporary ? temporary : "/tmp");
	if (!mkdtemp(stage->directory))
		return -1;
	snprintf(stage->box_options, sizeof(stage->box_options),
		 "retry_ms = 20; retry_max_ms = 100; max_attempts = 3;");
	stage->segment_bytes = 1048576;
	signal(SIGPIPE, SIG_IGN);
	snprintf(stage->endpoint, sizeof(stage->endpoint), "tcp://127.0.0.1:%d", must_find_port());
	stage->http_port = must_find_port();
	char path[PROCESS_PATH_MAX];
	STAGE_PATH(stage, path, "keys/broker.key");
	make_folders(path);
	struct ran ran = must_run(stage, "ttgctl", "keygen", "--server", "keys/broker", NULL);
	must_be(ran.code == 0, "ttgctl keygen --server");
	ran_free(&ran);
	ran = must_run(stage, "ttgctl", "keygen", "--journal", "keys/journal", NULL);
	must_be(ran.code == 0, "ttgctl keygen --journal");
	ran_free(&ran);
	ran = must_run(stage, "ttgctl", "keygen", "--master", "keys/master", NULL);
	must_be(ran.code == 0, "ttgctl keygen --master");
	ran_free(&ran);
	strcpy(stage->keys, "\tdirectory = \"keystore\";\n\tmaster_file = \"keys/master.key\";\n");
	for (size_t i = 0; i < N_AGENCIES; i++)
		must_make_key(stage, agencies[i]);
	for (size_t i = 0; i < N_AGENCIES; i++)
		must_write_agency(stage, agencies[i], NULL, NULL);
	must_write_agreement(stage);
	return 0;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *place)
{
	(void)about;
	(void)kind;
	(void)place;
	return remove(path);
}

/* Calls each() for every *.err of the directory. */
static int for_each_log(const struct stage *stage,
			int (*each)(const struct stage *stage, const char *name))
{
	struct dirent **names = NULL;
	int n = scandir(stage->directory, &names, NULL, alphasort);
	int sum = 0;

	for (int i = 0; i < n; i++) {
		size_t len = strlen(names[i]->d_name);

		if (len > 4 && strcmp(names[i]->d_name + len - 4, ".err") == 0)
			sum += each(stage, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return sum;
}

static int print_log(const struct stage *stage, const char *name)
{
	char path[PROCESS_PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s/%s", stage->directory, name);
	print_tail(name, path);
	return 1;
}

static int find_alarm(const struct stage *stage, const char *name)
{
	static const char *const alarms[] = { "ERROR: AddressSanitizer", "runtime error:",
					      "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
					      "Assertion `" };
	int found = 0;

	for (size_t i = 0; i < sizeof(alarms) / sizeof(alarms[0]); i++)
		found += count_in(stage, name, alarms[i]) > 0;
	if (found)
		fprintf(stderr, "%s: a sanitizer or an assertion spoke\n", name);
	return found;
}

void must_have_passed(struct stage *stage)
{
	must_be(stage->broker.pid == 0 || process_running(&stage->broker), "the broker died");
	if (process_running(&stage->broker))
		must_stop_broker(stage); /* so that leaks are looked for */
	must_be(for_each_log(stage, find_alarm) == 0, "see the logs");
	stage->done = true;
}

int stage_tear_down(void **state)
{
	struct stage *stage = *state;

	for (int i = 0; i < STAGE_PEERS; i++)
		if (stage->peers[i])
			peer_close(stage, &stage->peers[i]);
	for (int i = 0; i < STAGE_PROCESSES; i++)
		process_kill(&stage->others[i]);
	process_kill(&stage->broker);
	if (!stage->done) {
		for_each_log(stage, print_log);
		fprintf(stderr, "--- kept for you: %s\n", stage->directory);
	} else {
		nftw(stage->directory, remove_entry, REMOVE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
	}
	free(stage);
	return 0;
}

void must_flip(const struct stage *stage, const char *name, off_t offset)
{
	char path[PROCESS_PATH_MAX];
	unsigned char byte = 0;

	STAGE_PATH(stage, path, "%s", name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	must_be(fd >= 0 && pread(fd, &byte, 1, offset) == 1, name);
	byte ^= 0x10;
	must_be(pwrite(fd, &byte, 1, offset) == 1 && close(fd) == 0, name);
}

void must_launch_broker(struct stage *stage)
{
	char program[PROCESS_PATH_MAX];
	const struct process_options options = { .name = "ttgd",
						 .directory = stage->directory,
						 .environment = stage->environment };

	snprintf(program, sizeof(program), "%s/ttgd", stage->bin);
	must_start(&stage->broker, &options,
		   (const char *const[]){ program, "--config", "ttgd.conf", NULL });
}

void must_wait_until_ready(struct stage *stage)
{
	int64_t deadline_ms = wait_now_ms() + WAIT_LONG_MS;

	for (;;) {
		struct http_answer answer = http_ask(stage->http_port, "GET", "/ready", NULL, NULL, 0);

		free(answer.body);
		if (answer.status == 200)
			return;
		if (!process_running(&stage->broker))
			must_fail("ttgd ended with status %d while starting",
				  stage->broker.status);
		if (!wait_step(deadline_ms))
			must_fail("ttgd does not become ready");
	}
}

void must_start_broker(struct stage *stage)
{
	must_write_configuration(stage);
	must_launch_broker(stage);
	must_wait_until_ready(stage);
}

int must_stop_broker(struct stage *stage)
{
	must_signal(&stage->broker, SIGTERM);
	return must_end(&stage->broker, WAIT_LONG_MS);
}
