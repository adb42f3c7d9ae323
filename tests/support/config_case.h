/*
 * A small configuration that is right, for tests that make one thing of it wrong: agencies prison,
 * desk and other; mailboxes prison/in, desk/duty, desk/boss, other/in; one agreement, gate, by which
 * desk/duty gets prison.released from prison. Today is 21 November 2026.
 */
#ifndef TTG_TEST_CONFIG_CASE_H
#define TTG_TEST_CONFIG_CASE_H

#include "config/config.h"
#include "support/folder.h"

#define KEY_A "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define KEY_B "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define KEY_C "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

#define AGREEMENT_HEAD                                                                             \
	"agreement: { id = \"gate\"; title = \"Gate\"; purpose = \"p\"; gateway = \"g\";\n"         \
	"valid_from = \"2026-01-01\"; valid_to = \"2027-01-01\";\n"
#define PARTIES   "parties = [ \"prison\", \"desk\" ];\n"
#define PUBLISH   "publish = ( { agency = \"prison\"; types = [ \"prison.released\" ]; } );\n"
#define DELIVER(text) "deliver = ( { " text " } );\n"
#define AGREEMENT(text) AGREEMENT_HEAD PARTIES PUBLISH text "};\n"
#define TO_DUTY "mailbox = \"desk/duty\"; from = [ \"prison\" ]; types = [ \"prison.released\" ]; "

#define CONFIG_CASE_MAX 2048 /* longer than either */
extern const char config_good_agencies[];
extern const char config_good_agreements[];

/* What a test changes, and a line it must then be told. A line that ends in "..." may go on. */
struct mistake {
	const char *main, *agencies, *agreements; /* NULL: the good one */
	const char *line;
};

int64_t config_now_ns(void);

/* Writes ttgd.conf, agencies.d/all.conf and agreements.d/all.conf; NULL: the good one. */
void config_write(const struct folder *folder, const char *main, const char *agencies,
		  const char *agreements);

/* Loads what is in the folder; *errors is the caller's. */
struct config *config_try(const struct folder *folder, struct config_errors **errors);
/* Loads it and fails the test when that fails. */
struct config *config_must_load(const struct folder *folder);

/* True when that line was told, the folder's own path taken off. */
bool config_told(const struct folder *folder, const struct config_errors *errors, const char *text,
		 bool want_warning);

/* Writes the mistake and fails the test unless its line is told: as an error, and then nothing is
   loaded, or as a warning, and then it is. */
void must_tell(const struct folder *folder, const struct mistake *mistake, bool warning);
void must_tell_all(void **state, const struct mistake *mistakes, size_t n);
#define N_MISTAKES(mistakes) (sizeof(mistakes) / sizeof(*(mistakes)))

/* Some agreement in force grants the mailbox the type from this agency (RULES_NONE: the broker). */
bool config_may_deliver(const struct rules *rules, uint32_t type, uint32_t from, uint32_t mailbox,
			int64_t now_ns);

/* Fails the test unless loading what is there fails with that line. */
void must_not_load(const struct folder *folder, const char *line);

#endif
