/* The keys that an agency signs with: read from files, told when they are wrong, and part of the rules. */
#include <string.h>

#include "base/signature.h"
#include "core/rules_text.h"
#include "support/config_case.h"
#include "support/receipts.h"

#define CONFIG_TEST(name) cmocka_unit_test_setup_teardown(name, folder_set_up, folder_tear_down)
#define AGENCY(text)                                                                               \
	"agency: { id = \"prison\"; name = \"P\";\n" text "};\n"                                     \
	"agencies: ( { id = \"desk\"; name = \"D\"; mailboxes = ( { box = \"duty\"; } ); } );\n"
#define SIGNING(text) AGENCY("signing_keys = ( " text " );\n")
#define KEY(label, file, more) "{ label = \"" label "\"; public_file = \"" file "\"; " more "}"

static void write_key(const struct folder *folder, char letter, const char *name)
{
	struct sign_key *key = receipts_key(letter);
	char text[SIGNATURE_PEM_MAX];

	assert_true(sign_key_public(key, text));
	folder_write(folder, name, text);
	sign_key_free(&key);
}

static const struct rules_agency *prison_of(const struct config *config)
{
	return &config->rules->agencies[rules_find_agency(config->rules, "prison")];
}

static void keys_and_their_days_are_read(void **state)
{
	const struct folder *folder = *state;
	struct sign_key *key = receipts_key('a');
	uint8_t public[SIGNATURE_PUBLIC], fingerprint[SIGNATURE_FINGERPRINT];

	write_key(folder, 'a', "a.pub");
	write_key(folder, 'b', "b.pub");
	config_write(folder, NULL,
		     SIGNING(KEY("2026-a", "a.pub", "to = \"2026-12-01\"; ")
			     ", " KEY("2027-a", "b.pub", "from = \"2026-11-25\"; revoked = true; ")),
		     NULL);
	struct config *config = config_must_load(folder);
	const struct rules_agency *agency = prison_of(config);
	assert_int_equal(agency->n_signing_keys, 2);
	assert_false(agency->must_sign);
	sign_key_raw(key, public);
	assert_true(signature_fingerprint(public, fingerprint));
	const struct rules_signing_key *found = rules_find_signing_key(agency, fingerprint);
	assert_non_null(found);
	assert_string_equal(found->label, "2026-a");
	assert_memory_equal(found->public, public, sizeof(public));
	assert_true(rules_signing_key_valid(found, config_now_ns()));
	assert_false(rules_signing_key_valid(found, found->to_ns));
	fingerprint[0] ^= 1;
	assert_null(rules_find_signing_key(agency, fingerprint));
	sign_key_free(&key);
	config_free(&config);
}

static void mistakes_are_told_with_their_line(void **state)
{
	static const struct mistake mistakes[] = {
		{ NULL, AGENCY("must_sign = true;\n"), NULL,
		  "agencies.d/all.conf:1: agency.must_sign is true without signing_keys, must have one "
		  "at least" },
		{ NULL, SIGNING(KEY("a", "a.pub", "") ",\n" KEY("a", "b.pub", "")), NULL,
		  "agencies.d/all.conf:3: signing_keys.label a stands twice in prison, must be told "
		  "apart" },
		{ NULL, SIGNING(KEY("a", "a.pub", "") ",\n" KEY("b", "a.pub", "")), NULL,
		  "agencies.d/all.conf:3: signing key b is the same as a, must be another" },
		{ NULL, SIGNING(KEY("a", "a.pub", "from = \"2026-02-01\"; to = \"2026-02-01\"; ")), NULL,
		  "agencies.d/all.conf:2: signing key a: from is not before to, must be: to is the first "
		  "day it is not good" },
		{ NULL, SIGNING(KEY("a", "none.pub", "")), NULL,
		  "agencies.d/all.conf:2: signing key a: ..." },
		{ NULL, SIGNING(KEY("a", "text.pub", "")), NULL,
		  "agencies.d/all.conf:2: signing key a: ..." },
		{ NULL, SIGNING("{ label = \"a\"; }"), NULL,
		  "agencies.d/all.conf:2: signing_keys.public_file is missing, must be a path of 1 to 4095 "
		  "bytes" },
	};
	const struct folder *folder = *state;

	write_key(folder, 'a', "a.pub");
	write_key(folder, 'b', "b.pub");
	folder_write(folder, "text.pub", "no key at all\n");
	must_tell_all(state, mistakes, N_MISTAKES(mistakes));
}

static void who_must_sign_and_soon_cannot_is_warned(void **state)
{
	static const struct mistake warnings[] = {
		{ NULL, AGENCY("must_sign = true; signing_keys = ( " KEY("a", "a.pub", "revoked = true; ")
			       " );\n"),
		  NULL,
		  "agencies.d/all.conf:1: agency prison must sign and has no valid signing key, it cannot "
		  "publish" },
		{ NULL,
		  AGENCY("must_sign = true; signing_keys = ( " KEY("a", "a.pub", "to = \"2026-12-01\"; ")
			 " );\n"),
		  NULL,
		  "agencies.d/all.conf:1: agency prison must sign and has no signing key in 30 days, add "
		  "its next one" },
	};
	const struct folder *folder = *state;

	write_key(folder, 'a', "a.pub");
	for (size_t i = 0; i < N_MISTAKES(warnings); i++)
		must_tell(folder, &warnings[i], true);
}

static bool add_line(void *arg, const char *line, size_t len)
{
	char *text = arg;
	const size_t at = strlen(text);

	assert_true(at + len + 2 < 8192);
	memcpy(text + at, line, len);
	strcpy(text + at + len, "\n");
	return true;
}

static void they_are_part_of_the_rules_as_text(void **state)
{
	const struct folder *folder = *state;
	char text[8192] = "";

	write_key(folder, 'a', "a.pub");
	config_write(folder, NULL,
		     AGENCY("must_sign = true; signing_keys = ( " KEY("2026-a", "a.pub", "") " );\n"),
		     NULL);
	struct config *config = config_must_load(folder);
	assert_true(rules_text(config->rules, add_line, text));
	assert_non_null(strstr(text, "\nsigning of=prison must=1\nsigning_key "));
	assert_non_null(strstr(text, " revoked=0 2026-a\n"));
	struct rules_reading *reading = rules_read(text, strlen(text));
	assert_non_null(reading);
	rules_reading_free(&reading);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(keys_and_their_days_are_read),
		CONFIG_TEST(mistakes_are_told_with_their_line),
		CONFIG_TEST(who_must_sign_and_soon_cannot_is_warned),
		CONFIG_TEST(they_are_part_of_the_rules_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
