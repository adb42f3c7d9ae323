/*
 * Lines of the log of disclosures that are about no delivery: what was refused, who asked, what was
 * decided, delivered again, erased and kept no longer, what is missing. Beside control_disclosures.c,
 * which reads the records.
 */
#ifndef TTGD_NET_ASIDES_H
#define TTGD_NET_ASIDES_H

#include "net/control_request.h"

/* What the log is asked for. */
struct asked {
	struct control_request *request;
	char agency[RULES_ID_MAX + 1]; /* "": any */
	bool of_person;
	struct core_person person;
	int64_t since_ns, until_ns;
	bool reasons;                  /* those that operators gave are told */
};

/* What every line begins with; NULL: it is not of the time that was asked for. */
json_t *asides_line(const struct asked *it, const char *what, int64_t at_ns);
/* The agency gave it or got it. */
bool asides_concern(const struct asked *it, const char *source, const char *mailbox);

/* A record of this kind, told if it was asked for. False: it cannot be read. */
bool asides_consulted(const struct asked *it, const uint8_t *data, size_t len);
bool asides_decided(const struct asked *it, const uint8_t *data, size_t len);
bool asides_erased(const struct asked *it, const uint8_t *data, size_t len);
bool asides_lapsed(const struct asked *it, const uint8_t *data, size_t len);
/* Of a redelivery: it begins or ends. */
bool asides_redeliver(const struct asked *it, const uint8_t *data, size_t len);
bool asides_refused(const struct asked *it, const uint8_t *data, size_t len);
/* Whatever is asked for: it may have been in there. */
void asides_missing(const struct asked *it, uint64_t first, uint64_t last);

#endif
