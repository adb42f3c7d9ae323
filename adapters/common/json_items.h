/*
 * The items of a JSON document: one object, an array of them, or one a line. One item that is no
 * good does not take the others with it.
 */
#ifndef ADAPTERS_COMMON_JSON_ITEMS_H
#define ADAPTERS_COMMON_JSON_ITEMS_H

#include <jansson.h>
#include "common/intake.h"

#define JSON_ITEMS_MAX 100000

/*
 * Reads one object. Returns TTG_OK, or why it is no good with the sentence in `message`; the frame
 * then keeps the item for the failed/ folder. TTG_ENOMEM stops the document.
 */
typedef enum ttg_error json_item_reader(void *user, const json_t *item, struct intake *intake,
                                        struct message *message);

/* Hands every item to `read`; what is wrong is noted in the intake. TTG_ENOMEM only. */
enum ttg_error json_items_each(const struct document *document, struct intake *intake,
                               json_item_reader *read, void *user);

#endif
