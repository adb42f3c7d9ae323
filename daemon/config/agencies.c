/*
 * agencies.d: who may connect, with which keys, from where, how fast, what it signs, and which mailboxes
 * it has.
 *
 * Owner: whoever loads. An agency whose id is good is added even when the rest of it is not, so that
 * agreements naming it are not reported as well.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include "base/signature.h"
#include "config/address.h"
#include "config/forms.h"

static bool is_z85(const char *text)
{
	return strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    ".-:+=^!/*?&<>()[]{}@%$#") == KEYFILE_Z85 - 1 &&
	       text[KEYFILE_Z85 - 1] == '\0';
}

static bool take_public(struct builder *builder, struct key_form *form, struct place place)
{
	struct message message = { "" };

	if ((form->public[0] == '\0') == (form->public_file[0] == '\0')) {
		errors_add(builder->errors, place, "key %s has %s, must have public or public_file",
			   form->label, form->public[0] == '\0' ? "neither" : "both");
		return false;
	}
	if (form->public_file[0] != '\0' &&
	    keyfile_read_public(form->public_file, form->public, &message) != TTG_OK) {
		errors_add(builder->errors, place,
			   "key %s: %s, must be a file from ttgctl keygen", form->label,
			   message.text);
		return false;
	}
	if (!is_z85(form->public)) {
		errors_add(builder->errors, place,
			   "key %s is no public key, must be 40 characters Z85", form->label);
		return false;
	}
	return true;
}

/* No two entries may hold one key: it would not say who is calling. */
static bool note_key(struct builder *builder, const char *public_z85, const char *label,
		     struct place place)
{
	struct key_seen *keys;

	for (size_t i = 0; i < builder->n_keys; i++) {
		if (strcmp(builder->keys[i].public_z85, public_z85) == 0) {
			errors_add(builder->errors, place,
				   "key %s is the one at %s:%u, must be another: a key says who calls",
				   label, builder->keys[i].place.file, builder->keys[i].place.line);
			return false;
		}
	}
	keys = build_grow(builder, builder->keys, builder->n_keys, sizeof(*keys));
	if (keys == NULL)
		return false;
	builder->keys = keys;
	strcpy(keys[builder->n_keys].public_z85, public_z85);
	keys[builder->n_keys].place = place;
	builder->n_keys++;
	return true;
}

static void add_key(struct builder *builder, const struct source *source,
		    const config_setting_t *group, struct rules_agency *agency)
{
	struct place place = source_place(source, group);
	struct rules_key *key = &agency->keys[agency->n_keys];
	struct key_form form;

	if (!options_read(source, group, "keys", place, &options_agency[1], &form, NULL) ||
	    !take_public(builder, &form, place))
		return;
	for (size_t i = 0; i < agency->n_keys; i++) {
		if (strcmp(agency->keys[i].label, form.label) == 0) {
			errors_add(builder->errors, place,
				   "keys.label %s stands twice in %s, must be told apart",
				   form.label, agency->id);
			return;
		}
	}
	memset(key, 0, sizeof(*key));
	strcpy(key->public_z85, form.public);
	strcpy(key->label, form.label);
	key->from_ns = form.from[0] != '\0' ? build_instant(form.from) : INT64_MIN;
	key->to_ns = form.to[0] != '\0' ? build_instant(form.to) : RULES_FOREVER;
	key->revoked = form.revoked;
	if (key->from_ns >= key->to_ns) {
		errors_add(builder->errors, place,
			   "key %s: from is not before to, must be: to is the first day it is not good",
			   form.label);
		return;
	}
	if (note_key(builder, form.public, form.label, place))
		agency->n_keys++;
}

static void add_keys(struct builder *builder, const struct source *source,
		     const config_setting_t *list, struct rules_agency *agency)
{
	int n = list != NULL ? config_setting_length(list) : 0;

	if (n == 0)
		return;
	agency->keys = calloc((size_t)n, sizeof(*agency->keys));
	if (agency->keys == NULL) {
		errors_add(builder->errors, source_place(source, list), "no memory");
		return;
	}
	for (int i = 0; i < n; i++)
		add_key(builder, source, config_setting_get_elem(list, (unsigned int)i), agency);
}

/* Reads the public half that the form names; false after an error. */
static bool take_signing(struct builder *builder, const struct signing_key_form *form,
			 struct place place, struct rules_signing_key *key)
{
	struct verify_key *public = NULL;
	struct message message = { "" };
	bool fine = verify_key_read(form->public_file, &public, &message) == TTG_OK;

	if (!fine)
		errors_add(builder->errors, place, "signing key %s: %s", form->label, message.text);
	else if (!verify_key_raw(public, key->public) ||
		 !signature_fingerprint(key->public, key->fingerprint)) {
		errors_add(builder->errors, place, "signing key %s: cryptography failed", form->label);
		fine = false;
	}
	verify_key_free(&public);
	return fine;
}

/* Told apart by label and by what it is: a signature names the key it was made with. */
static bool is_new_signing(struct builder *builder, const struct rules_agency *agency,
			   const struct rules_signing_key *key, struct place place)
{
	for (size_t i = 0; i < agency->n_signing_keys; i++) {
		if (strcmp(agency->signing_keys[i].label, key->label) == 0) {
			errors_add(builder->errors, place,
				   "signing_keys.label %s stands twice in %s, must be told apart",
				   key->label, agency->id);
			return false;
		}
		if (memcmp(agency->signing_keys[i].public, key->public, sizeof(key->public)) == 0) {
			errors_add(builder->errors, place,
				   "signing key %s is the same as %s, must be another", key->label,
				   agency->signing_keys[i].label);
			return false;
		}
	}
	return true;
}

static void add_signing(struct builder *builder, const struct source *source,
			const config_setting_t *group, struct rules_agency *agency)
{
	struct place place = source_place(source, group);
	struct rules_signing_key key = { .revoked = false };
	struct signing_key_form form;

	if (!options_read(source, group, "signing_keys", place, &options_agency[3], &form, NULL))
		return;
	strcpy(key.label, form.label);
	key.from_ns = form.from[0] != '\0' ? build_instant(form.from) : INT64_MIN;
	key.to_ns = form.to[0] != '\0' ? build_instant(form.to) : RULES_FOREVER;
	key.revoked = form.revoked;
	if (key.from_ns >= key.to_ns)
		errors_add(builder->errors, place,
			   "signing key %s: from is not before to, must be: to is the first day it is "
			   "not good",
			   form.label);
	else if (take_signing(builder, &form, place, &key) &&
		 is_new_signing(builder, agency, &key, place))
		agency->signing_keys[agency->n_signing_keys++] = key;
}

static void add_all_signing(struct builder *builder, const struct source *source,
			    const struct agency_form *form, struct place place,
			    struct rules_agency *agency)
{
	const int n = form->signing_keys != NULL ? config_setting_length(form->signing_keys) : 0;

	agency->must_sign = form->must_sign;
	if (n == 0 && form->must_sign)
		errors_add(builder->errors, place,
			   "agency.must_sign is true without signing_keys, must have one at least");
	if (n == 0)
		return;
	agency->signing_keys = calloc((size_t)n, sizeof(*agency->signing_keys));
	if (agency->signing_keys == NULL) {
		errors_add(builder->errors, place, "no memory");
		return;
	}
	for (int i = 0; i < n; i++)
		add_signing(builder, source, config_setting_get_elem(form->signing_keys, (unsigned int)i),
			    agency);
}

static void add_ranges(struct builder *builder, const struct source *source,
		       const config_setting_t *list, struct rules_agency *agency)
{
	int n = list != NULL ? config_setting_length(list) : 0;

	if (n == 0)
		return;
	agency->ranges = calloc((size_t)n, sizeof(*agency->ranges));
	if (agency->ranges == NULL) {
		errors_add(builder->errors, source_place(source, list), "no memory");
		return;
	}
	for (int i = 0; i < n; i++) {
		const config_setting_t *setting = config_setting_get_elem(list, (unsigned int)i);
		struct message message;

		if (address_parse_range(config_setting_get_string(setting),
					&agency->ranges[agency->n_ranges], &message))
			agency->n_ranges++;
		else
			errors_add(builder->errors, source_place(source, setting),
				   "agency.addresses: %s", message.text);
	}
}

static void add_box(struct builder *builder, const struct source *source,
		    const config_setting_t *group, size_t agency)
{
	struct rules *rules = builder->rules;
	struct place place = source_place(source, group);
	struct rules_mailbox *mailboxes, mailbox = { .agency = (uint32_t)agency };
	struct box_form form;
	bool fine = options_read(source, group, "mailboxes", place, &options_agency[2], &form, NULL);

	if (form.box[0] == '\0')
		return;
	snprintf(mailbox.id, sizeof(mailbox.id), "%s/%s", rules->agencies[agency].id, form.box);
	mailbox.max_attempts = form.max_attempts;
	mailbox.retry_ms = form.retry_ms;
	mailbox.retry_max_ms = form.retry_max_ms;
	mailbox.max_queued = form.max_queued;
	if (fine && form.retry_max_ms < form.retry_ms)
		errors_add(builder->errors, place,
			   "mailbox %s: retry_max_ms is %u, must be at least retry_ms, %u",
			   mailbox.id, form.retry_max_ms, form.retry_ms);
	if (build_find_mailbox(builder, mailbox.id) >= 0) {
		errors_add(builder->errors, place, "mailbox %s stands twice, must stand once",
			   mailbox.id);
		return;
	}
	if (rules->n_mailboxes == RULES_MAX_MAILBOXES) {
		errors_add(builder->errors, place, "mailbox %s is one too many, must be at most %d",
			   mailbox.id, RULES_MAX_MAILBOXES);
		return;
	}
	mailboxes = build_grow(builder, rules->mailboxes, rules->n_mailboxes, sizeof(mailbox));
	if (mailboxes == NULL)
		return;
	rules->mailboxes = mailboxes;
	rules->mailboxes[rules->n_mailboxes++] = mailbox;
}

/* Index of a new, empty agency, or -1 after an error was added. */
static int add_empty(struct builder *builder, const char *id, struct place place)
{
	struct rules *rules = builder->rules;
	int known = build_find_agency(builder, id);
	struct rules_agency *agencies;
	struct place *places;

	if (known >= 0) {
		errors_add(builder->errors, place,
			   "agency %s stands already at %s:%u, must stand once", id,
			   builder->agency_places[known].file, builder->agency_places[known].line);
		return -1;
	}
	if (strcmp(id, rules->broker) == 0) {
		errors_add(builder->errors, place,
			   "agency %s is the broker itself (broker.agency), must be another id", id);
		return -1;
	}
	if (rules->n_agencies == RULES_MAX_AGENCIES) {
		errors_add(builder->errors, place, "agency %s is one too many, must be at most %d",
			   id, RULES_MAX_AGENCIES);
		return -1;
	}
	agencies = build_grow(builder, rules->agencies, rules->n_agencies, sizeof(*agencies));
	if (agencies == NULL)
		return -1;
	rules->agencies = agencies;
	places = build_grow(builder, builder->agency_places, rules->n_agencies, sizeof(*places));
	if (places == NULL)
		return -1;
	builder->agency_places = places;
	places[rules->n_agencies] = place;
	memset(&agencies[rules->n_agencies], 0, sizeof(*agencies));
	return (int)rules->n_agencies++;
}

static void add_agency(struct builder *builder, const struct source *source,
		       const config_setting_t *group)
{
	struct place place = source_place(source, group);
	struct rules_agency *agency;
	struct agency_form form;
	int index, n_boxes;

	options_read(source, group, "agency", place, &options_agency[0], &form, NULL);
	if (form.id[0] == '\0')
		return;
	index = add_empty(builder, form.id, place);
	if (index < 0)
		return;
	agency = &builder->rules->agencies[index];
	strcpy(agency->id, form.id);
	strcpy(agency->name, form.name);
	agency->rate_per_s = form.rate_per_s;
	agency->burst = form.burst;
	agency->links = form.links;
	agency->asks_states = form.asks_states;
	if (form.rate_per_s > 0 && form.burst == 0)
		agency->burst = 2 * form.rate_per_s;
	if (form.rate_per_s == 0 && form.burst > 0)
		errors_add(builder->errors, place,
			   "agency.burst is %u without a rate_per_s, must be left out", form.burst);
	add_keys(builder, source, form.keys, agency);
	add_all_signing(builder, source, &form, place, agency);
	add_ranges(builder, source, form.addresses, agency);
	n_boxes = form.mailboxes != NULL ? config_setting_length(form.mailboxes) : 0;
	for (int i = 0; i < n_boxes; i++)
		add_box(builder, source, config_setting_get_elem(form.mailboxes, (unsigned int)i),
			(size_t)index);
}

void build_agencies(struct builder *builder, const struct source *source)
{
	build_each(builder, source, "agency", "agencies", add_agency);
}
