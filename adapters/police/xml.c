/*
 * Police events as XML. See xml.h. Owned by the adapter's only thread. libxml2 is told to load
 * nothing and to expand nothing, and its own bounds on depth and size stay on; what it says about
 * a document is not passed on, since it quotes it.
 */
#include "police/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE "urn:throughgate:police:1"
#define DEPTH_MAX 8

extern const unsigned char police_events_xsd[];
extern const size_t police_events_xsd_len;

struct xml_schema {
	xmlSchemaPtr schema;
};

struct complaint {
	int line;
	char element[48];
};

/* libxml2: the first complaint is kept, without the text, which quotes the document. */
static void on_complaint(void *user, xmlErrorPtr error)
{
	struct complaint *complaint = user;
	const xmlNode *node = error->node;

	if (complaint->line != 0)
		return;
	complaint->line = error->line > 0 ? error->line : 1;
	if (node != NULL && node->type == XML_ELEMENT_NODE)
		snprintf(complaint->element, sizeof(complaint->element), "%s",
		         (const char *)node->name);
}

enum ttg_error xml_schema_new(struct xml_schema **out, struct message *message)
{
	struct xml_schema *made = calloc(1, sizeof(*made));
	xmlSchemaParserCtxtPtr parser = NULL;

	*out = NULL;
	if (made == NULL)
		return message_set(message, TTG_ENOMEM, "no memory");
	parser = xmlSchemaNewMemParserCtxt((const char *)police_events_xsd,
	                                   (int)police_events_xsd_len);
	if (parser != NULL)
		made->schema = xmlSchemaParse(parser);
	xmlSchemaFreeParserCtxt(parser);
	if (made->schema == NULL) {
		free(made);
		return message_set(message, TTG_ENOMEM, "the built-in XML schema cannot be read");
	}
	*out = made;
	return TTG_OK;
}

void xml_schema_free(struct xml_schema **schema)
{
	if (*schema == NULL)
		return;
	xmlSchemaFree((*schema)->schema);
	free(*schema);
	*schema = NULL;
}

static bool is_list(const xmlNode *node)
{
	return strcmp((const char *)node->name, "offences") == 0 ||
	       strcmp((const char *)node->name, "warningSignals") == 0;
}

/* An element as JSON: a list, an object, or a text. The schema has bounded its depth already. */
static json_t *to_json(const xmlNode *node, int depth)
{
	const xmlNode *child;
	json_t *made = NULL;

	for (child = node->children; child != NULL && depth > 0; child = child->next) {
		json_t *value;

		if (child->type != XML_ELEMENT_NODE)
			continue;
		if (made == NULL)
			made = is_list(node) ? json_array() : json_object();
		value = to_json(child, depth - 1);
		if (json_is_array(made))
			json_array_append_new(made, value);
		else
			json_object_set_new(made, (const char *)child->name, value);
	}
	if (made == NULL && is_list(node))
		return json_array();
	if (made == NULL) {
		xmlChar *text = xmlNodeGetContent(node);

		made = json_string(text == NULL ? "" : (const char *)text);
		xmlFree(text);
	}
	return made;
}

static enum ttg_error one_event(const struct xml_schema *schema, xmlNodePtr node,
                                struct intake *intake, json_item_reader *read, void *user)
{
	xmlSchemaValidCtxtPtr valid = xmlSchemaNewValidCtxt(schema->schema);
	struct complaint complaint = { 0, "" };
	struct message why = { "" };
	unsigned line = (unsigned)xmlGetLineNo(node);
	enum ttg_error error = TTG_OK;
	json_t *item;

	if (valid == NULL)
		return TTG_ENOMEM;
	xmlSchemaSetValidStructuredErrors(valid, on_complaint, &complaint);
	if (xmlSchemaValidateOneElement(valid, node) != 0) {
		line = complaint.line > 0 ? (unsigned)complaint.line : line;
		error = message_set(&why, TTG_EFORMAT, "element %s does not fit the schema",
		                    complaint.element);
	}
	xmlSchemaFreeValidCtxt(valid);
	if (error == TTG_OK) {
		item = to_json(node, DEPTH_MAX);
		json_object_set_new(item, "kind", json_string((const char *)node->name));
		error = read(user, item, intake, &why);
		json_decref(item);
	}
	if (error == TTG_OK || error == TTG_ENOMEM)
		return error;
	intake->rejected_cut = true; /* elements alone make no document: all of it is kept */
	return intake_add_problem(intake, line, error, why.text, NULL, 0);
}

static enum ttg_error read_events(const struct xml_schema *schema, xmlNodePtr root,
                                  struct intake *intake, json_item_reader *read, void *user)
{
	enum ttg_error error = TTG_OK;
	size_t n = 0;

	if (root->ns == NULL || strcmp((const char *)root->ns->href, NAMESPACE) != 0) {
		intake_refuse(intake, TTG_EFORMAT, "the root is not in the namespace " NAMESPACE);
		return TTG_OK;
	}
	if (strcmp((const char *)root->name, "policeEvents") != 0)
		return one_event(schema, root, intake, read, user);
	for (xmlNodePtr node = root->children; node != NULL && error == TTG_OK; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (++n > XML_EVENTS_MAX) {
			intake_refuse(intake, TTG_ELIMIT, "more than %d events in one document",
			              XML_EVENTS_MAX);
			break;
		}
		error = one_event(schema, node, intake, read, user);
	}
	if (error == TTG_OK && n == 0)
		intake_refuse(intake, TTG_EFORMAT, "holds no event");
	return error;
}

enum ttg_error xml_items_each(const struct xml_schema *schema, const struct document *document,
                              struct intake *intake, json_item_reader *read, void *user)
{
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	enum ttg_error error = TTG_OK;
	xmlParserCtxtPtr parser;
	xmlDocPtr parsed;

	if (document->len > INT_MAX) {
		intake_refuse(intake, TTG_ELIMIT, "is too long");
		return TTG_OK;
	}
	parser = xmlNewParserCtxt();
	if (parser == NULL)
		return TTG_ENOMEM;
	parsed =
	        xmlCtxtReadMemory(parser, document->bytes, (int)document->len, NULL, NULL, options);
	if (parsed == NULL)
		intake_refuse(intake, TTG_EFORMAT, "is no well-formed XML: line %d",
		              parser->lastError.line);
	else if (parsed->intSubset != NULL || parsed->extSubset != NULL)
		intake_refuse(intake, TTG_EFORMAT,
		              "has a document type; that is not read, whatever it says");
	else if (xmlDocGetRootElement(parsed) != NULL)
		error = read_events(schema, xmlDocGetRootElement(parsed), intake, read, user);
	xmlFreeDoc(parsed);
	xmlFreeParserCtxt(parser);
	return error;
}
