/*
 * Building struct rules from the files of agencies.d and agreements.d. Agencies come first, so that
 * an agreement that names somebody unknown is told with its own line.
 */
#ifndef TTGD_CONFIG_BUILD_H
#define TTGD_CONFIG_BUILD_H

#include "config/options.h"

#define BUILD_MAX_KEYS 16       /* of one agency */
#define BUILD_MAX_RANGES 64     /* of one agency */
#define BUILD_MAX_BOXES 64      /* of one agency */
#define BUILD_MAX_TYPES 1024    /* over all agreements */
#define BUILD_MAX_PARTIES 64    /* of one agreement */
#define BUILD_MAX_ENTRIES 256   /* publish, deliver, types and from of one agreement */

#define BUILD_DAY_NS (86400ll * 1000000000ll)
#define BUILD_KEY_NOTICE_NS (30 * BUILD_DAY_NS) /* warn so long before the last key ends */

struct key_seen {
	char public_z85[41];
	struct place place;
};

struct builder {
	struct config_errors *errors;
	int64_t now_ns;
	struct rules *rules;            /* not finished: nothing is sorted */
	struct place *agency_places;    /* of rules->agencies[i] */
	struct place *agreement_places; /* of rules->agreements[i] */
	bool sealing; /* payloads about persons are sealed: they can be let go of by themselves */
	struct key_seen *keys;
	size_t n_keys;
};

/* One file each; faults are added to builder->errors. place.file must live as long as builder. */
void build_agencies(struct builder *builder, const struct source *source);
void build_agreements(struct builder *builder, const struct source *source);

struct deliver_form;
/*
 * Compiles what deliver.fields, envelope and identifiers of a group say about a type of the catalogue
 * and adds it to the rules; *mask is what a grant holds (0: the whole event). False after an error.
 */
bool build_mask(struct builder *builder, const struct source *source, struct place place,
		const struct deliver_form *form, const char *type, uint32_t *mask);

/*
 * Compiles deliver.when (NULL: left out) and adds it to the rules; *condition is what a grant holds
 * (0: none). False after an error.
 */
bool build_condition(struct builder *builder, const struct source *source,
		     const config_setting_t *when, uint32_t *condition);

/* Doubts that show only when everything is there; before rules_finish(). */
void build_review(const struct builder *builder);

void builder_fini(struct builder *builder);

/*
 * Calls each(builder, source, group) for the group called `one` of a file, and for every group of the
 * list called `many`; anything else in the file is an error.
 */
void build_each(struct builder *builder, const struct source *source, const char *one,
		const char *many,
		void (*each)(struct builder *builder, const struct source *source,
			     const config_setting_t *group));

/*
 * The array with room for one more than its n entries, or NULL (the old one is still good) after the
 * lack of memory was reported.
 */
void *build_grow(struct builder *builder, void *array, size_t n, size_t entry_bytes);

/* Indices in what has been built so far, -1: unknown. */
int build_find_agency(const struct builder *builder, const char *id);
int build_find_mailbox(const struct builder *builder, const char *id);

/* "1 January 2026 00:00 in London" as an instant; the date was checked before. */
int64_t build_instant(const char *date);

#endif
