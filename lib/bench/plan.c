#include "bench/plan.h"

#include <math.h>

static uint64_t round_up(uint64_t n, uint64_t group) {
    return (n + group - 1) / group * group;
}

static uint64_t clamp(double ns, uint64_t low, uint64_t high) {
    return ns <= (double)low ? low : ns >= (double)high ? high : (uint64_t)ns;
}

static double positive_or(double given, double code, double fallback) {
    return given > 0 ? given : code > 0 ? code : fallback;
}

static uint64_t group_of(pk_plan_sides sides, unsigned layouts) {
    uint64_t each = layouts > 0 ? layouts : 1;
    return sides == PK_PLAN_ISOLATED      ? 4 * each
           : sides == PK_PLAN_INTERLEAVED ? 2 * each
           : layouts > 0                  ? each
                                          : 2;
}

/* Times the workers share: many short workers, as long as each is worth its start. */
static void share_time(pk_plan *plan, const pk_bench_options *o, const pk_worker_offer *offer,
                       uint64_t least) {
    double total_s = positive_or(o->measurement_time_s, offer->measurement_time_s,
                                 PK_BENCH_DEFAULT_MEASUREMENT_S);
    double warm_s = o->warm_up_time_s >= 0
                        ? o->warm_up_time_s
                        : positive_or(-1, offer->warm_up_time_s, PK_BENCH_DEFAULT_WARM_UP_S);
    /* One that starts slowly is worth a longer stay. */
    double workers = fmax((double)least, offer->start_ns ? 0 : PK_BENCH_DEFAULT_WORKERS);
    plan->worker_ns = clamp(total_s * 1e9 / workers, PK_PLAN_WORKER_NS_MIN, PK_PLAN_WORKER_NS_MAX);
    double planned = fmax(floor(total_s * 1e9 / (double)plan->worker_ns + 0.5), (double)least);
    plan->planned = planned < 1e9 ? (uint64_t)planned : 1000000000u;
    plan->warm_ns = (uint64_t)(fmin(warm_s, 1e6) * 1e9 / (double)plan->planned);
}

pk_plan pk_plan_of(const pk_bench_options *o, const pk_worker_offer *offer, pk_plan_sides sides,
                   unsigned layouts, uint64_t former, double timer_cost_ns) {
    uint64_t least = o->sample_size > 0       ? o->sample_size
                     : offer->sample_size > 0 ? offer->sample_size
                                              : PK_BENCH_DEFAULT_WORKERS_LEAST;
    pk_plan plan = {
        .sides = sides,
        .layouts = layouts,
        .group = group_of(sides, layouts),
        .noise_threshold =
            positive_or(o->noise_threshold, offer->noise_threshold, PK_BENCH_DEFAULT_NOISE),
        .confidence_level =
            positive_or(o->confidence_level, offer->confidence_level, PK_BENCH_DEFAULT_CONFIDENCE),
        .unit_ns = PK_PLAN_UNIT_NS,
    };
    if (timer_cost_ns * PK_PLAN_UNIT_TIMER_READS > PK_PLAN_UNIT_NS) /* false for NaN */
        plan.unit_ns = (uint64_t)(timer_cost_ns * PK_PLAN_UNIT_TIMER_READS);
    share_time(&plan, o, offer, least);
    if (o->quick) {
        plan.planned = least = PK_PLAN_QUICK_WORKERS;
        plan.worker_ns = PK_PLAN_QUICK_WORKER_NS;
    }
    plan.least = round_up(former + least, plan.group);
    uint64_t planned = (former + plan.planned) / plan.group * plan.group;
    plan.planned = planned > plan.least ? planned : plan.least;
    bool extend = sides != PK_PLAN_SINGLE && !o->quick;
    uint64_t factor = extend ? PK_BENCH_BUDGET_FACTOR_MAX : 1;
    plan.most = round_up(former + factor * (plan.planned - former), plan.group);
    uint64_t start_ns = offer->start_ns ? offer->start_ns : PK_PLAN_START_NS;
    plan.budget_ns = (plan.most - former) * (plan.worker_ns + plan.warm_ns + start_ns);
    return plan;
}

void pk_plan_isolate(pk_plan *plan) {
    plan->sides = PK_PLAN_ISOLATED;
    plan->group = group_of(plan->sides, plan->layouts);
    plan->least = round_up(plan->least, plan->group);
    plan->planned = round_up(plan->planned, plan->group);
    plan->most = round_up(plan->most, plan->group);
}

pk_plan_turn pk_plan_turn_of(const pk_plan *plan, uint64_t i) {
    pk_plan_turn turn = {.has = {[PK_SIDE_NEW] = true}, .layout = -1};
    uint64_t block = plan->sides == PK_PLAN_ISOLATED ? i / 4 : i; /* of one layout */
    uint64_t layouts = plan->layouts > 0 ? plan->layouts : 1;
    bool odd = block / layouts % 2 == 1;
    if (plan->layouts > 0) turn.layout = (int)(block % layouts);
    if (plan->sides == PK_PLAN_INTERLEAVED) {
        turn.has[PK_SIDE_OLD] = true;
        turn.old_first = !odd;
    } else if (plan->sides == PK_PLAN_ISOLATED) {
        /* old new new old, then new old old new: a drift, linear over a block, cancels in it. */
        turn.old_first = (i % 4 == 0 || i % 4 == 3) != odd;
        turn.has[PK_SIDE_OLD] = turn.old_first;
        turn.has[PK_SIDE_NEW] = !turn.old_first;
    }
    return turn;
}

static bool too_many_failures(uint64_t workers, uint64_t failures) {
    return failures > 0 &&
           (double)failures > PK_PLAN_FAILED_RATIO_MAX * (double)(workers + failures);
}

bool pk_plan_failed(const pk_plan_state *s) {
    uint64_t workers = s->workers - s->former;
    return too_many_failures(workers, s->failures) || s->refusals > workers;
}

pk_plan_step pk_plan_next(const pk_plan *plan, const pk_plan_state *s) {
    /* Given up when nothing works, or when even a faultless rest could not make it good. */
    uint64_t workers = s->workers - s->former, most = plan->most - s->former;
    if (s->failures + s->refusals >= PK_PLAN_HOPELESS && workers == 0) return PK_STEP_FAILED;
    if (too_many_failures(most, s->failures)) return PK_STEP_FAILED;
    if (s->refusals >= PK_PLAN_HOPELESS && s->refusals > 2 * workers) return PK_STEP_FAILED;
    if (s->workers >= plan->most) return PK_STEP_ENOUGH;
    if (s->workers < plan->least || s->workers % plan->group != 0) return PK_STEP_WORKER;
    if (s->spent_ns >= plan->budget_ns) return PK_STEP_ENOUGH;
    uint64_t every = round_up(PK_PLAN_LOOK_EVERY, plan->group);
    return (s->workers - plan->least) % every == 0 ? PK_STEP_LOOK : PK_STEP_WORKER;
}
