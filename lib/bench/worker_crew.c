#include "bench/worker_crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "timing/clock.h"

typedef struct member {
    struct pk_crew *crew;
    pthread_t thread;
    perfkit_run run;
    uint64_t end_ns, cpu_ns;
} member;

struct pk_crew {
    pthread_mutex_t mutex;
    pthread_cond_t begin, end;
    uint64_t round; /* counted from 1; these, and what a round needs, under the mutex */
    bool quit;
    uint32_t n, n_done;
    perfkit_body *body;
    atomic_uint_least32_t n_here;
    atomic_uint_least64_t go; /* the round that may start */
    uint64_t start_ns;        /* written before `go`, read behind it */
    member members[];
};

/* ---- a thread ---- */

static void meet(pk_crew *crew, uint64_t round) {
    enum { SPINS = 1000 };
    if (atomic_fetch_add(&crew->n_here, 1) + 1 == crew->n) {
        crew->start_ns = pk_now_ns();
        atomic_store(&crew->go, round);
        return;
    }
    /* Whoever is yet to come may need this processor. */
    for (unsigned i = 0; atomic_load(&crew->go) != round; i++)
        if (i >= SPINS) sched_yield();
}

static void run_member(member *me, perfkit_body *body, uint64_t round) {
    meet(me->crew, round);
    const uint64_t cpu_start = pk_unit_cpu_ns();
    body(&me->run);
    me->end_ns = pk_now_ns();
    me->cpu_ns = pk_unit_cpu_ns() - cpu_start;
}

static void *live(void *argument) {
    member *me = argument;
    pk_crew *crew = me->crew;
    pthread_mutex_lock(&crew->mutex);
    for (uint64_t round = 0;;) {
        while (crew->round == round && !crew->quit) pthread_cond_wait(&crew->begin, &crew->mutex);
        if (crew->quit) break;
        round = crew->round;
        perfkit_body *body = crew->body;
        pthread_mutex_unlock(&crew->mutex);
        run_member(me, body, round);
        pthread_mutex_lock(&crew->mutex);
        if (++crew->n_done == crew->n) pthread_cond_signal(&crew->end);
    }
    pthread_mutex_unlock(&crew->mutex);
    return NULL;
}

/* ---- the crew ---- */

pk_crew *pk_crew_new(uint32_t threads, pk_err *err) {
    pk_crew *crew = calloc(1, sizeof *crew + threads * sizeof crew->members[0]);
    if (!crew) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for %u threads", threads);
        return NULL;
    }
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->begin, NULL);
    pthread_cond_init(&crew->end, NULL);
    for (; crew->n < threads; crew->n++) {
        member *m = &crew->members[crew->n];
        m->crew = crew;
        if (pthread_create(&m->thread, NULL, live, m) == 0) continue;
        pk_fail(err, PK_E_LIMIT, NULL, "only %u of its %u threads could be started", crew->n,
                threads);
        pk_fix(err, "give it fewer, or raise the limit (ulimit -u)");
        pk_crew_free(crew);
        return NULL;
    }
    return crew;
}

void pk_crew_free(pk_crew *crew) {
    if (!crew) return;
    pthread_mutex_lock(&crew->mutex);
    crew->quit = true;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->mutex);
    for (uint32_t i = 0; i < crew->n; i++) pthread_join(crew->members[i].thread, NULL);
    pthread_cond_destroy(&crew->end);
    pthread_cond_destroy(&crew->begin);
    pthread_mutex_destroy(&crew->mutex);
    free(crew);
}

static void run_round(pk_crew *crew, perfkit_body *body, const perfkit_run *run) {
    pthread_mutex_lock(&crew->mutex);
    for (uint32_t i = 0; i < crew->n; i++) {
        perfkit_run *own = &crew->members[i].run;
        *own = *run;
        own->thread = i;
        memset(own->counters, 0, sizeof own->counters);
    }
    crew->body = body;
    crew->n_done = 0;
    atomic_store(&crew->n_here, 0);
    crew->round++;
    pthread_cond_broadcast(&crew->begin);
    while (crew->n_done < crew->n) pthread_cond_wait(&crew->end, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}

void pk_crew_unit(pk_crew *crew, perfkit_body *body, perfkit_run *run, pk_unit *unit) {
    struct rusage usage[2];
    getrusage(RUSAGE_SELF, &usage[0]);
    run_round(crew, body, run);
    getrusage(RUSAGE_SELF, &usage[1]);
    uint64_t last_ns = crew->start_ns, all_ns = 0;
    for (uint32_t i = 0; i < crew->n; i++) {
        const member *m = &crew->members[i];
        if (m->end_ns > last_ns) last_ns = m->end_ns;
        all_ns += m->cpu_ns;
        for (size_t k = 0; k < PERFKIT_COUNTERS_MAX; k++) run->counters[k] += m->run.counters[k];
    }
    *unit = (pk_unit){
        .start_ns = crew->start_ns,
        .wall_ns = last_ns - crew->start_ns,
        .elapsed_ns = last_ns - crew->start_ns,
        .cpu_ns = all_ns,
        .switches_voluntary = (uint64_t)(usage[1].ru_nvcsw - usage[0].ru_nvcsw),
        .switches_involuntary = (uint64_t)(usage[1].ru_nivcsw - usage[0].ru_nivcsw),
        .faults_minor = (uint64_t)(usage[1].ru_minflt - usage[0].ru_minflt),
        .faults_major = (uint64_t)(usage[1].ru_majflt - usage[0].ru_majflt),
    };
}
