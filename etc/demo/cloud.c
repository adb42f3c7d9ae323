/* CloudEvents for the demonstration. Pure; see cloud.h. */
#include "cloud.h"

json_t *cloud_event(struct dice *dice, const char *source, const char *type, const char *now,
                    const char *noms, json_t *take_data, char id[37])
{
	cohort_uuid(dice, id);
	if (take_data && noms[0])
		json_object_set_new(
		        take_data, "person",
		        json_pack("{s:[{s:s,s:s}]}", "identifiers", "kind", "NOMS", "value", noms));
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "specversion", "1.0", "id", id, "source",
	                 source, "type", type, "time", now, "datacontenttype", "application/json",
	                 "data", take_data);
}
