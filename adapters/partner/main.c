/* ttg-partner: chooses between the running adapter and the commands beside it. */
#include <string.h>
#include "partner/dead.h"
#include "partner/partner.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "dead") == 0)
		return dead_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return adapter_main(&partner_kind, argc - 1, argv + 1);
	return adapter_main(&partner_kind, argc, argv);
}
