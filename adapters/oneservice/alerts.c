/*
 * The commands about alerts. See alerts.h. One thread, one process; the store is the running
 * adapter's, which changes its schema.
 */
#include "oneservice/alerts.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/instant.h"
#include "base/world.h"
#include "oneservice/service.h"
#include "store/alert.h"

struct request {
	const char *command; /* "alerts" or "acknowledge" */
	const char *config, *user;
	uint8_t id[ADAPTER_ID_BYTES];
	struct adapter_places places;
	struct service_settings settings;
	struct store *store;
};

static int fail(const struct request *request, int status, const char *text)
{
	fprintf(stderr, "ttg-oneservice %s: %s\n", request->command, text);
	return status;
}

static int read_arguments(struct request *request, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	const bool acknowledges = strcmp(request->command, "acknowledge") == 0;
	int found;

	while ((found = getopt_long(argc, argv, "c:", known, NULL)) != -1) {
		if (found == 'c')
			request->config = optarg;
		else if (found == 'u' && acknowledges)
			request->user = optarg;
		else
			return fail(request, ALERTS_USAGE, "see ttg-oneservice --help");
	}
	if (request->config == NULL || argc - optind != (acknowledges ? 1 : 0) ||
	    (acknowledges && request->user == NULL))
		return fail(request, ALERTS_USAGE,
		            acknowledges ? "needs --config FILE, --user NAME and an event's id"
		                         : "needs --config FILE");
	if (acknowledges && ttg_uuid_parse(argv[optind], request->id) != TTG_OK)
		return fail(request, ALERTS_USAGE, "the id should be a UUID");
	return ALERTS_FINE;
}

static int open_store(struct request *request)
{
	struct service_store found;
	struct message message = { "" };

	if (adapter_find_places(&service_kind, request->config, &request->places,
	                        &request->settings, &message) != TTG_OK)
		return fail(request, ALERTS_USAGE, message.text);
	service_find_store(&request->settings, request->places.state_dir, &found);
	if (store_open_desk(&request->store, &found.place, &message) != TTG_OK)
		return fail(request, ALERTS_FAILED, message.text);
	return ALERTS_FINE;
}

static bool print_alert(void *arg, const struct store_alert *alert)
{
	char id[TTG_UUID_TEXT], time[INSTANT_TEXT];

	(void)arg;
	ttg_uuid_format(alert->id, id);
	instant_format(alert->raised_ns, time);
	printf("%s  %s  %s  %s\n", id, time, alert->mailbox, alert->type);
	return true;
}

static int print_alerts(const struct request *request)
{
	struct message message = { "" };

	if (store_each_alert(request->store, true, print_alert, NULL, &message) != TTG_OK)
		return fail(request, ALERTS_FAILED, message.text);
	if (fflush(stdout) != 0)
		return fail(request, ALERTS_FAILED, "standard output cannot be written");
	return ALERTS_FINE;
}

static int acknowledge(const struct request *request)
{
	const struct world *world = world_real();
	struct message message = { "" };
	struct store_signature signature;
	char time[INSTANT_TEXT];
	enum ttg_error error = store_acknowledge(request->store, request->id, request->user,
	                                         world->real_ns(world->self), &signature, &message);

	if (error == TTG_EINVAL)
		return fail(request, ALERTS_USAGE, message.text);
	if (error != TTG_OK && error != TTG_EEXIST)
		return fail(request, ALERTS_FAILED, message.text);
	instant_format(signature.at_ns, time);
	printf("acknowledged%s by %s at %s\n", error == TTG_OK ? "" : " before", signature.by,
	       time);
	return error == TTG_OK ? ALERTS_FINE : ALERTS_TOO_LATE;
}

int alerts_main(int argc, char **argv)
{
	struct request *request = calloc(1, sizeof(*request));
	int status;

	if (request == NULL)
		return ALERTS_FAILED;
	request->command = argv[0];
	status = read_arguments(request, argc, argv);
	if (status == ALERTS_FINE)
		status = open_store(request);
	if (status == ALERTS_FINE)
		status = request->user != NULL ? acknowledge(request) : print_alerts(request);
	store_close(&request->store);
	free(request);
	return status;
}
