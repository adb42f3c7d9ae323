/* ttgctl journal verify --seals: the journal as a whole, and every seal in it against what it covers. */
#include "ctl/ctl.h"

#include <inttypes.h>

#include "base/instant.h"
#include "base/keyfile.h"
#include "base/world.h"
#include "proof/proof.h"

static void print(struct ctl *ctl, const struct proof_result *result)
{
	const struct check_result *seals = &result->seals;
	char at[INSTANT_TEXT] = "-";

	if (seals->number > 0)
		instant_format(seals->sealed_ns, at);
	fprintf(ctl->out,
		ctl->json ? "{\"kind\":\"%s\",\"records\":%" PRIu64 ",\"last_sequence\":%" PRIu64
			    ",\"seals\":%" PRIu64 ",\"last_seal\":%" PRIu64 ",\"sealed_sequence\":%" PRIu64
			    ",\"sealed_at\":\"%s\",\"unsealed_events\":%" PRIu64
			    ",\"missing_records\":%" PRIu64 "}\n"
			  : "kind             %s\nrecords          %" PRIu64 "\nlast sequence    %" PRIu64
			    "\nseals that hold  %" PRIu64 "\nlast seal        %" PRIu64
			    "\nsealed up to     %" PRIu64 "\nsealed at        %s"
			    "\nunsealed events  %" PRIu64 "\nmissing records  %" PRIu64 "\n",
		result->archive ? "archive" : "journal", result->journal.records, result->last_sequence,
		seals->seals, seals->number, seals->sealed, at, seals->unsealed_events, result->missing);
}

enum ctl_exit ctl_verify_seals(struct ctl *ctl, const char *directory, const char *key_file,
			       const char *public_file, const char *state)
{
	struct proof_how how = { .directory = directory, .world = world_real() };
	struct message message = { "" };
	uint8_t key[KEYFILE_SYMMETRIC];
	struct verify_key *public = NULL;
	struct proof_result result;
	struct check *check;
	enum ctl_exit status = CTL_NO;
	enum ttg_error error;

	if (verify_key_read(public_file, &public, &message) != TTG_OK)
		return ctl_say(ctl, CTL_NO, "%s", message.text);
	check = check_new(public);
	if (check == NULL)
		return ctl_say(ctl, CTL_NO, "no memory");
	how.key = key;
	error = keyfile_read_symmetric(key_file, key, &message);
	if (error == TTG_OK)
		error = proof_run(&how, check, &result, &message);
	wipe(key, sizeof(key));
	if (error != TTG_OK)
		status = ctl_say(ctl, error == TTG_EPERM ? CTL_REFUSED : CTL_NO, "%s",
				 message.text[0] != '\0' ? message.text : ttg_error_text(error));
	else if (state != NULL && result.archive)
		ctl_say(ctl, CTL_NO, "%s: an archive ends before the journal: --signer-state is for that",
			directory);
	else if (state != NULL && !check_signer(check, state))
		ctl_say(ctl, CTL_NO, "%s", check_message(check));
	else
		status = CTL_FINE;
	if (status == CTL_FINE) {
		check_get_result(check, &result.seals);
		print(ctl, &result);
	}
	check_free(&check);
	return status;
}
