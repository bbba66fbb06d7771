#include "tests/programs/conformance/counts.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const count_names[COUNTS] = {"requests", "answers", "connections", "sent_bytes",
                                                "body_bytes"};

struct count_row {
    char path[COUNT_PATH_MAX];
    bool is_tls;
    uint64_t n[COUNTS];
};

struct counts {
    pthread_mutex_t lock;
    unsigned active;
    uint64_t unused;
    size_t n_rows;
    count_row rows[COUNT_ROWS_MAX];
};

counts *counts_new(void) {
    counts *c = calloc(1, sizeof *c);
    if (c) pthread_mutex_init(&c->lock, NULL);
    return c;
}

void counts_free(counts *c) {
    if (c) pthread_mutex_destroy(&c->lock);
    free(c);
}

count_row *counts_row(counts *c, const char *path, bool is_tls) {
    count_row *row = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_rows && !row; i++)
        if (c->rows[i].is_tls == is_tls && strcmp(c->rows[i].path, path) == 0) row = &c->rows[i];
    if (!row && c->n_rows < COUNT_ROWS_MAX) {
        row = &c->rows[c->n_rows++];
        snprintf(row->path, sizeof row->path, "%s", path);
        row->is_tls = is_tls;
    }
    pthread_mutex_unlock(&c->lock);
    return row;
}

uint64_t counts_add(counts *c, count_row *row, enum count what, uint64_t n) {
    pthread_mutex_lock(&c->lock);
    uint64_t before = row->n[what];
    row->n[what] += n;
    pthread_mutex_unlock(&c->lock);
    return before;
}

void counts_active(counts *c, int change, bool had_request) {
    pthread_mutex_lock(&c->lock);
    c->active += (unsigned)change;
    if (change < 0 && !had_request) c->unused++;
    pthread_mutex_unlock(&c->lock);
}

unsigned counts_active_now(counts *c) {
    pthread_mutex_lock(&c->lock);
    unsigned active = c->active;
    pthread_mutex_unlock(&c->lock);
    return active;
}

void counts_print(counts *c) {
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n_rows; i++) {
        const count_row *row = &c->rows[i];
        printf("%s %s", row->is_tls ? "https" : "http", row->path);
        for (int k = 0; k < COUNTS; k++) printf(" %s %" PRIu64, count_names[k], row->n[k]);
        printf("\n");
    }
    printf("unused connections %" PRIu64 "\n", c->unused);
    pthread_mutex_unlock(&c->lock);
}
