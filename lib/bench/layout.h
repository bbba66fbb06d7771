/* Code layout, the error no statistics can see: where the linker happens to put a function decides
 * over several per cent of its time. So code that perfkit compiles is measured in many layouts: one
 * compilation, linked again and again with its functions in random order and with 1 to 63 random
 * bytes between them (Curtsinger & Berger, ASPLOS 2013; docs/methods.md). */
#ifndef PK_BENCH_LAYOUT_H
#define PK_BENCH_LAYOUT_H

#include "base/arena.h"
#include "base/interrupt.h"
#include "bench/compile.h"

#define PK_LAYOUTS_DEFAULT 32
#define PK_LAYOUTS_MAX 1024
#define PK_LAYOUTS_OF "of" /* in their folder, a link: the SHA-256 of the object's content */

/* Links `object` (from pk_compile) in `count` layouts. paths[i] is layout i, a shared object below
 * HOME/.perfkit/layouts/HASH, where HASH is of the object's content and the flags: what is there
 * already is used. Layout i depends on i and on the names of the functions only, so that two
 * versions of a program get like layouts (common random numbers). Worker i uses layout i mod count
 * on both sides. *paths lives in the arena. An interrupt ends it with PK_E_LIMIT. */
bool pk_layouts(const char *object, const pk_compile_options *options, unsigned count,
                const char *home, pk_interrupt *intr, pk_arena *arena, const char *const **paths,
                pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;

#endif
