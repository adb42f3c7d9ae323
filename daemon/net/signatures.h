/*
 * Signatures of publishers: one over a whole Publish (base/claim.h), verified before any of its events is
 * decided. An agency may be configured to have to sign; one that has no key for it may not, because what
 * nobody looks at would pass for proof.
 *
 * Owner: the loop.
 */
#ifndef TTGD_NET_SIGNATURES_H
#define TTGD_NET_SIGNATURES_H

#include <ttg/proto/session.pb-c.h>
#include "core/signed.h"
#include "net/net.h"

struct signature_check {
	enum ttg_error code;       /* not TTG_OK: every event of the frame is refused with it */
	const char *text;          /* why */
	bool is_signed;            /* and the signature is good: `frame` is for core_publish_signed() */
	struct signed_frame frame; /* points into rules, the Publish and `digests` */
	uint8_t *digests;
};

void signature_check(const struct rules_agency *agency, const Ttg__Publish *publish,
		     const struct core_now *now, struct signature_check *out);
void signature_check_fini(struct signature_check *check);

#endif
