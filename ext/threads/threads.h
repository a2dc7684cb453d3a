/* A small pool of threads: `pool_run` cuts a job into parts, which the caller and the workers take one by one.

   The content of a part depends only on (part, parts), never on the thread, so results are those of a serial run with the
   same parts. A late or sleeping worker costs nothing: the others take its parts.

   The ticket is one 64-bit cell: job number (32 bits), parts (16), next part (16). A thread takes a part by replacing the
   ticket. The replacement succeeds only while the same job has parts left, so the job's fields, read before it, are valid.
   Workers spin for a short time after a job, then sleep.

   A second Python thread that calls while a job runs computes its own job alone. After fork the child has no workers: a
   handler resets the pool, and the next job starts new ones. */
#ifndef NNLITE_THREADS_H
#define NNLITE_THREADS_H

#include "threads/atomic.h"
#include "threads/os_threads.h"
#include "threads/runtime.h"

#define MOST_THREADS 256
#define SPINS_BEFORE_SLEEP 2000 /* about 50 microseconds: longer than the Python between two kernels */
#define SPINS_BEFORE_YIELD 20000

static struct {
    volatile int64_t ticket, busy, done, sleeping;
    part_function volatile work;
    void *volatile job;
    int64_t jobs;
    volatile int wanted, started; /* workers that may take parts, workers that exist */
    os_lock lock;
    os_condition wake;
} pool = {0, 0, 0, 0, NULL, NULL, 0, 0, 0, OS_LOCK_INIT, OS_CONDITION_INIT};

static int64_t ticket_job(int64_t ticket) { return (int64_t)((uint64_t)ticket >> 32); }
static int ticket_parts(int64_t ticket) { return (int)(ticket >> 16 & 0xffff); }
static int ticket_next(int64_t ticket) { return (int)(ticket & 0xffff); }

/* Takes and computes parts until the current ticket has none left. */
static void pool_take_parts(void) {
    for (;;) {
        int64_t ticket = atomic_get(&pool.ticket);
        int part = ticket_next(ticket), parts = ticket_parts(ticket);
        part_function work = pool.work;
        void *job = pool.job;
        if (part >= parts) return;
        if (!atomic_replace(&pool.ticket, ticket, ticket + 1)) continue;
        work(job, part, parts);
        atomic_add(&pool.done, 1);
    }
}

/* Waits for a job other than `seen`; returns its number. */
static int64_t pool_next_job(int64_t seen) {
    int spins;
    int64_t job;
    for (spins = 0; spins < SPINS_BEFORE_SLEEP; spins++) {
        if ((job = ticket_job(atomic_get(&pool.ticket))) != seen) return job;
        spin_pause();
    }
    os_acquire(&pool.lock);
    atomic_add(&pool.sleeping, 1);
    while ((job = ticket_job(atomic_get(&pool.ticket))) == seen) os_wait(&pool.wake, &pool.lock);
    atomic_add(&pool.sleeping, -1);
    os_release(&pool.lock);
    return job;
}

OS_THREAD_FUNCTION(pool_worker) {
    int index = (int)(intptr_t)argument;
    int64_t seen = 0;
    for (;;) {
        seen = pool_next_job(seen);
        if (index < pool.wanted) pool_take_parts();
    }
    OS_THREAD_RETURN;
}

static void pool_wake_sleepers(void) {
    if (atomic_get(&pool.sleeping) == 0) return;
    os_acquire(&pool.lock);
    os_wake_all(&pool.wake);
    os_release(&pool.lock);
}

static void run_serially(part_function work, void *job, int parts) {
    int part;
    for (part = 0; part < parts; part++) work(job, part, parts);
}

/* Calls work(job, part, parts) once for every part; parts <= NNLITE_MOST_PARTS. */
static void pool_run(part_function work, void *job, int parts) {
    int spins;
    if (parts <= 1 || pool.wanted == 0 || !atomic_replace(&pool.busy, 0, 1)) {
        run_serially(work, job, parts);
        return;
    }
    while (pool.started < pool.wanted && os_start(pool_worker, (void *)(intptr_t)pool.started)) pool.started++;
    pool.work = work;
    pool.job = job;
    atomic_set(&pool.done, 0);
    pool.jobs = (pool.jobs + 1) & 0x7fffffff;
    atomic_set(&pool.ticket, pool.jobs << 32 | (int64_t)parts << 16);
    pool_wake_sleepers();
    pool_take_parts();
    for (spins = 0; atomic_get(&pool.done) < parts; spins++) {
        if (spins < SPINS_BEFORE_YIELD)
            spin_pause();
        else
            os_yield();
    }
    atomic_set(&pool.busy, 0);
}

static void pool_forget_workers(void) {
    os_lock lock = OS_LOCK_INIT;
    os_condition wake = OS_CONDITION_INIT;
    pool.lock = lock;
    pool.wake = wake;
    pool.started = 0;
    pool.sleeping = 0;
    pool.ticket = 0;
    pool.jobs = 0;
    pool.busy = 0;
}

static void pool_prepare(void) {
#ifndef _WIN32
    pthread_atfork(NULL, NULL, pool_forget_workers);
#endif
}

#endif
