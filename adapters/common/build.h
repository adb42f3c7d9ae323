/*
 * Building one event with a sticky error: set field after field, check once in build_finish().
 *
 * Everything hangs on malloc, as ttg__event__free_unpacked() expects. Texts from outside are
 * bounded and checked here, so that the broker is not the first to see that a field is too long.
 * The bytes of the finished event depend on the arguments alone, never on the clock: a document
 * that is read twice gives the same ids and the same bytes.
 */
#ifndef ADAPTERS_COMMON_BUILD_H
#define ADAPTERS_COMMON_BUILD_H

#include "common/intake.h"
#include "base/identifier.h"

#define BUILD_TEXT_MAX 4096 /* bytes of any string field (proto/envelope.proto) */
#define BUILD_CODE_MAX 32   /* bytes of a *_code field */
#define BUILD_NAME_MAX 256

struct build {
	Ttg__Event *event;
	int type;
	int year_now;           /* decides two-digit years of police numbers */
	enum ttg_error error;   /* the first that happened */
	struct message message; /* and what it was about */
};

/* Starts an event of `type` ("prison.released") and returns its payload, or NULL (see error). */
void *build_begin(struct build *build, const char *type, const char *source, int64_t now_ns);
void build_abandon(struct build *build);

/* Notes the first error; later ones change nothing. */
__attribute__((format(printf, 3, 4))) void build_fail(struct build *build, enum ttg_error error,
                                                      const char *format, ...);

/* NULL and "" leave the field empty. `what` names the field in the error. */
void build_text(struct build *build, char **field, const char *what, const char *text, size_t max);
void build_code(struct build *build, char **field, const char *what, const char *text);
void build_date(struct build *build, char **field, const char *what, const char *text);
void build_clock(struct build *build, char **field, const char *what, const char *text);
void build_time(struct build *build, Ttg__Time **field, const char *what, const char *text);
void build_time_ns(struct build *build, Ttg__Time **field, int64_t unix_ns, const char *original);
void build_bytes(struct build *build, ProtobufCBinaryData *field, const uint8_t *data, size_t len);

/* A nested message, made when *field is NULL. */
void *build_message(struct build *build, void *field, const ProtobufCMessageDescriptor *type);
/* One more entry of a repeated message or string field. Bounded to 256 entries. */
void *build_add_message(struct build *build, size_t *n, void *list,
                        const ProtobufCMessageDescriptor *type);
void build_add_text(struct build *build, size_t *n, char ***list, const char *what,
                    const char *text, size_t max);

/* Checked and flagged, never blanked. NULL and "" add nothing. */
void build_identifier(struct build *build, Ttg__Identifier **field, enum identifier_kind kind,
                      const char *value);
void build_person(struct build *build, enum identifier_kind kind, const char *value);
/* True when the person has a number that may be matched. */
bool build_has_match_key(const struct build *build);

/*
 * The id is derived from `meaning` (a list of `n` texts, NULL read as "") and from id_ns; the rest
 * of the envelope must be set. Adds the packed event to the intake; TTG_ELIMIT when the broker would
 * refuse it for a bound. In any case the event is gone afterwards. Returns the sticky error; its
 * text is in build->message.
 */
enum ttg_error build_finish(struct build *build, struct intake *intake, int64_t id_ns,
                            const char *const *meaning, size_t n);

/* The id build_finish() would derive. */
enum ttg_error build_id(uint8_t out[TTG_UUID_BYTES], int64_t id_ns, const char *const *meaning,
                        size_t n);

#endif
