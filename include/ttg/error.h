/*
 * Every code a throughgate function, session or outcome can carry.
 *
 * Numbers are part of the protocol and never change their meaning: 1-99 are local, 100-199 refuse
 * one event, 200-299 concern a session or a mailbox, 300-399 say why a question about an event is not
 * answered. docs/protocol.md lists them for people who write clients in other languages.
 */
#ifndef TTG_ERROR_H
#define TTG_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ttg_error {
	TTG_OK = 0,

	/* Local. */
	TTG_ENOMEM = 1,    /* no memory */
	TTG_EINVAL = 2,    /* an argument breaks the function's contract */
	TTG_EIO = 3,       /* reading, writing or syncing failed; the medium is not to be trusted */
	TTG_ENOENT = 4,    /* no such thing */
	TTG_EEXIST = 5,    /* is there already */
	TTG_EAGAIN = 6,    /* a bounded queue is full, or nothing is there yet: try again later */
	TTG_ETIMEOUT = 7,  /* did not happen in time */
	TTG_ECORRUPT = 8,  /* stored bytes are damaged */
	TTG_EFORMAT = 9,   /* input does not have the form it should */
	TTG_ELIMIT = 10,   /* larger or more than a documented bound */
	TTG_EPERM = 11,    /* not permitted, or a secret's file is readable by others */
	TTG_ECLOSED = 12,  /* used after close */
	TTG_ESYS = 13,     /* the operating system refused; the message says what */
	TTG_EVERSION = 14, /* written by, or talking, a version this one cannot read */
	TTG_ECRYPTO = 15,  /* a cryptographic operation failed or did not verify */
	TTG_ENOSPC = 16,   /* no room on the disk, or the configured size is reached */
	TTG_ELOCKED = 17,  /* another process holds it */

	/* One event is refused. Those marked (retry) may succeed later, unchanged. */
	TTG_REFUSED_MALFORMED = 100,    /* not an Event, or the payload does not match the type */
	TTG_REFUSED_TOO_LARGE = 101,    /* longer than Welcome.max_event_bytes */
	TTG_REFUSED_FIELD = 102,        /* a field is missing or out of bounds; text names it */
	TTG_REFUSED_SOURCE = 103,       /* source is not the agency of the key */
	TTG_REFUSED_TYPE_UNKNOWN = 104, /* neither catalogue nor any agreement knows the type */
	TTG_REFUSED_NOT_AGREED = 105,   /* no agreement in force lets this agency publish it */
	TTG_REFUSED_RECIPIENT = 106,    /* the named recipient is in no agreement for it */
	TTG_REFUSED_TIME = 107,         /* a time is absurd, or the publisher's clock is off */
	TTG_REFUSED_IDENTIFIER = 108,   /* canonical or validity claimed for an identifier is wrong */
	TTG_REFUSED_EXPIRED = 109,      /* expires_at is past */
	TTG_REFUSED_RATE = 110,         /* (retry) over the agency's rate */
	TTG_REFUSED_BUSY = 111,         /* (retry) a queue of the broker is full */
	TTG_REFUSED_STORAGE = 112,      /* (retry) the disk, or its configured share, is full */
	TTG_REFUSED_STOPPING = 113,     /* (retry) the broker is shutting down */
	TTG_REFUSED_ID_REUSED = 114,    /* the id was accepted before with other content */
	TTG_REFUSED_REFERRAL = 115,     /* the referral is not in a state that allows this */
	TTG_REFUSED_SIGNATURE = 116,    /* not signed as it must be, or not with the agency's key */

	/* Session and mailbox. */
	TTG_SESSION_VERSION = 200,   /* no common protocol version */
	TTG_SESSION_NONE = 201,      /* frame outside a session: say Hello first */
	TTG_SESSION_FRAME = 202,     /* frame malformed, too large, or not allowed here */
	TTG_SESSION_WINDOW = 203,    /* more unanswered Publish frames than the window */
	TTG_SESSION_MAILBOX = 204,   /* no such mailbox, or not yours: the two look the same */
	TTG_SESSION_HANDLE = 205,    /* handle unknown, out of range or in use */
	TTG_SESSION_POSITION = 206,  /* position was not delivered to this consumer */
	TTG_SESSION_REVOKED = 207,   /* key revoked, expired, not yet valid, or not from here */
	TTG_SESSION_SILENT = 208,    /* no heartbeat for three intervals */
	TTG_SESSION_STOPPING = 209,  /* the broker is shutting down */
	TTG_SESSION_LIMIT = 210,     /* too many sessions */
	TTG_SESSION_REPLACED = 211,  /* a newer session of the same connection took over */

	/* A receipt, or the state of an event, that was asked for. */
	TTG_ASKED_UNKNOWN = 300,     /* no event of ours with this id, or not known any more: they look
					the same */
	TTG_ASKED_UNSEALED = 301,    /* not sealed, and this broker makes no seals */
	TTG_ASKED_NOT_HELD = 302,    /* accepted, but what a receipt needs is gone, or erased */
	TTG_ASKED_BUSY = 303,        /* too much is asked at once; ask again later */
	TTG_ASKED_NOT_GRANTED = 304, /* this agency may not ask that */
	TTG_ASKED_TOO_FAR = 305,     /* more records than may be read lie between then and now */
	TTG_ASKED_FAILED = 306,      /* the broker could not; its log says why */
};

/* Short stable name of a code, for example "refused_source"; "unknown" for others. Never NULL. */
const char *ttg_error_name(enum ttg_error code);

/* One sentence for a person. Never NULL. */
const char *ttg_error_text(enum ttg_error code);

/* True for the codes a publisher keeps the event for and tries again by itself. */
bool ttg_error_retryable(enum ttg_error code);

#ifdef __cplusplus
}
#endif
#endif
