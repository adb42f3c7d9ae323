/* Inside of the simulated broker: broker.c and operator.c. */
#ifndef TTG_SIM_BROKER_PRIVATE_H
#define TTG_SIM_BROKER_PRIVATE_H

#include "net/net.h"
#include "sim/broker.h"
#include "sim/model.h"

#define BROKER_JOURNAL "/journal"
#define BROKER_BACKUP  "/backup"
#define BROKER_SECRET                                                                              \
	{                                                                                          \
		7                                                                                  \
	}

struct broker {
	struct disk *disk;
	struct rules *rules;     /* in force, or to be at the next start */
	struct journal *journal; /* NULL: down */
	struct net *net;         /* NULL: down */
	bool full;               /* the disk was made to be */
	bool has_backup, restored;
	uint64_t backup_sequence;
	uint64_t steps;
};

/* Rules of core_play.h with other numbers in them; limited: until when. */
struct rules *broker_make_rules(bool limited, int64_t until_ns, bool tight);

#endif
