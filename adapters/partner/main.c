/* ttg-partner: chooses between the running adapter and the commands beside it. */
#include <string.h>
#include "partner/dead.h"
#include "partner/inbox.h"
#include "web/users.h"

int main(int argc, char **argv)
{
	const struct web_site site = inbox_site(NULL);

	if (argc > 1 && strcmp(argv[1], "user") == 0)
		return web_users_main(argc - 1, argv + 1, "ttg-partner", &site);
	if (argc > 1 && strcmp(argv[1], "dead") == 0)
		return dead_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return adapter_main(&partner_kind, argc - 1, argv + 1);
	return adapter_main(&partner_kind, argc, argv);
}
