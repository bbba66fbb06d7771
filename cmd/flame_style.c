/* perfkit flame: what a picture looks like, from the options. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/complete.h"
#include "cmd/flame_cli.h"
#include "cmd/output.h"

#define ATTRIBUTES_BYTES_MAX (64u << 20)
#define PALETTE_MAP "palette.map"

static bool is_hex_colour(const char *text) {
    if (text[0] != '#' || strlen(text) != 7) return false;
    for (const char *c = text + 1; *c; c++)
        if (!isxdigit((unsigned char)*c)) return false;
    return true;
}

bool flame_check_colour(const char *text, pk_err *err) {
    if (is_hex_colour(text)) return true;
    pk_fail(err, PK_E_USAGE, NULL, "is no colour");
    pk_fix(err, "use one such as #e600e6");
    return false;
}

bool flame_check_stroke(const char *text, pk_err *err) {
    return strcmp(text, "none") == 0 || flame_check_colour(text, err);
}

static const char *const gradients[] = {"yellow", "blue", "green", "grey", NULL};

bool flame_check_background(const char *text, pk_err *err) {
    pk_rgb top, bottom;
    if (pk_background_parse(text, &top, &bottom)) return true;
    pk_fail(err, PK_E_USAGE, NULL, "is no background");
    pk_fix(err, "use yellow, blue, green, grey, or a colour such as #ffffff");
    return false;
}

void flame_complete_backgrounds(pk_choices *choices) {
    for (size_t i = 0; gradients[i]; i++) pk_choices_add(choices, gradients[i], NULL);
}

/* Numbers that would make a picture without a size. */
static bool check_numbers(const flame_picture *picture, pk_err *err) {
    if (!(picture->font_width > 0)) {
        pk_fail(err, PK_E_USAGE, "--fontwidth", "must be more than 0");
        pk_fix(err, "leave it out for 0.59");
    } else if (picture->min_width > 100) {
        pk_fail(err, PK_E_USAGE, "--min-width", "is more than the whole picture");
        pk_fix(err, "use a percentage such as 0.1");
    } else {
        return true;
    }
    return false;
}

bool flame_style_make(const flame_picture *picture, pk_flame_style *style, pk_err *err) {
    if (!check_numbers(picture, err)) return false;
    *style = (pk_flame_style){
        .title = picture->title ? picture->title : "Flame Graph",
        .subtitle = picture->subtitle,
        .notes = picture->notes,
        .count_name = picture->count_name ? picture->count_name : "samples",
        .name_type = picture->name_type,
        .factor = picture->factor,
        .image_width = (unsigned)picture->width,
        .frame_height = (unsigned)picture->height,
        .font_size = (unsigned)picture->font_size,
        .font_width = picture->font_width,
        .font = picture->font,
        .min_width = picture->min_width,
        .inverted = picture->inverted,
        .truncate_right = picture->truncate_right,
        .diffusion = picture->diffusion,
        .negate = picture->negate,
        .pretty = picture->pretty,
        .palette = (pk_palette)picture->palette,
        .colouring = picture->hash            ? PK_COLOURING_HASH
                     : picture->deterministic ? PK_COLOURING_DETERMINISTIC
                                              : PK_COLOURING_SEQUENCE,
        .background = picture->background,
        .search_colour = picture->search_colour,
        .ui_colour = picture->ui_colour,
        .stroke_colour = strcmp(picture->stroke_colour, "none") ? picture->stroke_colour : NULL,
    };
    return true;
}

/* ---- files beside the picture ---- */

static bool read_text(const char *path, pk_strbuf *text, pk_err *err) {
    pk_strbuf_init(text, ATTRIBUTES_BYTES_MAX);
    return pk_file_read(path, ATTRIBUTES_BYTES_MAX, text, err);
}

static bool load_attributes(const char *path, flame_extras *extras, pk_err *err) {
    pk_strbuf text;
    uint64_t ignored = 0;
    if (read_text(path, &text, err))
        extras->attributes = pk_flame_attributes_read(text.data, text.length, &ignored, err);
    pk_strbuf_fini(&text);
    if (ignored > 0)
        fprintf(stderr, "%s: %llu things that are not understood\n", path,
                (unsigned long long)ignored);
    return extras->attributes != NULL;
}

/* Without a file yet, it begins empty. */
static bool load_palette_map(flame_extras *extras, pk_err *err) {
    pk_strbuf text;
    uint64_t ignored = 0;
    extras->palette_map = pk_palette_map_new();
    if (!extras->palette_map) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    if (access(PALETTE_MAP, F_OK) != 0) return true;
    bool ok = read_text(PALETTE_MAP, &text, err) &&
              pk_palette_map_read(extras->palette_map, text.data, text.length, &ignored, err);
    pk_strbuf_fini(&text);
    if (ok && ignored > 0)
        fprintf(stderr, "%s: %llu lines that are not understood\n", PALETTE_MAP,
                (unsigned long long)ignored);
    return ok;
}

bool flame_extras_load(const flame_picture *picture, flame_extras *extras, pk_err *err) {
    *extras = (flame_extras){0};
    if (picture->name_attributes && !load_attributes(picture->name_attributes, extras, err))
        return false;
    return !picture->consistent || load_palette_map(extras, err);
}

bool flame_extras_keep(const flame_extras *extras, pk_err *err) {
    pk_strbuf text;
    if (!extras->palette_map) return true;
    pk_strbuf_init(&text, ATTRIBUTES_BYTES_MAX);
    bool ok = pk_palette_map_write(extras->palette_map, &text, err) &&
              output_write(PALETTE_MAP, text.data, text.length, err);
    pk_strbuf_fini(&text);
    return ok;
}

void flame_extras_free(flame_extras *extras) {
    pk_flame_attributes_free(extras->attributes);
    pk_palette_map_free(extras->palette_map);
    *extras = (flame_extras){0};
}
