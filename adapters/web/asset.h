/* Files for browsers that are compiled into the program: see assets/build.mjs, which makes the
   table. The path has a hash of what is in it, so it may be kept for ever. */
#ifndef WEB_ASSET_H
#define WEB_ASSET_H

#include <stddef.h>

struct web_asset {
	const char *name; /* "site.css" */
	const char *path; /* "/assets/site-0123456789.css" */
	const char *type;
	const unsigned char *bytes, *gzip;
	size_t len, gzip_len;
};

extern const struct web_asset web_assets[];
extern const size_t web_assets_n;

const struct web_asset *asset_at(const char *path); /* NULL: none */

#endif
