/* The rows of what a picture looks like: `perfkit flame` and flame-draw have the same, but for the
 * letter of the palette. Private to the tool's files. */
#ifndef PK_CMD_FLAME_PICTURE_H
#define PK_CMD_FLAME_PICTURE_H

#include "cmd/flame_cli.h"

#define FLAME_ANY INT64_MAX
#define FLAME_LOOK(member, type) PK_FIELD(flame_cli, picture.member, type)

// clang-format off
#define FLAME_PICTURE_ROWS(palette_letter) \
    {0, "title", PK_OPT_TEXT, FLAME_LOOK(title, const char *), .arg = "text", .shown_default = "Flame Graph", \
     .help = "the picture's heading", .group = "Picture"}, \
    {0, "subtitle", PK_OPT_TEXT, FLAME_LOOK(subtitle, const char *), .arg = "text", \
     .help = "a smaller line below it", .group = "Picture"}, \
    {0, "notes", PK_OPT_TEXT, FLAME_LOOK(notes, const char *), .arg = "text", \
     .help = "words kept inside the file and not shown", .group = "Picture"}, \
    {'i', "inverted", PK_OPT_FLAG, FLAME_LOOK(inverted, bool), .help = "the root above: an icicle graph", .group = "Picture"}, \
    {0, "reverse", PK_OPT_FLAG, FLAME_LOOK(reverse, bool), .help = "merge the stacks from their leaves: who calls what takes the time", \
     .group = "Picture", .conflicts = "flamechart"}, \
    {0, "flamechart", PK_OPT_FLAG, FLAME_LOOK(flamechart, bool), .help = "time from left to right instead of merged stacks", \
     .group = "Picture"}, \
    {palette_letter, "palette", PK_OPT_ENUM, FLAME_LOOK(palette, int), .arg = "name", .fallback = "hot", .help = "its colours", \
     .details = "java, js, perl, python and rust colour frames by what they are.", .group = "Picture", .aliases = "colors", \
     .values = pk_palette_names}, \
    {0, "deterministic", PK_OPT_FLAG, FLAME_LOOK(deterministic, bool), .help = "a function has the same colour in all pictures", \
     .group = "Picture", .conflicts = "hash"}, \
    {0, "hash", PK_OPT_FLAG, FLAME_LOOK(hash, bool), .help = "similar names have similar colours", .group = "Picture"}, \
    {0, "colordiffusion", PK_OPT_FLAG, FLAME_LOOK(diffusion, bool), .help = "the wider a frame, the redder", .group = "Picture", \
     .conflicts = "palette"}, \
    {0, "bgcolors", PK_OPT_TEXT, FLAME_LOOK(background, const char *), .arg = "colour", .shown_default = "what suits the palette", \
     .help = "background: yellow, blue, green, grey or #rrggbb", .group = "Picture", .complete = flame_complete_backgrounds, \
     .check = flame_check_background}, \
    {0, "search-color", PK_OPT_TEXT, FLAME_LOOK(search_colour, const char *), .arg = "#rrggbb", .fallback = "#e600e6", \
     .help = "of frames that a search has found", .group = "Picture", .check = flame_check_colour}, \
    {0, "stroke-color", PK_OPT_TEXT, FLAME_LOOK(stroke_colour, const char *), .arg = "#rrggbb", .fallback = "none", \
     .help = "a line around each frame", .group = "Picture", .check = flame_check_stroke}, \
    {0, "uicolor", PK_OPT_TEXT, FLAME_LOOK(ui_colour, const char *), .arg = "#rrggbb", .fallback = "#000000", \
     .help = "of the heading and the buttons", .group = "Picture", .check = flame_check_colour}, \
    {0, "min-width", PK_OPT_RATE, FLAME_LOOK(min_width, double), .arg = "percent", .fallback = "0.01", \
     .help = "leave out frames that are narrower, in percent of the picture", .group = "Picture", .aliases = "minwidth"}, \
    {0, "image-width", PK_OPT_COUNT, FLAME_LOOK(width, uint64_t), .arg = "pixels", .shown_default = "as wide as the window", \
     .help = "a fixed width", .group = "Picture", .aliases = "width", .min = 40, .max = 1000000}, \
    {0, "height", PK_OPT_COUNT, FLAME_LOOK(height, uint64_t), .arg = "pixels", .fallback = "16", .help = "of a frame", \
     .group = "Picture", .min = 2, .max = 1000}, \
    {0, "fonttype", PK_OPT_TEXT, FLAME_LOOK(font, const char *), .arg = "name", .fallback = "monospace", .help = "font", \
     .group = "Picture"}, \
    {0, "fontsize", PK_OPT_COUNT, FLAME_LOOK(font_size, uint64_t), .arg = "pixels", .fallback = "12", .help = "its size", \
     .group = "Picture", .min = 1, .max = 1000}, \
    {0, "fontwidth", PK_OPT_RATE, FLAME_LOOK(font_width, double), .arg = "number", .fallback = "0.59", \
     .help = "width of a character, in font sizes", .group = "Picture"}, \
    {0, "truncate-text-right", PK_OPT_FLAG, FLAME_LOOK(truncate_right, bool), \
     .help = "names that do not fit lose their end, not their beginning", .group = "Picture"}, \
    {0, "countname", PK_OPT_TEXT, FLAME_LOOK(count_name, const char *), .arg = "word", .shown_default = "samples, or the true unit", \
     .help = "what is counted", .group = "Picture"}, \
    {0, "nametype", PK_OPT_TEXT, FLAME_LOOK(name_type, const char *), .arg = "word", .fallback = "Function:", \
     .help = "what a frame is called in the line of details", .group = "Picture"}, \
    {0, "factor", PK_OPT_RATE, FLAME_LOOK(factor, double), .arg = "number", .fallback = "1", \
     .help = "multiply the shown counts by this", .group = "Picture"}, \
    {0, "negate", PK_OPT_FLAG, FLAME_LOOK(negate, bool), .help = "differences: blue for more, red for less", .group = "Picture"}, \
    {0, "cp", PK_OPT_FLAG, FLAME_LOOK(consistent, bool), .help = "colours kept from picture to picture, in ./palette.map", \
     .group = "Picture"}, \
    {0, "nameattr", PK_OPT_FILE, FLAME_LOOK(name_attributes, const char *), .arg = "file", \
     .help = "links, ids and classes for frames", \
     .details = "Lines of a function, a tab, and key=value with tabs between: title, href, id, class, target, g_extra, a_extra.", \
     .group = "Picture"}, \
    {0, "pretty-xml", PK_OPT_FLAG, FLAME_LOOK(pretty, bool), .help = "each element on a line of its own", .group = "Picture"}, \
    {0, "base", PK_OPT_TEXT_LIST, FLAME_LOOK(bases, pk_text_list), .arg = "function", \
     .help = "only stacks with this function, from it on", .group = "Stacks"}
// clang-format on

#endif
