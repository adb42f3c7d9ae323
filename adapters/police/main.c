/* ttg-police: see common/adapter.h for the frame and police.h for what is read. */
#include "police/police.h"

int main(int argc, char **argv)
{
	return adapter_main(&police_kind, argc, argv);
}
