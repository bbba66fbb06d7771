/* Colours of flame graphs, the same as inferno's (0.12) for the same names: palettes by name or by
 * what a frame is (java, js, perl, python, rust), hashes, and the scale of differences. */
#ifndef PK_PROFILE_FLAME_COLOUR_H
#define PK_PROFILE_FLAME_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pk_palette {
    PK_PALETTE_HOT,
    PK_PALETTE_MEM,
    PK_PALETTE_IO,
    PK_PALETTE_WAKEUP,
    PK_PALETTE_JAVA,
    PK_PALETTE_JS,
    PK_PALETTE_PERL,
    PK_PALETTE_PYTHON,
    PK_PALETTE_RUST,
    PK_PALETTE_RED,
    PK_PALETTE_GREEN,
    PK_PALETTE_BLUE,
    PK_PALETTE_AQUA,
    PK_PALETTE_YELLOW,
    PK_PALETTE_PURPLE,
    PK_PALETTE_ORANGE,
    PK_PALETTES
} pk_palette;
extern const char *const pk_palette_names[PK_PALETTES + 1]; /* "hot", ...; NULL behind */

typedef enum pk_colouring {
    PK_COLOURING_SEQUENCE, /* pseudo-random in drawing order: the same input, the same colours */
    PK_COLOURING_DETERMINISTIC, /* by all of the name */
    PK_COLOURING_HASH           /* by the first letters, so that similar names look similar */
} pk_colouring;

typedef struct pk_rgb {
    uint8_t r, g, b;
} pk_rgb;

typedef struct pk_colour_source {
    pk_palette palette;
    pk_colouring colouring;
    uint64_t state; /* of the sequence; begin with PK_COLOUR_SEED */
} pk_colour_source;
#define PK_COLOUR_SEED 1234u

/* Frames called "--" and "-" separate kernel from user stacks, and are grey in every palette. */
bool pk_separator_colour(const char *name, size_t bytes, pk_rgb *colour);
/* The next frame's colour. */
pk_rgb pk_flame_colour(pk_colour_source *source, const char *name, size_t bytes);
/* A difference: white for 0, red for more, blue for less, full at `most` (> 0). */
pk_rgb pk_diff_colour(double delta, double most);
/* Top and bottom of the background that goes with a palette. */
void pk_palette_background(pk_palette palette, pk_rgb *top, pk_rgb *bottom);
/* "yellow" "blue" "green" "grey" or "#rrggbb". */
bool pk_background_parse(const char *name, pk_rgb *top, pk_rgb *bottom);

#endif
