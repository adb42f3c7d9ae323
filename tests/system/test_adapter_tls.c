/*
 * The real adapters with client certificates, and the real broker behind them: who may hand in a
 * document, and that it arrives at the recipient.
 */
#include "support/peer.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "support/certificate.h"
#include "support/wait.h"

#define ADAPTER 0 /* slot of the stage's other processes */
#define TOKEN   "a-token-of-enough-letters"

static const char reception[] =
	"{\"eventType\":\"prisoner-offender-search.prisoner.received\",\"version\":1,"
	"\"occurredAt\":\"2026-10-30T09:00:00Z\",\"additionalInformation\":"
	"{\"nomsNumber\":\"A7421BQ\",\"prisonId\":\"PBI\",\"reason\":\"NEW_ADMISSION\"}}";
static const char arrest[] =
	"<arrest xmlns=\"urn:throughgate:police:1\"><alertId>A1</alertId>"
	"<force>35</force><station><code>TW</code></station>"
	"<arrestedAt>2026-10-30T02:10:00Z</arrestedAt>"
	"<person><pncId>02/73319Z</pncId></person><match><basis>PNC_ID</basis></match>"
	"<query><reasonCode>9</reasonCode><justification>Identity</justification></query>"
	"</arrest>";

/* more: further options of http. */
static void write_configuration(const struct stage *stage, const char *agency, int port,
				const char *more)
{
	must_make_certificates(stage->directory);
	must_write(stage, "adapter.conf",
		   "agency = \"%s\";\nbroker = \"%s\";\n"
		   "server_key_file = \"%s/keys/broker.pub\";\nkey_file = \"%s/keys/%s.key\";\n"
		   "state_dir = \"%s/state\";\n"
		   "http = { port = %d; tls_cert_file = \"%s/server.pem\";\n"
		   "tls_key_file = \"%s/server.key\"; tls_client_ca_file = \"%s/ca.pem\"; %s };\n",
		   agency, stage->endpoint, stage->directory, stage->directory, agency,
		   stage->directory, port, stage->directory, stage->directory, stage->directory,
		   more);
}

static void start_adapter(struct stage *stage, const char *program)
{
	char path[PROCESS_PATH_MAX];

	STAGE_PATH(stage, path, "adapter.conf");
	must_start_other(stage, ADAPTER, "adapter", program, "--config", path, NULL);
	must_see(stage, "adapter.err", "event=started");
}

static int stop_adapter(struct stage *stage)
{
	must_signal(&stage->others[ADAPTER], SIGTERM);
	return must_end(&stage->others[ADAPTER], WAIT_LONG_MS);
}

static size_t ignore(char *data, size_t size, size_t n, void *user)
{
	(void)data;
	(void)user;
	return size * n;
}

/* Status of the answer, 0: none. certificate: its name, or NULL. */
static long post(const struct stage *stage, int port, const char *certificate, const char *token,
		 const char *type, const char *body)
{
	char url[64], ca[PROCESS_PATH_MAX], shown[PROCESS_PATH_MAX], key[PROCESS_PATH_MAX];
	char authorization[64], content_type[64];
	struct curl_slist *headers;
	CURL *curl = curl_easy_init();
	long status = 0;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/events", port);
	snprintf(content_type, sizeof(content_type), "Content-Type: %s", type);
	snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", token);
	headers = curl_slist_append(NULL, content_type);
	if (token[0] != '\0')
		headers = curl_slist_append(headers, authorization);
	STAGE_PATH(stage, ca, "ca.pem");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WAIT_LONG_MS);
	if (certificate != NULL) {
		STAGE_PATH(stage, shown, "%s.pem", certificate);
		STAGE_PATH(stage, key, "%s.key", certificate);
		curl_easy_setopt(curl, CURLOPT_SSLCERT, shown);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, key);
	}
	if (curl_easy_perform(curl) == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	return status;
}

/* None but the good certificate gets a document to the recipient. */
static void must_admit_only_good(struct stage *stage, const char *agency, const char *program,
				 const char *type, const char *body, const char *event)
{
	static const char *const others[] = { NULL, "foreign", "expired", "self" };
	const int port = must_find_port();
	struct peer *duty;

	must_start_broker(stage);
	write_configuration(stage, agency, port, "");
	duty = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, duty, "duty");
	start_adapter(stage, program);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(post(stage, port, others[i], "", type, body), 401);
	must_see(stage, "adapter.err", "event=http_refused status=401");
	assert_int_equal(post(stage, port, "client", "", type, body), 202);
	must_get(stage, duty, 1);
	assert_string_equal(duty->got[0].type, event);
	must_see(stage, "state/status.json", "\"accepted\": 1");
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void ttg_prison_takes_documents_from_certificates_of_its_authority_only(void **state)
{
	must_admit_only_good(*state, "prison", "ttg-prison", "application/json", reception,
			     "prison.reception");
}

static void ttg_police_takes_documents_from_certificates_of_its_authority_only(void **state)
{
	must_admit_only_good(*state, "police", "ttg-police", "application/xml", arrest,
			     "police.arrest");
}

static void with_token_and_authority_neither_alone_gets_a_document_in(void **state)
{
	struct stage *stage = *state;
	const int port = must_find_port();
	const char *type = "application/json";
	char more[PROCESS_PATH_MAX + 32], token[PROCESS_PATH_MAX];
	struct peer *duty;

	must_start_broker(stage);
	must_write(stage, "token", TOKEN "\n");
	STAGE_PATH(stage, token, "token");
	must_be(chmod(token, 0600) == 0, "cannot protect the token");
	snprintf(more, sizeof(more), "token_file = \"%s\";", token);
	write_configuration(stage, "prison", port, more);
	duty = must_open_peer(stage, "one-service", NULL);
	must_attach(stage, duty, "duty");
	start_adapter(stage, "ttg-prison");
	assert_int_equal(post(stage, port, "client", "", type, reception), 401);
	assert_int_equal(post(stage, port, NULL, TOKEN, type, reception), 401);
	assert_int_equal(post(stage, port, "foreign", TOKEN, type, reception), 401);
	assert_int_equal(post(stage, port, "client", TOKEN, type, reception), 202);
	must_get(stage, duty, 1);
	assert_int_equal(stop_adapter(stage), 0);
	must_have_passed(stage);
}

static void an_authority_without_tls_ends_the_start(void **state)
{
	struct stage *stage = *state;
	char path[PROCESS_PATH_MAX], token[PROCESS_PATH_MAX];
	struct ran ran;

	must_make_certificates(stage->directory);
	must_write(stage, "token", TOKEN "\n");
	STAGE_PATH(stage, token, "token");
	must_be(chmod(token, 0600) == 0, "cannot protect the token");
	must_write(stage, "adapter.conf",
		   "agency = \"prison\";\nbroker = \"tcp://127.0.0.1:1\";\n"
		   "server_key_file = \"%s/keys/broker.pub\";\nkey_file = \"%s/keys/prison.key\";\n"
		   "state_dir = \"%s/state\";\nhttp = { port = %d; token_file = \"%s\";\n"
		   "tls_client_ca_file = \"%s/ca.pem\"; };\n",
		   stage->directory, stage->directory, stage->directory, must_find_port(), token,
		   stage->directory);
	STAGE_PATH(stage, path, "adapter.conf");
	ran = must_run(stage, "ttg-prison", "--config", path, "--check", NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "http.tls_client_ca_file means nothing without"));
	ran_free(&ran);
	ran = must_run(stage, "ttg-prison", "--config", path, NULL);
	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.err, "http.tls_client_ca_file means nothing without"));
	ran_free(&ran);
	must_have_passed(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_TEST(ttg_prison_takes_documents_from_certificates_of_its_authority_only),
		STAGE_TEST(ttg_police_takes_documents_from_certificates_of_its_authority_only),
		STAGE_TEST(with_token_and_authority_neither_alone_gets_a_document_in),
		STAGE_TEST(an_authority_without_tls_ends_the_start),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
