/* Publishes one release and prints what became of it. */
#include <stdio.h>
#include <time.h>
#include <ttg/client.h>
#include <ttg/event.h>

static void on_outcome(void *user, const struct ttg_outcome *outcome)
{
	if (outcome->code)
		printf("%s: %s\n", ttg_error_name(outcome->code), outcome->text);
	else
		printf("accepted as %llu\n", (unsigned long long)outcome->sequence);
	*(int *)user = 1;
}

int main(int argc, char **argv)
{
	Ttg__Event event = TTG__EVENT__INIT;
	Ttg__Time now = TTG__TIME__INIT;
	Ttg__PrisonReleased released = TTG__PRISON_RELEASED__INIT;
	uint8_t id[TTG_UUID_BYTES], *bytes;
	char why[TTG_MESSAGE_TEXT] = "";
	struct ttg_client *client;
	int answered = 0;
	size_t len;

	if (argc != 5 || ttg_uuid_new(id))
		return fprintf(stderr, "usage: example BROKER SERVER-KEY KEY AGENCY\n"), 2;
	now.unix_ns = (int64_t)time(NULL) * 1000000000;
	released.at_liberty = 1;
	released.released_at = &now;
	released.prison_code = "PBI";
	event.id = (ProtobufCBinaryData){ sizeof(id), id };
	event.source = argv[4];
	event.type = "prison.released";
	event.occurred_at = &now;
	event.payload_case = TTG__EVENT__PAYLOAD_PRISON_RELEASED;
	event.prison_released = &released;
	struct ttg_client_options options = { .broker = argv[1], .server_key_file = argv[2],
		.key_file = argv[3], .callbacks = { .user = &answered, .on_outcome = on_outcome } };
	if (ttg_client_new(&client, &options, why))
		return fprintf(stderr, "%s\n", why), 1;
	if (!ttg_event_pack(&event, &bytes, &len) && !ttg_client_publish(client, id, bytes, len, NULL))
		while (!answered && !ttg_client_poll(client, -1))
			;
	ttg_client_free(&client);
	return !answered;
}
