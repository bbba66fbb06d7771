#include "flame/perf_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/hex.h"
#include "base/lines.h"
#include "flame/collapse_event.h"
#include "flame/perf_line.h"
#include "flame/perf_text_stacks.h"

#define LINE_BYTES_MAX (64u << 10)
#define NAMES_BYTES_MAX (1u << 24) /* of one line */
#define CACHE_BYTES_MAX (64u << 20)
#define CACHE_NAMES_MAX (1u << 24)
#define EVENT_BYTES_MAX 256                  /* of its name; what is longer is cut */
#define FRAMES_MAX (PK_STACK_DEPTH_MAX - 1u) /* the thread's name comes before them */

/* What a line of a callchain stands for. */
typedef struct cached {
    uint32_t first, n; /* of cache.names; the outermost first */
    uint32_t module;   /* UINT32_MAX: not counted */
    bool ignored, unknown, inlined, skip_callers;
} cached;

/* Callchains repeat their lines, so each is read once. When it is full it begins anew. */
typedef struct line_cache {
    pk_names *lines; /* their numbers are those of `entries` */
    pk_array entries;
    pk_array names; /* uint32_t, of the profile's names */
} line_cache;

struct pk_perf_text {
    const pk_collapse_options *options;
    pk_profile *profile;
    pk_text_stacks stacks;
    line_cache cache;
    pk_perf_text_counts counts;
    pk_strbuf rest; /* of a line that is not whole yet */
    bool overlong;  /* its beginning is gone: ignored */

    char *event; /* the wanted one, without modifiers; NULL: the first that comes */
    bool has_first, all_have_periods;
    uint64_t first_ns, last_ns; /* of all events */

    /* The event at hand. */
    bool in_event, wanted, java;
    pk_text_sample sample; /* its pieces lie in `head` */
    pk_strbuf head;        /* the event's line */
    pk_array frames;       /* uint32_t, the innermost first */
    pk_strbuf texts;       /* of a line's names */
};

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the text of perf script");
    return false;
}

/* ---- the cache of lines ---- */

static bool cache_open(line_cache *cache) {
    *cache = (line_cache){.lines = pk_names_new(CACHE_BYTES_MAX),
                          .entries = PK_ARRAY(cached, UINT32_MAX),
                          .names = PK_ARRAY(uint32_t, CACHE_NAMES_MAX)};
    return cache->lines != NULL;
}

static void cache_close(line_cache *cache) {
    pk_names_free(cache->lines);
    pk_array_fini(&cache->entries);
    pk_array_fini(&cache->names);
}

/* The entry of a line, a zeroed one if it is new. NULL: out of memory. */
static cached *cache_at(line_cache *cache, pk_piece line, bool *is_new) {
    uint32_t number = pk_names_intern(cache->lines, line.at, line.bytes);
    if (number == PK_NAME_NONE || cache->names.count + FRAMES_MAX > CACHE_NAMES_MAX) {
        cache_close(cache);
        if (!cache_open(cache)) return NULL;
        number = pk_names_intern(cache->lines, line.at, line.bytes);
        if (number == PK_NAME_NONE) return NULL;
    }
    *is_new = number == cache->entries.count;
    if (*is_new && !pk_array_push(&cache->entries)) return NULL;
    return &PK_AT(&cache->entries, cached, number);
}

/* ---- life ---- */

pk_perf_text *pk_perf_text_new(const pk_collapse_options *options, pk_profile *profile,
                               pk_err *err) {
    pk_perf_text *t = calloc(1, sizeof *t);
    if (!t) {
        no_memory(err);
        return NULL;
    }
    t->options = options;
    t->profile = profile;
    t->all_have_periods = true;
    t->frames = PK_ARRAY(uint32_t, FRAMES_MAX);
    pk_strbuf_init(&t->rest, LINE_BYTES_MAX);
    pk_strbuf_init(&t->head, LINE_BYTES_MAX);
    pk_strbuf_init(&t->texts, NAMES_BYTES_MAX);
    const char *event = options->event ? options->event : profile->event;
    if (event) t->event = strdup(event);
    bool ok = pk_text_stacks_init(&t->stacks, options, profile, err);
    if (ok && (!cache_open(&t->cache) || (event && !t->event))) ok = no_memory(err);
    if (ok) return t;
    pk_perf_text_free(t);
    return NULL;
}

void pk_perf_text_free(pk_perf_text *text) {
    if (!text) return;
    pk_text_stacks_fini(&text->stacks);
    cache_close(&text->cache);
    pk_strbuf_fini(&text->rest);
    pk_strbuf_fini(&text->head);
    pk_strbuf_fini(&text->texts);
    pk_array_fini(&text->frames);
    free(text->event);
    free(text);
}

pk_perf_text_counts pk_perf_text_counted(const pk_perf_text *text) {
    return text->counts;
}

/* ---- events ---- */

static bool end_event(pk_perf_text *t, pk_err *err) {
    pk_text_sample sample = t->sample;
    bool counts = t->in_event && t->wanted;
    t->in_event = false;
    t->sample = (pk_text_sample){0};
    if (!counts) return true;
    if (t->frames.count == 0) {
        t->counts.without++;
        return true;
    }
    t->counts.samples++;
    return pk_text_stacks_add(&t->stacks, &sample, t->frames.items, t->frames.count, err);
}

/* Is it the event that is wanted? The first one is, if nobody asked for another. */
static bool choose_event(pk_perf_text *t, pk_piece event, bool *wanted, pk_err *err) {
    char name[EVENT_BYTES_MAX];
    *wanted = true;
    if (event.bytes == 0) return true;
    snprintf(name, sizeof name, "%.*s", (int)event.bytes, event.at);
    if (!t->event) {
        t->event = strndup(name, pk_event_base_bytes(name));
        return t->event || no_memory(err);
    }
    *wanted = pk_event_is(name, t->event);
    return true;
}

static bool in_window(pk_perf_text *t, const pk_perf_event_line *line) {
    if (!line->has_time) return true;
    if (!t->has_first) t->first_ns = line->time_ns;
    t->has_first = true;
    t->last_ns = line->time_ns;
    uint64_t since = line->time_ns > t->first_ns ? line->time_ns - t->first_ns : 0;
    return since >= t->options->begin_ns && (t->options->end_ns == 0 || since < t->options->end_ns);
}

static bool begin_event(pk_perf_text *t, const pk_perf_event_line *line, pk_err *err) {
    bool of_event;
    if (!choose_event(t, line->event, &of_event, err)) return false;
    bool timely = in_window(t, line);
    t->wanted = of_event && timely && pk_text_stacks_wants(&t->stacks, line->comm, line->tid);
    if (!of_event) t->counts.other_events++;
    t->sample = (pk_text_sample){.comm = line->comm,
                                 .pid = line->pid,
                                 .tid = line->tid,
                                 .time_ns = line->time_ns,
                                 .weight = 1};
    if (line->has_period && !t->options->count_samples) t->sample.weight = line->period;
    if (t->wanted && !line->has_period) t->all_have_periods = false;
    t->java = pk_tidy_is_java(line->comm);
    t->frames.count = 0;
    t->in_event = true;
    return true;
}

/* ---- frames ---- */

/* Reads a frame's line into an entry of the cache. */
static bool read_frame(pk_perf_text *t, pk_piece line, cached *into, pk_err *err) {
    pk_perf_frame_line frame;
    into->module = UINT32_MAX;
    into->ignored = !pk_perf_frame_line_read(line, &frame);
    if (into->ignored) return true;
    into->unknown = pk_piece_is(frame.name, "[unknown]");
    into->inlined = pk_piece_is(frame.module, "inlined");
    if (into->inlined && t->options->symbolise.no_inline) return true;
    if (!into->inlined && !pk_piece_is(frame.module, "[unknown]"))
        into->module = pk_text_stacks_module(&t->stacks, frame.module);
    pk_strbuf_clear(&t->texts);
    pk_tidy_symbol symbol = {frame.name, frame.module, frame.address, t->java};
    size_t n = pk_tidy(&t->options->symbolise, &symbol, &t->texts, &into->skip_callers);
    if (!pk_strbuf_ok(&t->texts)) return no_memory(err);
    into->first = (uint32_t)t->cache.names.count;
    const char *text = t->texts.data;
    for (size_t i = 0; i < n && i < FRAMES_MAX; i++) {
        size_t bytes = strlen(text);
        uint32_t name = pk_names_intern(t->profile->names, text, bytes);
        uint32_t *place = name == PK_NAME_NONE ? NULL : pk_array_push(&t->cache.names);
        if (!place) return no_memory(err);
        *place = name;
        into->n++;
        text += bytes + 1;
    }
    return true;
}

/* The bytes of a frame's line that decide what it stands for: not the address, unless unknown
 * functions are called by it. Into t->texts, with a mark for Java in front. */
static pk_piece frame_key(pk_perf_text *t, pk_piece line) {
    line = pk_piece_trim(line);
    size_t skip = 0;
    uint64_t address;
    if (!t->options->symbolise.addresses) skip = pk_hex(line.at, line.bytes, &address);
    pk_strbuf_clear(&t->texts);
    pk_strbuf_add_char(&t->texts, (char)('0' + t->java + 2 * (skip > 0)));
    pk_strbuf_add(&t->texts, line.at + skip, line.bytes - skip);
    return (pk_piece){t->texts.data, t->texts.length};
}

static bool on_frame(pk_perf_text *t, pk_piece line, pk_err *err) {
    if (!t->wanted || t->sample.without_callers) return true;
    bool is_new;
    cached *entry = cache_at(&t->cache, frame_key(t, line), &is_new);
    if (!entry) return no_memory(err);
    if (is_new && !read_frame(t, line, entry, err)) return false;
    if (entry->ignored) {
        t->counts.ignored++;
        return true;
    }
    if (entry->module != UINT32_MAX) {
        pk_profile_module *m = pk_text_module(&t->stacks, entry->module);
        m->frames++;
        m->unknown += entry->unknown;
        if (!entry->unknown) m->symbols = true;
    }
    for (uint32_t i = entry->n; i > 0 && t->frames.count < FRAMES_MAX; i--) {
        uint32_t *frame = pk_array_push(&t->frames);
        if (!frame) return no_memory(err);
        *frame = PK_AT(&t->cache.names, uint32_t, entry->first + i - 1);
    }
    t->sample.without_callers = entry->skip_callers;
    return true;
}

/* ---- lines ---- */

/* "# hostname : vm": keeps the first of each. */
static bool on_comment(pk_perf_text *t, pk_piece line, pk_err *err) {
    const struct {
        const char *key;
        const char **into;
    } known[] = {{"# hostname :", &t->profile->host},
                 {"# os release :", &t->profile->kernel},
                 {"# cmdline :", &t->profile->command}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t n = strlen(known[i].key);
        if (*known[i].into || line.bytes < n || memcmp(line.at, known[i].key, n) != 0) continue;
        pk_piece value = pk_piece_trim((pk_piece){line.at + n, line.bytes - n});
        pk_strbuf_clear(&t->texts);
        pk_tidy_utf8(value, &t->texts);
        *known[i].into = pk_arena_strndup(t->profile->arena, t->texts.data, t->texts.length);
        if (!*known[i].into) return no_memory(err);
    }
    return true;
}

/* "PERF_RECORD_LOST lost 12" */
static void on_other_record(pk_perf_text *t, const pk_perf_event_line *line) {
    static const char lost[] = "lost ";
    uint64_t n;
    const char *at = memmem(line->payload.at, line->payload.bytes, lost, sizeof lost - 1);
    if (!at || !pk_piece_is(line->event, "PERF_RECORD_LOST")) return;
    at += sizeof lost - 1;
    if (pk_digits(at, (size_t)(line->payload.at + line->payload.bytes - at), &n) > 0)
        t->profile->lost += n;
}

static bool is_hex_word(pk_piece text) {
    uint64_t value;
    size_t n = pk_hex(text.at, text.bytes, &value);
    return n > 0 && n < text.bytes && text.at[n] == ' ';
}

/* Its pieces outlive the line: the event's frames come later. */
static bool on_event(pk_perf_text *t, pk_piece text, pk_err *err) {
    pk_perf_event_line line;
    pk_perf_frame_line frame;
    pk_strbuf_clear(&t->head);
    pk_strbuf_add(&t->head, text.at, text.bytes);
    if (!pk_strbuf_ok(&t->head)) return no_memory(err);
    text.at = t->head.data;
    pk_perf_event_sure sure = pk_perf_event_line_read(text, &line);
    t->in_event = false;
    if (line.other) {
        on_other_record(t, &line);
        return true;
    }
    if (sure == PK_EVENT_NONE) { /* at most the thread's name, of frames that may follow */
        t->counts.ignored++;
        t->sample = (pk_text_sample){.comm = line.comm};
        return true;
    }
    if (!begin_event(t, &line, err)) return false;
    if (!is_hex_word(line.payload) || !pk_perf_frame_line_read(line.payload, &frame)) return true;
    return on_frame(t, line.payload, err) && end_event(t, err);
}

/* A callchain of which no event was told, but perhaps the thread's name (perf script -F ip,sym or
 * -F comm,ip,sym). */
static bool on_headless(pk_perf_text *t, pk_piece line, pk_err *err) {
    pk_perf_event_line head = {.comm = t->sample.comm};
    if (head.comm.bytes > 0) t->counts.ignored--;
    return begin_event(t, &head, err) && on_frame(t, line, err);
}

static bool on_line(pk_perf_text *t, pk_piece line, pk_err *err) {
    pk_perf_event_line event;
    pk_perf_frame_line frame;
    if (line.bytes > 0 && *line.at == '#') return on_comment(t, line, err);
    line = pk_piece_trim_end(line);
    if (line.bytes == 0) return end_event(t, err);
    bool indented = *line.at == '\t';
    if (t->in_event) {
        /* Events without a callchain come without an empty line between them. */
        if (indented || pk_perf_event_line_read(line, &event) != PK_EVENT_CERTAIN)
            return on_frame(t, line, err);
        return end_event(t, err) && on_event(t, line, err);
    }
    if (indented && pk_perf_frame_line_read(line, &frame)) return on_headless(t, line, err);
    if (*line.at == '|') return true; /* source code, perf script -F +srccode */
    return on_event(t, line, err);
}

bool pk_perf_text_add(pk_perf_text *text, const char *piece, size_t bytes, pk_err *err) {
    while (bytes > 0) {
        const char *end = memchr(piece, '\n', bytes);
        size_t n = end ? (size_t)(end - piece) : bytes;
        if (text->rest.length + n > LINE_BYTES_MAX) {
            text->overlong = true;
            pk_strbuf_clear(&text->rest);
        } else if (!text->overlong && (!end || text->rest.length > 0)) {
            pk_strbuf_add(&text->rest, piece, n);
            if (!pk_strbuf_ok(&text->rest)) return no_memory(err);
        }
        if (!end) return true;
        bool whole = text->rest.length == 0;
        pk_piece line =
            whole ? (pk_piece){piece, n} : (pk_piece){text->rest.data, text->rest.length};
        if (text->overlong) text->counts.ignored++;
        else if (!on_line(text, line, err)) return false;
        text->overlong = false;
        pk_strbuf_clear(&text->rest);
        piece += n + 1;
        bytes -= n + 1;
    }
    return true;
}

/* ---- the end ---- */

static bool is_clock(const char *event) {
    return strcmp(event, "cpu-clock") == 0 || strcmp(event, "task-clock") == 0;
}

static bool describe(pk_perf_text *t, pk_err *err) {
    pk_profile *p = t->profile;
    if (t->event && !p->event && t->counts.samples > 0) {
        p->event = pk_arena_strdup(p->arena, t->event);
        if (!p->event) return no_memory(err);
    }
    bool counted = t->options->count_samples || !t->all_have_periods || !p->event;
    p->weight_is_time = !counted && is_clock(p->event);
    p->unit = counted ? "samples" : p->weight_is_time ? "ns" : p->event;
    p->other_events += t->counts.other_events;
    if (t->last_ns - t->first_ns > p->duration_ns) p->duration_ns = t->last_ns - t->first_ns;
    return true;
}

bool pk_perf_text_end(pk_perf_text *text, pk_err *err) {
    if (text->overlong) text->counts.ignored++;
    pk_piece last = {text->rest.data, text->rest.length};
    if (last.bytes > 0 && !on_line(text, last, err)) return false;
    pk_strbuf_clear(&text->rest);
    return end_event(text, err) && pk_text_stacks_end(&text->stacks, err) && describe(text, err);
}

/* ---- what is it? ---- */

#define GUESS_LINES_MAX 100u

/* "a;b;c 12", by its last word. */
static bool is_folded(pk_piece line) {
    uint64_t count;
    const char *blank = memrchr(line.at, ' ', line.bytes);
    if (!blank) return false;
    size_t bytes = (size_t)(line.at + line.bytes - blank) - 1;
    size_t n = pk_digits(blank + 1, bytes, &count);
    return n > 0 && (n == bytes || blank[1 + n] == '.');
}

static pk_text_kind guess_line(pk_piece line) {
    pk_perf_event_line event;
    pk_perf_frame_line frame;
    if (line.bytes == 0 || *line.at == '#') return PK_TEXT_UNCLEAR;
    if (*line.at == '\t')
        return pk_perf_frame_line_read(line, &frame) ? PK_TEXT_PERF : PK_TEXT_OTHER;
    pk_perf_event_sure sure = pk_perf_event_line_read(line, &event);
    if (sure == PK_EVENT_CERTAIN) return PK_TEXT_PERF;
    if (is_folded(line)) return PK_TEXT_FOLDED;
    return sure == PK_EVENT_LIKELY ? PK_TEXT_PERF : PK_TEXT_OTHER;
}

pk_text_kind pk_text_guess(const char *text, size_t bytes, bool whole) {
    pk_text_kind kind = PK_TEXT_UNCLEAR;
    size_t offset = 0;
    pk_line at;
    for (unsigned n = 0; n < GUESS_LINES_MAX && pk_line_next(text, bytes, &offset, &at);) {
        if (offset > bytes && !whole) return PK_TEXT_UNCLEAR; /* the line may go on */
        pk_text_kind is = guess_line(pk_piece_trim_end((pk_piece){at.at, at.bytes}));
        if (is == PK_TEXT_UNCLEAR) continue;
        /* "burn 1306" is folded, unless it is a thread whose callchain follows. */
        if (is == PK_TEXT_PERF || kind == PK_TEXT_FOLDED) return is == PK_TEXT_PERF ? is : kind;
        kind = is;
        n++;
    }
    bool all_seen = whole || offset < bytes;
    return all_seen ? kind : PK_TEXT_UNCLEAR;
}
