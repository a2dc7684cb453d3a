/* The state that all kernel modules share: the chosen instruction set and one pool of threads.

   One `struct runtime` lives in nnlite_ext._threads; the other modules receive its address in a capsule. */
#ifndef NNLITE_RUNTIME_H
#define NNLITE_RUNTIME_H

#define NNLITE_RUNTIME_NAME "nnlite_ext._threads.runtime"
#define NNLITE_MOST_PARTS 4096

/* Computes part `part` of `parts`; a part must not depend on the results of another. */
typedef void (*part_function)(void *job, int part, int parts);

struct runtime {
    int level;   /* index into nnlite_level_names */
    int threads; /* threads that may work at once, the calling one included */
    void (*run)(part_function work, void *job, int parts); /* returns when all parts are done */
};

/* The items [*first, *last) of `count` that belong to a part. Parts are cut at multiples of `grain`; the last part takes the
   rest, so no part has fewer than `grain` items unless there are fewer. */
static inline void share_of(long long count, long long grain, int part, int parts, long long *first, long long *last) {
    long long grains = count / grain;
    *first = grains * part / parts * grain;
    *last = part == parts - 1 ? count : grains * (part + 1) / parts * grain;
}

/* The number of parts for `count` grains: a few for each thread, so that a late thread delays no other. */
static inline int parts_for(const struct runtime *runtime, long long count, int per_thread) {
    long long parts = (long long)runtime->threads * per_thread;
    if (parts > count) parts = count;
    if (parts > NNLITE_MOST_PARTS) parts = NNLITE_MOST_PARTS;
    return parts < 1 ? 1 : (int)parts;
}

#endif
