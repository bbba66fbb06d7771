#include "bench/page_parts.h"

#include <math.h>

static const pk_column columns[] = {{"", false}, {"", false}};

static void text_row(pk_page *page, const char *name, const char *value) {
    if (!value[0]) return;
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    pk_page_cell(page, PK_TINT_NONE, "%s", value);
}

static void number_row(pk_page *page, const char *name, double value, const char *unit) {
    char text[PK_QUANTITY_MAX];
    if (!isfinite(value) || value < 0) return;
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    pk_page_cell(page, PK_TINT_NONE, "%s%s%s",
                 pk_quantity_text(text, sizeof text, PK_Q_NUMBER, value, 4), unit[0] ? " " : "",
                 unit);
}

static void count_row(pk_page *page, const char *name, int value) {
    if (value < 0) return;
    pk_page_cell(page, PK_TINT_NONE, "%s", name);
    pk_page_cell(page, PK_TINT_NONE, "%d", value);
}

static void switch_row(pk_page *page, const char *name, int value) {
    if (value >= 0) text_row(page, name, value ? "on" : "off");
}

void pk_page_environment(pk_page *page, const pk_environment *e) {
    pk_page_table_begin(page, "The machine, as far as it is known.", 2, columns);
    text_row(page, "CPU", e->cpu_model);
    count_row(page, "CPUs", e->cpus);
    count_row(page, "of them for us", e->cpus_allowed);
    text_row(page, "hypervisor", e->hypervisor);
    text_row(page, "frequency driver", e->scaling_driver);
    text_row(page, "governor", e->governor);
    switch_row(page, "turbo", e->turbo);
    number_row(page, "frequency, least", e->mhz_min > 0 ? e->mhz_min : NAN, "MHz");
    number_row(page, "frequency, most", e->mhz_max > 0 ? e->mhz_max : NAN, "MHz");
    number_row(page, "frequency, now", e->mhz_now > 0 ? e->mhz_now : NAN, "MHz");
    switch_row(page, "simultaneous multithreading", e->smt);
    text_row(page, "isolated CPUs", e->isolated);
    text_row(page, "tickless CPUs", e->nohz_full);
    text_row(page, "idle driver", e->cpuidle_driver);
    text_row(page, "microcode", e->microcode);
    count_row(page, "address randomisation", e->aslr);
    text_row(page, "clock source", e->clock_source);
    number_row(page, "one reading of the clock", e->timer_cost_ns, "ns");
    text_row(page, "kernel", e->kernel);
    number_row(page, "load average of 1 min", e->load_1, "");
    count_row(page, "runnable tasks", e->runnable);
    number_row(page, "temperature", e->temperature_c, "°C");
    switch_row(page, "mains power", e->on_ac_power);
    text_row(page, "compiler of perfkit", e->compiler);
    pk_page_table_end(page);
}

void pk_page_machine(pk_page *page, const pk_bench_report *run) {
    pk_page_environment(page, &run->environment);
    for (size_t i = 0; i < run->n_warnings; i++)
        pk_page_text(page, PK_TINT_WARN, "Warning: %s", run->warnings[i]);
}
