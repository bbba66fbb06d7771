#include "profile/flame_colour.h"

#include <string.h>

#include "base/fnv.h"
#include "base/hex.h"

/* ---- palettes ---- */

/* A palette of one tone: base + trunc(span * v[which]), v uniform in [0, 1). */
typedef struct tone {
    uint8_t base[3], span[3], which[3];
} tone;

static const tone tones[PK_PALETTES] = {
    [PK_PALETTE_HOT] = {{205, 0, 0}, {50, 230, 55}, {2, 0, 1}},
    [PK_PALETTE_MEM] = {{0, 190, 0}, {0, 50, 210}, {0, 1, 0}},
    [PK_PALETTE_IO] = {{80, 80, 190}, {60, 60, 55}, {0, 0, 1}},
    [PK_PALETTE_RED] = {{200, 50, 50}, {55, 80, 80}, {0, 0, 0}},
    [PK_PALETTE_GREEN] = {{50, 200, 50}, {60, 55, 60}, {0, 0, 0}},
    [PK_PALETTE_BLUE] = {{80, 80, 205}, {60, 60, 50}, {0, 0, 0}},
    [PK_PALETTE_YELLOW] = {{175, 175, 50}, {55, 55, 20}, {0, 0, 0}},
    [PK_PALETTE_PURPLE] = {{190, 80, 190}, {65, 60, 65}, {0, 0, 0}},
    [PK_PALETTE_AQUA] = {{50, 165, 165}, {60, 55, 55}, {0, 0, 0}},
    [PK_PALETTE_ORANGE] = {{190, 90, 0}, {65, 65, 0}, {0, 0, 0}},
};

const char *const pk_palette_names[PK_PALETTES + 1] = {
    "hot", "mem",   "io",   "wakeup", "java",   "js",     "perl",   "python", "rust",
    "red", "green", "blue", "aqua",   "yellow", "purple", "orange", NULL};

/* ---- what a frame is, by its name ---- */

typedef struct text {
    const char *at;
    size_t bytes;
} text;

static bool begins(text t, const char *with) {
    size_t n = strlen(with);
    return t.bytes >= n && memcmp(t.at, with, n) == 0;
}

static bool ends(text t, const char *with) {
    size_t n = strlen(with);
    return t.bytes >= n && memcmp(t.at + t.bytes - n, with, n) == 0;
}

static bool holds(text t, const char *what) {
    return memmem(t.at, t.bytes, what, strlen(what)) != NULL;
}

static bool digits_and_dots(text t) {
    for (size_t i = 0; i < t.bytes; i++)
        if (t.at[i] != '.' && (t.at[i] < '0' || t.at[i] > '9')) return false;
    return true;
}

static pk_palette java(text t) {
    if (ends(t, "]") && t.bytes >= 4) { /* annotations of the collapser */
        if (ends(t, "_[k]")) return PK_PALETTE_ORANGE;
        if (ends(t, "_[i]")) return PK_PALETTE_AQUA;
        if (ends(t, "_[j]")) return PK_PALETTE_GREEN;
    }
    if (holds(t, "::") || begins(t, "-[") || begins(t, "+[")) return PK_PALETTE_YELLOW;
    text name = begins(t, "L") ? (text){t.at + 1, t.bytes - 1} : t;
    bool upper = name.bytes > 0 && name.at[0] >= 'A' && name.at[0] <= 'Z';
    if (holds(name, "/") || (holds(name, ".") && !begins(name, "[")) || upper)
        return PK_PALETTE_GREEN;
    return PK_PALETTE_RED;
}

static pk_palette js(text t) {
    size_t blanks = 0;
    while (blanks < t.bytes && (t.at[blanks] == ' ' || t.at[blanks] == '\t')) blanks++;
    if (t.bytes > 0 && blanks == t.bytes) return PK_PALETTE_GREEN;
    if (ends(t, "_[k]")) return PK_PALETTE_ORANGE;
    if (ends(t, "_[j]")) return holds(t, "/") ? PK_PALETTE_GREEN : PK_PALETTE_AQUA;
    if (holds(t, "::")) return PK_PALETTE_YELLOW;
    if (holds(t, ":")) return PK_PALETTE_AQUA;
    const char *slash = memchr(t.at, '/', t.bytes);
    if (slash) {
        text rest = {slash, t.bytes - (size_t)(slash - t.at)};
        if (holds(rest, "node_modules/")) return PK_PALETTE_PURPLE;
        if (holds(rest, ".js")) return PK_PALETTE_GREEN;
    }
    return PK_PALETTE_RED;
}

static pk_palette perl(text t) {
    if (ends(t, "_[k]")) return PK_PALETTE_ORANGE;
    if (holds(t, "Perl") || holds(t, ".pl")) return PK_PALETTE_GREEN;
    return holds(t, "::") ? PK_PALETTE_YELLOW : PK_PALETTE_RED;
}

static pk_palette python(text t) {
    bool standard = begins(t, "<built-in") || begins(t, "<method") || begins(t, "<frozen");
    size_t begin = 0;
    for (size_t i = 0; i <= t.bytes; i++) {
        if (i < t.bytes && t.at[i] != '/' && t.at[i] != '\\') continue;
        text part = {t.at + begin, i - begin};
        if (part.bytes == 13 && begins(part, "site-packages")) return PK_PALETTE_AQUA;
        if (begins(part, "python") && digits_and_dots((text){part.at + 6, part.bytes - 6}))
            standard = true;
        begin = i + 1;
    }
    return standard ? PK_PALETTE_YELLOW : PK_PALETTE_RED;
}

static pk_palette rust(text t) {
    const char *tick = memchr(t.at, '`', t.bytes);
    if (tick) t = (text){tick + 1, t.bytes - (size_t)(tick + 1 - t.at)};
    static const char *const own[] = {
        "core::", "std::", "alloc::", "<core::", "<std::", "<alloc::"};
    if (!begins(t, "<core::future::from_generator::GenFuture<T>"))
        for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
            if (begins(t, own[i])) return PK_PALETTE_ORANGE;
    return holds(t, "::") ? PK_PALETTE_AQUA : PK_PALETTE_YELLOW;
}

static pk_palette resolved(pk_palette palette, text t) {
    switch (palette) {
    case PK_PALETTE_JAVA:
        return java(t);
    case PK_PALETTE_JS:
        return js(t);
    case PK_PALETTE_PERL:
        return perl(t);
    case PK_PALETTE_PYTHON:
        return python(t);
    case PK_PALETTE_RUST:
        return rust(t);
    case PK_PALETTE_WAKEUP:
        return PK_PALETTE_AQUA;
    default:
        return palette;
    }
}

/* ---- the three numbers ---- */

/* Marsaglia's xorshift with shifts 13, 7, 17 (Journal of Statistical Software 8(14), 2003). */
static float sequence_next(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return (float)((double)(x >> 11) * 0x1p-53);
}

/* The first letters weigh most; FlameGraph's namehash. Reversed, the last ones do. What stands
 * before a backtick (a module) is passed over, as the name is read. */
static float letters_hash(text t, bool reversed) {
    const char *tick =
        t.bytes ? (reversed ? memrchr(t.at, '`', t.bytes) : memchr(t.at, '`', t.bytes)) : NULL;
    if (tick && reversed && tick + 1 < t.at + t.bytes) t.bytes = (size_t)(tick - t.at);
    else if (tick && !reversed && tick > t.at)
        t = (text){tick + 1, t.bytes - (size_t)(tick + 1 - t.at)};
    float vector = 0, weight = 1, most = 1;
    unsigned mod = 10;
    for (size_t i = 0; i < t.bytes && i < 3; i++) {
        unsigned char c = (unsigned char)t.at[reversed ? t.bytes - 1 - i : i];
        vector += (float)(c % mod) / (float)(mod - 1) * weight;
        mod++;
        most += weight;
        weight *= 0.7f;
    }
    return 1 - vector / most;
}

static void numbers(pk_colour_source *source, text t, float v[3]) {
    switch (source->colouring) {
    case PK_COLOURING_SEQUENCE:
        for (int i = 0; i < 3; i++) v[i] = sequence_next(&source->state);
        break;
    case PK_COLOURING_DETERMINISTIC: {
        uint64_t h = pk_fnv1a(PK_FNV_START, t.at, t.bytes);
        for (int i = 0; i < 3; i++, h *= PK_FNV_PRIME)
            v[i] = (float)((double)h / (double)UINT64_MAX);
        break;
    }
    case PK_COLOURING_HASH:
        v[0] = letters_hash(t, false);
        v[1] = v[2] = letters_hash(t, true);
        break;
    }
}

bool pk_separator_colour(const char *name, size_t bytes, pk_rgb *colour) {
    if (bytes == 0 || bytes > 2 || name[0] != '-' || name[bytes - 1] != '-') return false;
    uint8_t grey = bytes == 2 ? 160 : 200;
    *colour = (pk_rgb){grey, grey, grey};
    return true;
}

pk_rgb pk_flame_colour(pk_colour_source *source, const char *name, size_t bytes) {
    text t = {name, bytes};
    float v[3];
    numbers(source, t, v);
    const tone *is = &tones[resolved(source->palette, t)];
    uint8_t c[3];
    for (int i = 0; i < 3; i++)
        c[i] = (uint8_t)(is->base[i] + (int)((float)is->span[i] * v[is->which[i]]));
    return (pk_rgb){c[0], c[1], c[2]};
}

pk_rgb pk_diff_colour(double delta, double most) {
    if (delta == 0) return (pk_rgb){250, 250, 250};
    double part = (delta < 0 ? -delta : delta) / most;
    uint8_t pale = (uint8_t)(100 + 150 * (1 - (part > 1 ? 1 : part)));
    return delta > 0 ? (pk_rgb){255, pale, pale} : (pk_rgb){pale, pale, 255};
}

/* ---- backgrounds ---- */

typedef struct background {
    const char *name;
    pk_rgb top, bottom;
} background;

static const background backgrounds[] = {
    {"yellow", {0xee, 0xee, 0xee}, {0xee, 0xee, 0xb0}},
    {"blue", {0xee, 0xee, 0xee}, {0xe0, 0xe0, 0xff}},
    {"green", {0xee, 0xf2, 0xee}, {0xe0, 0xff, 0xe0}},
    {"grey", {0xf8, 0xf8, 0xf8}, {0xe8, 0xe8, 0xe8}},
};

void pk_palette_background(pk_palette palette, pk_rgb *top, pk_rgb *bottom) {
    size_t i = 0;
    if (palette == PK_PALETTE_MEM) i = 2;
    if (palette == PK_PALETTE_IO || palette == PK_PALETTE_WAKEUP) i = 1;
    if (palette >= PK_PALETTE_RED) i = 3;
    *top = backgrounds[i].top;
    *bottom = backgrounds[i].bottom;
}

static bool hex_byte(const char *at, uint8_t *value) {
    int high = pk_hex_digit(at[0]), low = pk_hex_digit(at[1]);
    if (high < 0 || low < 0) return false;
    *value = (uint8_t)(high * 16 + low);
    return true;
}

bool pk_background_parse(const char *name, pk_rgb *top, pk_rgb *bottom) {
    for (size_t i = 0; i < sizeof backgrounds / sizeof backgrounds[0]; i++) {
        if (strcmp(name, backgrounds[i].name) != 0) continue;
        *top = backgrounds[i].top;
        *bottom = backgrounds[i].bottom;
        return true;
    }
    pk_rgb flat;
    if (name[0] != '#' || strlen(name) != 7 || !hex_byte(name + 1, &flat.r) ||
        !hex_byte(name + 3, &flat.g) || !hex_byte(name + 5, &flat.b))
        return false;
    *top = *bottom = flat;
    return true;
}
