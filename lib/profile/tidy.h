/* From symbols to names of frames, as inferno-collapse-perf 0.12.8 makes them of perf's text (byte
 * for byte; where it loses or splits frames by mistake, we do not: docs/methods.md). Texts may be
 * any bytes; what is made of them is UTF-8, ill-formed sequences becoming U+FFFD each. */
#ifndef PK_PROFILE_TIDY_H
#define PK_PROFILE_TIDY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "base/textlist.h"

/* Which frames there are, and how they are called. */
typedef struct pk_symbolise_options {
    bool no_inline;
    bool raw;                /* names as they are; else ';' becomes ':', arguments are cut, ... */
    bool addresses;          /* of unknown functions: "[libc.so.6 <7f12...>]" */
    bool annotate_kernel;    /* "_[k]" behind */
    bool annotate_jit;       /* "_[j]" behind */
    pk_text_list skip_after; /* raw names: their callers are not wanted */
    const char *perf_maps;   /* folder of perf-PID.map (profile/symbolise); NULL: "/tmp" */
} pk_symbolise_options;

/* A piece of a text. */
typedef struct pk_piece {
    const char *at;
    size_t bytes;
} pk_piece;

typedef struct pk_tidy_symbol {
    pk_piece name;    /* readable, without an offset; "[unknown]": there is none */
    pk_piece module;  /* the path of its file, "[kernel.kallsyms]", "[unknown]" */
    pk_piece address; /* hexadecimal digits */
    bool java;        /* of a program whose name begins with "java" */
} pk_tidy_symbol;

/* Appends the names of the frames that a symbol stands for, the outermost first, each with a NUL
 * behind, and returns how many: several for "a->b" (inlined Java), none for "(process)". *skip: it
 * is one of skip_after. */
size_t pk_tidy(const pk_symbolise_options *options, const pk_tidy_symbol *symbol, pk_strbuf *names,
               bool *skip);

/* The first frame of a stack: the thread's name, blanks as '_'. */
void pk_tidy_comm(pk_piece comm, pk_strbuf *out);
/* Is it the name of the program of a Java machine? */
bool pk_tidy_is_java(pk_piece comm);
/* Does a module's path mean the kernel, or a module of it? */
bool pk_tidy_is_kernel(pk_piece module);
/* Does it mean code made at run time? */
bool pk_tidy_is_jit(pk_piece module);
/* Appends text as UTF-8: for each ill-formed sequence (Unicode 15, 3.9, "maximal subpart") one
 * U+FFFD, and for each NUL as well. */
void pk_tidy_utf8(pk_piece text, pk_strbuf *out);

static inline bool pk_piece_is(pk_piece piece, const char *text) {
    size_t bytes = __builtin_strlen(text);
    return piece.bytes == bytes && __builtin_memcmp(piece.at, text, bytes) == 0;
}

#endif
