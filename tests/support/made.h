/*
 * Encoded events for the system tests, small and valid unless asked otherwise.
 */
#ifndef TTG_TEST_MADE_H
#define TTG_TEST_MADE_H

#include <stddef.h>
#include <stdint.h>

/* What an event should be; what is 0 or NULL is chosen for you. */
struct made_wish {
	const char *type;      /* prison.released, police.arrest, probation.contact,
				  referral.sent, prison.reception */
	const char *source;    /* the type's usual publisher */
	const char *noms;      /* prison number of the person; "": about nobody; NULL: A1234BC */
	const char *provider;  /* referral.sent: "housing" */
	const char *area;      /* prison.released: a text of the payload */
	int64_t occurred_ns;   /* now */
	int64_t expires_ns;    /* never */
	uint32_t number;       /* stands in the last four bytes of the id */
	int urgency;           /* Ttg__Urgency */
	size_t padding_bytes;  /* makes the event larger than this */
};

struct made {
	uint8_t id[16];
	uint8_t *bytes; /* owned by whoever made it: made_free() */
	size_t len;
	uint32_t number;
};

struct made must_make(const struct made_wish *wish);
void made_free(struct made *made);

/* The number must_make() put into an id. */
uint32_t made_number(const uint8_t id[16]);

/* Clock of the machine, nanoseconds since 1970. */
int64_t made_now_ns(void);

#endif
