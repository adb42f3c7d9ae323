/* Finding a file for browsers. See asset.h. Pure. */
#include "web/asset.h"

#include <string.h>
#include "web/web.h"

const struct web_asset *asset_at(const char *path)
{
	for (size_t i = 0; i < web_assets_n; i++) {
		if (strcmp(web_assets[i].path, path) == 0)
			return &web_assets[i];
	}
	return NULL;
}

const char *web_asset(const char *name)
{
	for (size_t i = 0; i < web_assets_n; i++) {
		if (strcmp(web_assets[i].name, name) == 0)
			return web_assets[i].path;
	}
	return "";
}
