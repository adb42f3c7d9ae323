/* ttg-probation: see common/adapter.h for the frame and probation.h for what is read. */
#include "probation/probation.h"

int main(int argc, char **argv)
{
	return adapter_main(&probation_kind, argc, argv);
}
