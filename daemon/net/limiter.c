/*
 * Token buckets by agency id. Owner: the loop. A bucket is made at an agency's first event and
 * kept; there are at most RULES_MAX_AGENCIES. Without memory for a bucket the event passes: a rate
 * is a courtesy to the others, not a security boundary.
 */
#include "net/limiter.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define NS_PER_S 1000000000LL

struct bucket {
	char agency[RULES_ID_MAX + 1];
	double tokens;
	int64_t filled_ns;
	UT_hash_handle hh;
};

struct limiter {
	struct bucket *buckets;
};

static struct bucket *bucket_of(struct limiter *limiter, const struct rules_agency *agency,
				int64_t mono_ns);

bool limiter_take(struct limiter *limiter, const struct rules_agency *agency, int64_t mono_ns)
{
	if (agency->rate_per_s == 0)
		return true;
	struct bucket *bucket = bucket_of(limiter, agency, mono_ns);
	if (!bucket)
		return true;
	const double burst = agency->burst ? (double)agency->burst : 1.0;
	const double elapsed_s = (double)(mono_ns - bucket->filled_ns) / (double)NS_PER_S;
	bucket->tokens += elapsed_s * (double)agency->rate_per_s;
	if (bucket->tokens > burst)
		bucket->tokens = burst;
	bucket->filled_ns = mono_ns;
	if (bucket->tokens < 1.0)
		return false;
	bucket->tokens -= 1.0;
	return true;
}

static struct bucket *bucket_of(struct limiter *limiter, const struct rules_agency *agency,
				int64_t mono_ns)
{
	struct bucket *bucket = NULL;
	HASH_FIND_STR(limiter->buckets, agency->id, bucket);
	if (bucket)
		return bucket;
	bucket = calloc(1, sizeof *bucket);
	if (!bucket)
		return NULL;
	memcpy(bucket->agency, agency->id, sizeof bucket->agency);
	bucket->tokens = (double)agency->burst;
	bucket->filled_ns = mono_ns;
	HASH_ADD_STR(limiter->buckets, agency, bucket);
	return bucket;
}

struct limiter *limiter_new(void)
{
	return calloc(1, sizeof(struct limiter));
}

void limiter_free(struct limiter **limiter)
{
	if (!*limiter)
		return;
	struct bucket *bucket = NULL, *next = NULL;
	HASH_ITER(hh, (*limiter)->buckets, bucket, next) {
		HASH_DEL((*limiter)->buckets, bucket);
		free(bucket);
	}
	free(*limiter);
	*limiter = NULL;
}

bool log_quota_take(struct log_quota *quota, int64_t mono_ns, uint64_t *suppressed)
{
	const int64_t second = mono_ns / NS_PER_S;
	if (second != quota->second) {
		quota->second = second;
		quota->used = 0;
	}
	if (quota->used >= LOG_QUOTA_A_SECOND) {
		quota->suppressed++;
		return false;
	}
	quota->used++;
	*suppressed = quota->suppressed;
	quota->suppressed = 0;
	return true;
}
