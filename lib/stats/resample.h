/* Random indices in bulk, for resampling: eight generators (xoshiro256**, stats/random.h) side by
 * side, so that one instruction advances several. Each number gives two indices. */
#ifndef PK_STATS_RESAMPLE_H
#define PK_STATS_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define PK_RESAMPLE_LANES 8
#define PK_RESAMPLE_GROUP 16 /* indices per step: two per lane */

typedef struct pk_resample {
    uint64_t state[4][PK_RESAMPLE_LANES];
} pk_resample;

/* Lane i starts as pk_random_seed would with the i-th number of the generator that this seed and
 * block give: blocks are independent of each other. */
void pk_resample_seed(pk_resample *resample, uint64_t seed, uint64_t block);
/* Room that n indices need: n rounded up to whole groups. */
size_t pk_resample_room(size_t n);
/* index[0..pk_resample_room(n)), uniform on 0..n-1; n >= 1. Of a group the first eight come from
 * the low halves, the others from the high halves: (half * n) >> 32. No index is more likely than
 * another by more than n / 2^32 of its probability. */
void pk_resample_draw(pk_resample *resample, uint32_t n, uint32_t index[]);

#endif
