/*
 * agreements.d: who may publish which types, and which mailbox receives them from whom, between
 * which dates. What no agreement says is denied, so what an agreement says is checked against
 * everything that is known: agencies, mailboxes, the catalogue of types and their fields.
 *
 * purpose, gateway and review are read, checked and shown to nobody but the reader of the file: they say why
 * the agreement may stand, not what the broker does. Nor does it act on roles, recipient and
 * special_category, but it shows them and keeps them with the rules.
 *
 * Owner: whoever loads.
 */
#include "config/build.h"

#include <stdlib.h>
#include <string.h>
#include <ttg/event.h>
#include "config/forms.h"
#include "config/nearest.h"

#define DAY_S 86400u

/* The agreement being read. */
struct work {
	struct builder *builder;
	const struct source *source;
	const struct agreement_form *form;
	uint32_t agreement;
	uint32_t parties[BUILD_MAX_PARTIES];
	size_t n_parties;
	size_t first_publish, first_deliver; /* of this agreement in the rules */
};

static const char *text_at(const config_setting_t *list, int index)
{
	return config_setting_get_string_elem(list, index);
}

static int length_of(const config_setting_t *list)
{
	return list != NULL ? config_setting_length(list) : 0;
}

static struct place place_at(const struct work *work, const config_setting_t *list, int index)
{
	return source_place(work->source, config_setting_get_elem(list, (unsigned int)index));
}

static bool is_party(const struct work *work, uint32_t agency)
{
	for (size_t i = 0; i < work->n_parties; i++)
		if (work->parties[i] == agency)
			return true;
	return false;
}

static bool is_broker_type(const char *type)
{
	return strncmp(type, "broker.", strlen("broker.")) == 0;
}

/* "family.name" in lower case. */
static bool is_type_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t family = strspn(text, letters);
	size_t name = text[family] == '.' ? strspn(text + family + 1, letters) : 0;

	return family > 0 && name > 0 && text[family + 1 + name] == '\0' &&
	       family + 1 + name <= RULES_TYPE_MAX;
}

static bool is_future_type(const struct work *work, const char *type)
{
	for (int i = 0; i < length_of(work->form->future_types); i++)
		if (strcmp(text_at(work->form->future_types, i), type) == 0)
			return true;
	return false;
}

static void refuse_type(const struct work *work, struct place place, const char *type)
{
	struct nearest nearest;

	nearest_init(&nearest, type);
	for (size_t i = 0; i < ttg_type_count(); i++)
		nearest_try(&nearest, ttg_type_name(i));
	if (nearest.best != NULL)
		errors_add(work->builder->errors, place,
			   "type %.64s is not in the catalogue, did you mean %s?", type,
			   nearest.best);
	else
		errors_add(work->builder->errors, place,
			   "type %.64s is not in the catalogue, must be a type of it or stand in "
			   "future_types",
			   type);
}

/* Index of a type in the rules, which get it when they do not hold it; -1 after an error. */
static int take_type(const struct work *work, struct place place, const char *type)
{
	struct rules *rules = work->builder->rules;
	char(*types)[RULES_TYPE_MAX + 1];

	if (ttg_type_find(type) < 0 && !(is_future_type(work, type) && is_type_name(type))) {
		refuse_type(work, place, type);
		return -1;
	}
	for (size_t i = 0; i < rules->n_types; i++)
		if (strcmp(rules->types[i], type) == 0)
			return (int)i;
	if (rules->n_types == BUILD_MAX_TYPES) {
		errors_add(work->builder->errors, place,
			   "type %s is one too many, must be at most %d over all agreements", type,
			   BUILD_MAX_TYPES);
		return -1;
	}
	types = build_grow(work->builder, rules->types, rules->n_types, sizeof(*types));
	if (types == NULL)
		return -1;
	rules->types = types;
	strcpy(types[rules->n_types], type);
	return (int)rules->n_types++;
}

/* Index of an agency that is a party, -1 after an error. */
static int take_party(const struct work *work, struct place place, const char *what, const char *id)
{
	int agency = build_find_agency(work->builder, id);

	if (agency >= 0 && is_party(work, (uint32_t)agency))
		return agency;
	errors_add(work->builder->errors, place, "%s %.64s is not a party of agreement %s, must be",
		   what, id, work->form->id);
	return -1;
}

/* Index of a mailbox whose agency is a party, -1 after an error. */
static int take_mailbox(const struct work *work, struct place place, const char *what,
			const char *id)
{
	const struct rules *rules = work->builder->rules;
	int mailbox = build_find_mailbox(work->builder, id);
	struct nearest nearest;

	if (mailbox >= 0 && is_party(work, rules->mailboxes[mailbox].agency))
		return mailbox;
	if (mailbox >= 0) {
		errors_add(work->builder->errors, place,
			   "%s %s belongs to %s, which must be a party of agreement %s", what, id,
			   rules->agencies[rules->mailboxes[mailbox].agency].id, work->form->id);
		return -1;
	}
	nearest_init(&nearest, id);
	for (size_t i = 0; i < rules->n_mailboxes; i++)
		nearest_try(&nearest, rules->mailboxes[i].id);
	if (nearest.best != NULL)
		errors_add(work->builder->errors, place, "%s %s is no mailbox, did you mean %s?",
			   what, id, nearest.best);
	else
		errors_add(work->builder->errors, place,
			   "%s %s is no mailbox, must be \"agency/box\" of agencies.d", what, id);
	return -1;
}

static void add_publish_grant(const struct work *work, struct place place, int agency,
			      const char *type)
{
	struct rules *rules = work->builder->rules;
	struct rules_publish_grant *grants, grant;
	int index = take_type(work, place, type);

	if (index < 0)
		return;
	if (is_broker_type(type)) {
		errors_add(work->builder->errors, place,
			   "type %s is published by the broker alone, must not be granted", type);
		return;
	}
	grant = (struct rules_publish_grant){ (uint32_t)index, (uint32_t)agency, work->agreement };
	for (size_t i = work->first_publish; i < rules->n_publish; i++) {
		if (rules->publish[i].type == grant.type &&
		    rules->publish[i].agency == grant.agency) {
			errors_add(work->builder->errors, place,
				   "%s may publish %s twice in agreement %s, must stand once",
				   rules->agencies[agency].id, type, work->form->id);
			return;
		}
	}
	if (rules->n_publish == RULES_MAX_GRANTS) {
		errors_add(work->builder->errors, place, "one grant too many, must be at most %d",
			   RULES_MAX_GRANTS);
		return;
	}
	grants = build_grow(work->builder, rules->publish, rules->n_publish, sizeof(grant));
	if (grants == NULL)
		return;
	rules->publish = grants;
	rules->publish[rules->n_publish++] = grant;
}

static void add_publish(const struct work *work, const config_setting_t *group)
{
	struct place place = source_place(work->source, group);
	struct publish_form form;
	int agency;

	if (!options_read(work->source, group, "publish", place, &options_agreement[1], &form, NULL))
		return;
	agency = take_party(work, place, "publish.agency", form.agency);
	if (agency < 0)
		return;
	for (int i = 0; i < length_of(form.types); i++)
		add_publish_grant(work, place_at(work, form.types, i), agency,
				  text_at(form.types, i));
}

static bool field_can_address(const struct work *work, struct place place, const char *type,
			      const char *field)
{
	int index = ttg_type_find(type);
	const ProtobufCFieldDescriptor *found = NULL;

	if (index >= 0)
		found = protobuf_c_message_descriptor_get_field_by_name(
			ttg_type_descriptor((size_t)index), field);
	if (found != NULL && found->type == PROTOBUF_C_TYPE_STRING &&
	    found->label != PROTOBUF_C_LABEL_REPEATED)
		return true;
	errors_add(work->builder->errors, place,
		   "addressed_by %s is no text field of %s, must be one that holds an agency id",
		   field, type);
	return false;
}

static void add_deliver_grant(const struct work *work, struct place place,
			      const struct rules_deliver_grant *grant, const char *from,
			      const char *type)
{
	struct rules *rules = work->builder->rules;
	struct rules_deliver_grant *grants;

	if ((grant->from == RULES_NONE) != is_broker_type(type)) {
		errors_add(work->builder->errors, place,
			   "type %s from %s, must be broker.* types from %s and others from agencies",
			   type, from, rules->broker);
		return;
	}
	if (grant->condition > 0 && is_broker_type(type)) {
		errors_add(work->builder->errors, place,
			   "type %s with a when, must be without: the broker's own notices are about no "
			   "enrolled person",
			   type);
		return;
	}
	if (grant->addressed_by[0] != '\0' &&
	    !field_can_address(work, place, type, grant->addressed_by))
		return;
	for (size_t i = work->first_deliver; i < rules->n_deliver; i++) {
		const struct rules_deliver_grant *other = &rules->deliver[i];

		if (other->type == grant->type && other->from == grant->from &&
		    other->mailbox == grant->mailbox) {
			errors_add(work->builder->errors, place,
				   "%s gets %s from %s twice in agreement %s, must stand once",
				   rules->mailboxes[grant->mailbox].id, type, from, work->form->id);
			return;
		}
	}
	if (rules->n_deliver == RULES_MAX_GRANTS) {
		errors_add(work->builder->errors, place, "one grant too many, must be at most %d",
			   RULES_MAX_GRANTS);
		return;
	}
	grants = build_grow(work->builder, rules->deliver, rules->n_deliver, sizeof(*grants));
	if (grants == NULL)
		return;
	rules->deliver = grants;
	rules->deliver[rules->n_deliver++] = *grant;
}

/* *retain_s of what a group says, or `otherwise` where it says nothing. */
static bool take_retention(const struct builder *builder, struct place place, uint32_t days, uint32_t seconds,
			   uint32_t otherwise, uint32_t *retain_s)
{
	*retain_s = seconds > 0 ? seconds : days > 0 ? days * DAY_S : otherwise;
	if (*retain_s == otherwise || builder->sealing)
		return true;
	errors_add(builder->errors, place,
		   "retain_days without keys.directory in ttgd.conf, must have it: only what is sealed can "
		   "be let go by itself");
	return false;
}

/* The part of a grant that is the same for all its types and publishers. */
static bool take_receiver(const struct work *work, struct place place,
			  const struct deliver_form *form, struct rules_deliver_grant *grant)
{
	int mailbox = take_mailbox(work, place, "deliver.mailbox", form->mailbox);
	int fallback = -1;

	if ((form->ack_within_s > 0) != (form->fallback[0] != '\0')) {
		errors_add(work->builder->errors, place,
			   "deliver.%s without %s, must have both or neither",
			   form->ack_within_s > 0 ? "ack_within_s" : "fallback",
			   form->ack_within_s > 0 ? "a fallback" : "an ack_within_s");
		return false;
	}
	if (form->fallback[0] != '\0') {
		fallback = take_mailbox(work, place, "deliver.fallback", form->fallback);
		if (fallback < 0)
			return false;
		if (fallback == mailbox) {
			errors_add(work->builder->errors, place,
				   "deliver.fallback is the mailbox itself, must be another");
			return false;
		}
	}
	memset(grant, 0, sizeof(*grant));
	grant->mailbox = (uint32_t)mailbox;
	grant->agreement = work->agreement;
	grant->ack_within_s = form->ack_within_s;
	grant->fallback = fallback >= 0 ? (uint32_t)fallback : RULES_NONE;
	strcpy(grant->addressed_by, form->addressed_by);
	return take_retention(work->builder, place, form->retain_days, 0,
			      work->builder->rules->agreements[work->agreement].retain_s,
			      &grant->retain_s) &&
	       mailbox >= 0;
}

/* Publishers of a group: indices of agencies, RULES_NONE for the broker itself. */
struct publishers {
	uint32_t agencies[BUILD_MAX_PARTIES];
	const char *ids[BUILD_MAX_PARTIES];
	size_t n;
};

static void take_publishers(const struct work *work, const config_setting_t *from,
			    struct publishers *out)
{
	out->n = 0;
	for (int i = 0; i < length_of(from) && out->n < BUILD_MAX_PARTIES; i++) {
		const char *id = text_at(from, i);
		int agency = -1;

		if (strcmp(id, work->builder->rules->broker) != 0) {
			agency = take_party(work, place_at(work, from, i), "deliver.from", id);
			if (agency < 0)
				continue;
		}
		out->agencies[out->n] = agency < 0 ? RULES_NONE : (uint32_t)agency;
		out->ids[out->n++] = id;
	}
}

static void add_deliver(const struct work *work, const config_setting_t *group)
{
	struct place place = source_place(work->source, group);
	struct rules_deliver_grant grant;
	struct publishers from;
	struct deliver_form form;

	if (!options_read(work->source, group, "deliver", place, &options_agreement[2], &form,
			  NULL) ||
	    !take_receiver(work, place, &form, &grant) ||
	    !build_condition(work->builder, work->source, form.when, &grant.condition))
		return;
	take_publishers(work, form.from, &from);
	for (int j = 0; j < length_of(form.types); j++) {
		const char *type = text_at(form.types, j);
		struct place at = place_at(work, form.types, j);
		int index = take_type(work, at, type);

		if (index < 0 ||
		    !build_mask(work->builder, work->source, at, &form, type, &grant.mask))
			continue;
		grant.type = (uint32_t)index;
		for (size_t i = 0; i < from.n; i++) {
			grant.from = from.agencies[i];
			add_deliver_grant(work, at, &grant, from.ids[i], type);
		}
	}
}

static void add_parties(struct work *work)
{
	struct builder *builder = work->builder;

	for (int i = 0; i < length_of(work->form->parties); i++) {
		const char *id = text_at(work->form->parties, i);
		struct place place = place_at(work, work->form->parties, i);
		int agency = build_find_agency(builder, id);
		struct nearest nearest;

		if (agency >= 0 && is_party(work, (uint32_t)agency)) {
			errors_add(builder->errors, place, "party %s stands twice, must stand once",
				   id);
		} else if (agency >= 0) {
			work->parties[work->n_parties++] = (uint32_t)agency;
		} else {
			nearest_init(&nearest, id);
			for (size_t j = 0; j < builder->rules->n_agencies; j++)
				nearest_try(&nearest, builder->rules->agencies[j].id);
			if (nearest.best != NULL)
				errors_add(builder->errors, place,
					   "party %.64s is no agency, did you mean %s?", id,
					   nearest.best);
			else
				errors_add(builder->errors, place,
					   "party %.64s is no agency, must be one of agencies.d", id);
		}
	}
}

/* All of them in the rules, their roles unstated. False without memory. */
static bool list_parties(const struct work *work)
{
	struct rules_agreement *agreement = &work->builder->rules->agreements[work->agreement];

	agreement->parties = calloc(work->n_parties + 1, sizeof(*agreement->parties));
	if (agreement->parties == NULL) {
		errors_add(work->builder->errors, source_place(work->source, work->form->parties),
			   "no memory for parties");
		return false;
	}
	for (size_t i = 0; i < work->n_parties; i++)
		agreement->parties[i].agency = work->parties[i];
	agreement->n_parties = work->n_parties;
	return true;
}

/* The word was checked by its option. */
static enum rules_role role_of(const char *word)
{
	enum rules_role role = RULES_CONTROLLER;

	while (role + 1 < RULES_ROLES && strcmp(rules_role_word(role), word) != 0)
		role++;
	return role;
}

static void add_role(const struct work *work, const config_setting_t *group)
{
	const struct rules_agreement *agreement = &work->builder->rules->agreements[work->agreement];
	struct place place = source_place(work->source, group);
	struct role_form form;
	int agency;

	if (!options_read(work->source, group, "roles", place, &options_agreement[4], &form, NULL))
		return;
	agency = take_party(work, place, "roles.agency", form.agency);
	for (size_t i = 0; agency >= 0 && i < agreement->n_parties; i++) {
		if (agreement->parties[i].agency != (uint32_t)agency)
			continue;
		if (agreement->parties[i].role != RULES_NO_ROLE)
			errors_add(work->builder->errors, place, "role of %s stands twice, must stand once",
				   form.agency);
		agreement->parties[i].role = role_of(form.role);
	}
}

static void check_future_types(const struct work *work)
{
	for (int i = 0; i < length_of(work->form->future_types); i++) {
		const char *type = text_at(work->form->future_types, i);
		struct place place = place_at(work, work->form->future_types, i);

		if (!is_type_name(type) || is_broker_type(type))
			errors_add(work->builder->errors, place,
				   "future_types: %.64s cannot be a type, must read family.name in "
				   "a-z, 0-9 and _",
				   type);
		else if (ttg_type_find(type) >= 0)
			errors_warn(work->builder->errors, place,
				    "future_types: %s is in the catalogue by now, leave it out",
				    type);
	}
}

static void check_dates(const struct builder *builder, struct place place,
			const struct agreement_form *form, const struct rules_agreement *agreement)
{
	if (agreement->from_ns >= agreement->to_ns)
		errors_add(builder->errors, place,
			   "agreement %s: valid_from %s is not before valid_to %s, must be", form->id,
			   form->valid_from, form->valid_to);
	else if (agreement->to_ns <= builder->now_ns)
		errors_warn(builder->errors, place,
			    "agreement %s ended on %s, renew it or take it away", form->id,
			    form->valid_to);
	else if (form->review[0] != '\0' && build_instant(form->review) <= builder->now_ns)
		errors_warn(builder->errors, place, "agreement %s was to be reviewed by %s",
			    form->id, form->review);
}

/* Index of the new agreement, -1 after an error. */
static int add_empty(struct builder *builder, const struct agreement_form *form, struct place place)
{
	struct rules *rules = builder->rules;
	struct rules_agreement *agreements, agreement = { .from_ns = 0 };
	struct place *places;

	for (size_t i = 0; i < rules->n_agreements; i++) {
		if (strcmp(rules->agreements[i].id, form->id) == 0) {
			errors_add(builder->errors, place,
				   "agreement %s stands already at %s:%u, must stand once", form->id,
				   builder->agreement_places[i].file,
				   builder->agreement_places[i].line);
			return -1;
		}
	}
	if (rules->n_agreements == RULES_MAX_AGREEMENTS) {
		errors_add(builder->errors, place, "agreement %s is one too many, must be at most %d",
			   form->id, RULES_MAX_AGREEMENTS);
		return -1;
	}
	agreements = build_grow(builder, rules->agreements, rules->n_agreements, sizeof(agreement));
	if (agreements == NULL)
		return -1;
	rules->agreements = agreements;
	places = build_grow(builder, builder->agreement_places, rules->n_agreements, sizeof(*places));
	if (places == NULL)
		return -1;
	builder->agreement_places = places;
	strcpy(agreement.id, form->id);
	strcpy(agreement.title, form->title);
	strcpy(agreement.special_category, form->special_category);
	agreement.law_enforcement = strcmp(form->recipient, "law-enforcement") == 0;
	agreement.official_only = strcmp(form->marking, "official") == 0;
	agreement.from_ns = build_instant(form->valid_from);
	agreement.to_ns = build_instant(form->valid_to);
	agreements[rules->n_agreements] = agreement;
	places[rules->n_agreements] = place;
	return (int)rules->n_agreements++;
}

static void add_agreement(struct builder *builder, const struct source *source,
			  const config_setting_t *group)
{
	struct place place = source_place(source, group);
	struct agreement_form form;
	struct work work = { .builder = builder, .source = source, .form = &form };
	int index;
	bool fine = options_read(source, group, "agreement", place, &options_agreement[0], &form,
				 NULL);

	if (form.id[0] == '\0')
		return;
	index = add_empty(builder, &form, place);
	if (index < 0)
		return;
	fine = take_retention(builder, place, form.retain_days, form.retain_s, 0,
			      &builder->rules->agreements[index].retain_s) &&
	       fine;
	if (fine)
		check_dates(builder, place, &form, &builder->rules->agreements[index]);
	work.agreement = (uint32_t)index;
	work.first_publish = builder->rules->n_publish;
	work.first_deliver = builder->rules->n_deliver;
	check_future_types(&work);
	add_parties(&work);
	if (!list_parties(&work))
		return;
	for (int i = 0; i < length_of(form.roles); i++)
		add_role(&work, config_setting_get_elem(form.roles, (unsigned int)i));
	for (int i = 0; i < length_of(form.publish); i++)
		add_publish(&work, config_setting_get_elem(form.publish, (unsigned int)i));
	for (int i = 0; i < length_of(form.deliver); i++)
		add_deliver(&work, config_setting_get_elem(form.deliver, (unsigned int)i));
}

void build_agreements(struct builder *builder, const struct source *source)
{
	build_each(builder, source, "agreement", "agreements", add_agreement);
}
