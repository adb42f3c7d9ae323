/* ttg-oneservice: chooses between the running adapter and the commands beside it. */
#include <string.h>
#include "oneservice/alerts.h"
#include "oneservice/publish.h"
#include "oneservice/report.h"
#include "oneservice/service.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "publish") == 0)
		return publish_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "report") == 0)
		return report_main(argc - 1, argv + 1);
	if (argc > 1 && (strcmp(argv[1], "alerts") == 0 || strcmp(argv[1], "acknowledge") == 0))
		return alerts_main(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "run") == 0)
		return adapter_main(&service_kind, argc - 1, argv + 1);
	return adapter_main(&service_kind, argc, argv);
}
