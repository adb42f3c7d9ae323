/* ttg-desk.conf read into struct desk_settings. */
#ifndef DESK_DESK_CONFIG_H
#define DESK_DESK_CONFIG_H

#include "desk/desk.h"

/* TTG_ENOENT, TTG_EFORMAT (message: file, line and what would be right), and those of
 * store_check() and web_check(). Looks at nothing but the file and what these look at. */
enum ttg_error desk_config_load(const char *path, struct desk_settings *out,
                                struct message *message);

/* Good as long as the settings stay where they are. */
struct store_place desk_store_place(const struct desk_settings *settings);
struct web_options desk_web_options(const struct desk_settings *settings, struct log *log);

#endif
