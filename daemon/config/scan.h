/*
 * A first pass over the text of a configuration file, before libconfig sees it.
 */
#ifndef TTGD_CONFIG_SCAN_H
#define TTGD_CONFIG_SCAN_H

#include "config/errors.h"

#define SCAN_MAX_SETTINGS 20000 /* names in a file; libconfig compares each with all before it */

/*
 * Returns the text as libconfig should read it: malloc'd, line for line the same, every whole number
 * with the suffix that makes it 64 bits wide. NULL after one error was added.
 */
char *scan_prepare(const char *text, const char *file, struct config_errors *errors);

#endif
