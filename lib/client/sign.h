/*
 * Signing what is published: one signature over each Publish, with the agency's own key (base/claim.h). The
 * key is read once and wiped when it is closed.
 */
#ifndef TTG_CLIENT_SIGN_H
#define TTG_CLIENT_SIGN_H

#include <ttg/proto/session.pb-c.h>
#include "base/message.h"
#include "base/signature.h"

#define SIGN_FRAME_BYTES (SIGNATURE_BYTES + SIGNATURE_FINGERPRINT + 4) /* that a frame is longer by */

struct signing;

/* Errors of sign_key_read(). */
enum ttg_error sign_open(struct signing **out, const char *path, struct message *message);
void sign_close(struct signing **signing);

/* Signs the events of the frame as this agency's. What it sets points into `signing`, until the next call.
   TTG_ENOMEM, TTG_ECRYPTO. */
enum ttg_error sign_publish(struct signing *signing, const char *agency, Ttg__Publish *publish);

#endif
