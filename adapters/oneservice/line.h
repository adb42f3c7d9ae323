/*
 * The live line: one delivered event as the duty desk's staff read it, or as a program does.
 *
 * This is the one place of the adapter that shows people's numbers, because the desk works with
 * them: one number a line, the one the desk is most likely to know. It goes to standard output
 * only, never to the log.
 */
#ifndef ONESERVICE_LINE_H
#define ONESERVICE_LINE_H

#include <ttg/client.h>
#include "oneservice/words.h"

#define LINE_BYTES 1024

#define LINE_PROMPT_NS INT64_C(10000000000) /* between happening and telling, to count as one */
#define LINE_COARSE_NS INT64_C(60000000000) /* a whole multiple: somebody wrote hours and minutes  \
	                                     */

/*
 * How long an event took to get here, in nanoseconds: from when the source wrote it down; where it
 * does not say, from when it happened, if that is told to the second and the broker had it within
 * LINE_PROMPT_NS; else from when the broker accepted it.
 */
int64_t line_latency_ns(const Ttg__Event *event, int64_t accepted_ns, int64_t received_ns);

/*
 * "14:03:22 ! prison.released  A1234BC  RELEASED from Peterborough, ...  [12 ms]": civil time of
 * receipt, "!" when urgent, type, person's number ("-" when about nobody; "?" after one that did
 * not check), sentence, time from publish to receipt. No newline.
 */
void line_for_people(char out[LINE_BYTES], const Ttg__Event *event, int64_t accepted_ns,
                     int64_t received_ns);

/*
 * The same as one JSON object in a malloc'd string, ids and times included; NULL without memory.
 * `identifiers` lists every number with kind and validity.
 */
char *line_for_programs(const struct ttg_delivery *delivery, const Ttg__Event *event,
                        int64_t received_ns);

#endif
