/*
 * Configurations of partners: the samples are right, each for an agency of the samples; what is wrong
 * is told.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "support/stage.h"

#define SAMPLES  TTG_SOURCE_DIR "/etc"
#define PARTNERS 7
#define FILE_MAX 16384

static char *must_read_sample(const char *name)
{
	char path[PROCESS_PATH_MAX];
	char *text = calloc(1, FILE_MAX);
	FILE *file;

	snprintf(path, sizeof(path), SAMPLES "/%s", name);
	file = fopen(path, "re");
	must_be(file != NULL && text != NULL, path);
	must_be(fread(text, 1, FILE_MAX - 1, file) > 0, path);
	fclose(file);
	return text;
}

/* The sample with /etc/ttgd and /var/lib taken for the stage's own folder. */
static void must_write_moved(const struct stage *stage, const char *text)
{
	char *moved = calloc(2, FILE_MAX);
	size_t len = 0;

	must_be(moved != NULL, "no memory");
	for (const char *at = text; *at != '\0';) {
		const char *root = strncmp(at, "/etc/ttgd/", 10) == 0  ? "/etc/ttgd/"
		                   : strncmp(at, "/var/lib/", 9) == 0 ? "/var/lib/"
		                                                      : NULL;

		if (root == NULL) {
			moved[len++] = *at++;
			continue;
		}
		len += (size_t)snprintf(moved + len, 2 * FILE_MAX - len, "%s/", stage->directory);
		at += strlen(root);
	}
	must_write(stage, "partner.conf", "%s", moved);
	free(moved);
}

static void must_write_secret(const struct stage *stage, const char *agency, const char *end)
{
	char name[128];
	char path[PROCESS_PATH_MAX];

	snprintf(name, sizeof(name), "keys/%s.%s", agency, end);
	must_write(stage, name, "0123456789abcdef0123456789abcdef\n");
	STAGE_PATH(stage, path, "%s", name);
	must_be(chmod(path, 0600) == 0, "no mode");
}

static void must_be_right(struct stage *stage, const char *name)
{
	char agency[64];
	char sample[128];
	char said[128];
	char path[PROCESS_PATH_MAX];
	char *text;
	struct ran ran;

	snprintf(agency, sizeof(agency), "%.*s", (int)(strlen(name) - strlen(".conf")), name);
	snprintf(sample, sizeof(sample), "agencies.d/%s", name);
	free(must_read_sample(sample)); /* there is such an agency */
	snprintf(sample, sizeof(sample), "adapters/partners/%s", name);
	text = must_read_sample(sample);
	snprintf(said, sizeof(said), "\nagency = \"%s\";\n", agency);
	must_be(strstr(text, said) != NULL, sample);
	must_make_key(stage, agency);
	must_write_secret(stage, agency, "push");
	must_write_secret(stage, agency, "token");
	must_write_moved(stage, text);
	STAGE_PATH(stage, path, "partner.conf");
	ran = must_run(stage, "ttg-partner", "--config", path, "-t", NULL);
	if (ran.code != 0)
		must_fail("%s: %s", name, ran.err);
	ran_free(&ran);
	free(text);
}

static void every_sample_of_a_partner_is_right(void **state)
{
	struct stage *stage = *state;
	DIR *folder = opendir(SAMPLES "/adapters/partners");
	const struct dirent *entry;
	int n = 0;

	must_be(folder != NULL, "no samples");
	while ((entry = readdir(folder)) != NULL) {
		if (strstr(entry->d_name, ".conf") == NULL)
			continue;
		must_be_right(stage, entry->d_name);
		n++;
	}
	closedir(folder);
	assert_int_equal(n, PARTNERS);
	must_have_passed(stage);
}

static void what_is_wrong_with_the_configuration_is_told(void **state)
{
	struct stage *stage = *state;
	static const struct {
		const char *options;
		const char *told;
	} wrong[] = {
		{ "push = { url = \"http://example.org/\"; secret_file = \"/x\"; };", "push.url" },
		{ "push = { url = \"https://example.org/\"; };", "push.secret_file" },
		{ "push = { url = \"https://example.org/\"; secret_file = \"/nowhere\"; };",
		  "/nowhere" },
		{ "summary = { dir = \"/tmp\"; from = \"a@b\"; to = \"nobody\"; };", "summary.to" },
		{ "summary = { dir = \"/tmp\"; at = \"25:00\"; from = \"a@b\"; to = \"c@d\"; };",
		  "summary.at" },
		{ "web = { port = 8461; users_file = \"/x\"; };", "spool.dir" },
		{ "web = { port = 8461; };", "users_file" },
		{ "web = { port = 8461; listen = \"0.0.0.0\"; users_file = \"/x\"; };", "TLS" },
		{ "store = { path = \"/a\"; postgres = \"dbname=a\"; };", "store" },
	};
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "wrong.conf");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		must_write(stage, "wrong.conf",
		           "agency = \"a\"; broker = \"tcp://127.0.0.1:1\"; server_key_file = \"/k\";"
		           " key_file = \"/k\"; state_dir = \"/nowhere\"; %s",
		           wrong[i].options);
		struct ran ran = must_run(stage, "ttg-partner", "--config", path, "-t", NULL);

		if (ran.code != 2 || strstr(ran.err, wrong[i].told) == NULL)
			must_fail("%s: %d %s", wrong[i].options, ran.code, ran.err);
		ran_free(&ran);
	}
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(every_sample_of_a_partner_is_right),
		STAGE_TEST(what_is_wrong_with_the_configuration_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
