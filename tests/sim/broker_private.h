/* Inside of the simulated broker: broker.c, archive.c and operator.c. */
#ifndef TTG_SIM_BROKER_PRIVATE_H
#define TTG_SIM_BROKER_PRIVATE_H

#include "net/net.h"
#include "sim/broker.h"
#include "sim/model.h"
#include "sim/notary.h"

#define BROKER_JOURNAL       "/journal"
#define BROKER_ARCHIVE       "/archive"
#define BROKER_BACKUP        "/backup"
#define BROKER_KEYS          "/keys"
#define BROKER_SEGMENT_BYTES (64u * 1024)
#define BROKER_SECRET                                                                              \
	{                                                                                          \
		7                                                                                  \
	}

struct broker {
	struct disk *disk;
	struct rules *rules;     /* in force, or to be at the next start */
	uint64_t due_s, seen_s;  /* what is first to lapse, and due; the clock when that was looked at */
	int64_t due_since_ns;
	struct journal *journal; /* NULL: down */
	struct net *net;         /* NULL: down */
	struct notary *notary;   /* a process of its own */
	uint8_t master, before;  /* first byte of the key store's master keys: this one, and the one before */
	bool full;               /* the disk was made to be */
	bool has_backup, restored, restored_once;
	uint64_t backup_sequence;
	uint64_t steps;
	size_t weight; /* bytes held after the first start, beside what weigh.c names */
	size_t large;  /* and large buffers */
	uint64_t most_unsealed; /* records at once, of this process */
	/* Of the last recovery; the next one of the same records must come to the same. */
	uint64_t recovered_sequence, recovered_from, recovered_digest;
};

/* archive.c: begins to keep it, if this life has one; it is open; the journal let go of nothing that it
   has not. */
enum ttg_error broker_start_archive(struct broker *broker);
bool broker_archive_ready(const struct broker *broker);
void broker_check_let_go(const struct broker *broker, uint64_t first_before);

/* bounds.c: no queue is longer than it may be. */
void broker_check_bounds(const struct broker *broker);
/* weigh.c: nor does it hold more memory than that takes. The first start tells what it takes empty.
 */
void broker_weigh_first(struct broker *broker);
void broker_weigh(const struct broker *broker);

/* Rules of core_play.h with other numbers in them; limited: until when. */
struct rules *broker_make_rules(bool limited, int64_t until_ns, bool tight);

#endif
