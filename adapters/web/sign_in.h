/* Pages about who is signed in, the same on every site: /sign-in, /sign-out, /password. */
#ifndef WEB_SIGN_IN_H
#define WEB_SIGN_IN_H

#include "web/web.h"

extern const struct web_route sign_in_routes[];
extern const size_t sign_in_routes_n;

#endif
