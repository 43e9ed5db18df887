/*
 * The uthash family with its out-of-memory hooks set to ours. Include this instead of the library's headers.
 */
#ifndef BASE_CONTAINERS_H
#define BASE_CONTAINERS_H

#include "base/memory.h"

#define uthash_fatal(message) memory_exhausted()
#define utarray_oom() memory_exhausted()
#define utstring_oom() memory_exhausted()

/* Most tables hold the one process of a group: a table begins small and grows. */
#define HASH_INITIAL_NUM_BUCKETS 4U
#define HASH_INITIAL_NUM_BUCKETS_LOG2 2U

/* The default expands to a switch that falls through, which clang warns of wherever it is used. This one is short. */
#define HASH_FUNCTION(key, length, hash) HASH_FNV(key, length, hash)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <utarray.h>
#include <uthash.h>
#include <utlist.h>
#include <utstring.h>
#pragma GCC diagnostic pop

#endif
