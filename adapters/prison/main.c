/* ttg-prison: see common/adapter.h for the frame and prison.h for what is read. */
#include "prison/prison.h"

int main(int argc, char **argv)
{
	return adapter_main(&prison_kind, argc, argv);
}
