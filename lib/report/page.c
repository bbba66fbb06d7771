#include "report/page.h"

#include <string.h>
#include <time.h>

#include "base/units.h"
#include "base/version.h"
#include "report/escape.h"

PK_EMBED(pk_page_style, "lib/report/page.css");

enum { LINE_BYTES_MAX = 1 << 20 };

static void add(pk_page *page, const char *markup) {
    pk_strbuf_add_str(&page->body, markup);
}

static void escape(pk_strbuf *out, const char *text) {
    pk_escape_markup(out, text, strlen(text));
}

static void escape_format(pk_strbuf *out, const char *fmt, va_list args) {
    pk_strbuf text;
    pk_strbuf_init(&text, LINE_BYTES_MAX);
    pk_strbuf_addv(&text, fmt, args);
    pk_escape_markup(out, text.data, text.length);
    if (!pk_strbuf_ok(&text)) out->failed = true;
    pk_strbuf_fini(&text);
}

/* RFC 3986: what may stand in a path, and the slash; all other bytes as %XX. A leading name with a
 * colon would read as a scheme, so the colon is encoded too. */
static void encode_path(pk_strbuf *out, const char *path) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    for (const char *p = path; *p; p++) {
        if (strchr(plain, *p)) pk_strbuf_add_char(out, *p);
        else pk_strbuf_addf(out, "%%%02X", (unsigned char)*p);
    }
}

static void add_link(pk_strbuf *out, const pk_link *link) {
    pk_strbuf_add_str(out, "<a href=\"");
    encode_path(out, link->href);
    pk_strbuf_add_str(out, "\">");
    escape(out, link->text);
    pk_strbuf_add_str(out, "</a>");
}

static void close_open(pk_page *page) {
    if (page->open == PK_OPEN_TABLE) pk_page_table_end(page);
    if (page->open != PK_OPEN_NOTHING) add(page, "</div>\n");
    page->open = PK_OPEN_NOTHING;
}

void pk_page_begin(pk_page *page, const char *title, size_t n_trail, const pk_link trail[]) {
    *page = (pk_page){0};
    pk_strbuf_init(&page->head, PK_PAGE_BYTES_MAX);
    pk_strbuf_init(&page->contents, PK_PAGE_BYTES_MAX);
    pk_strbuf_init(&page->body, PK_PAGE_BYTES_MAX);
    pk_strbuf *head = &page->head;
    pk_strbuf_add_str(head,
                      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                      "'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
                      "'none'\">\n<meta name=\"viewport\" content=\"width=device-width, "
                      "initial-scale=1\">\n<title>");
    escape(head, title);
    pk_strbuf_add_str(head, "</title>\n<style>\n");
    pk_strbuf_add(head, pk_embed_data(pk_svg_style), pk_embed_bytes(pk_svg_style));
    pk_strbuf_add(head, pk_embed_data(pk_page_style), pk_embed_bytes(pk_page_style));
    pk_strbuf_add_str(head, "</style>\n</head>\n<body>\n<header>\n");
    if (n_trail) {
        pk_strbuf_add_str(head, "<nav class=\"trail\" aria-label=\"Where this page is\">");
        for (size_t i = 0; i < n_trail; i++) {
            add_link(head, &trail[i]);
            pk_strbuf_add_str(head, " <span aria-hidden=\"true\">›</span> ");
        }
        pk_strbuf_add_str(head, "</nav>\n");
    }
    pk_strbuf_add_str(head, "<h1>");
    escape(head, title);
    pk_strbuf_add_str(head, "</h1>\n");
}

static void append(pk_strbuf *out, const pk_strbuf *more) {
    pk_strbuf_add(out, more->data, more->length);
    if (!pk_strbuf_ok(more)) out->failed = true;
}

void pk_page_drop(pk_page *page) {
    pk_strbuf_fini(&page->head);
    pk_strbuf_fini(&page->contents);
    pk_strbuf_fini(&page->body);
}

bool pk_page_write(pk_page *page, FILE *out, pk_err *err) {
    close_open(page);
    if (page->sections) add(page, "</section>\n");
    if (page->sections > 1) {
        pk_strbuf_add_str(&page->head, "<nav class=\"contents\" aria-label=\"Sections\">");
        append(&page->head, &page->contents);
        pk_strbuf_add_str(&page->head, "</nav>\n");
    }
    pk_strbuf_add_str(&page->head, "</header>\n<main>\n");
    append(&page->head, &page->body);
    pk_strbuf_add_str(&page->head, "</main>\n<footer>perfkit " PK_VERSION "</footer>\n"
                                   "</body>\n</html>\n");
    bool ok = pk_strbuf_ok(&page->head);
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "the page does not fit into memory");
    else if (fwrite(page->head.data, 1, page->head.length, out) != page->head.length) {
        ok = false;
        pk_fail(err, PK_E_SYS, NULL, "cannot write the page");
        pk_fix(err, "free space where it goes");
    }
    pk_page_drop(page);
    return ok;
}

void pk_page_section(pk_page *page, const char *heading) {
    close_open(page);
    if (page->sections++) add(page, "</section>\n");
    pk_strbuf_addf(&page->body, "<section id=\"s%u\">\n<h2>", page->sections);
    escape(&page->body, heading);
    add(page, "</h2>\n");
    pk_strbuf_addf(&page->contents, "<a href=\"#s%u\">", page->sections);
    escape(&page->contents, heading);
    pk_strbuf_add_str(&page->contents, "</a>");
}

static const char *tint_class(pk_tint tint) {
    static const char *const names[] = {"", "good", "bad", "warn", "muted"};
    return names[tint];
}

void pk_page_text(pk_page *page, pk_tint tint, const char *fmt, ...) {
    close_open(page);
    if (tint) pk_strbuf_addf(&page->body, "<p class=\"%s\">", tint_class(tint));
    else add(page, "<p>");
    va_list args;
    va_start(args, fmt);
    escape_format(&page->body, fmt, args);
    va_end(args);
    add(page, "</p>\n");
}

void pk_page_statement(pk_page *page, pk_tint tint, const char *symbol, const char *text) {
    close_open(page);
    pk_strbuf_addf(&page->body, "<p class=\"statement %s\"><span aria-hidden=\"true\">",
                   tint_class(tint));
    escape(&page->body, symbol);
    add(page, "</span> <strong>");
    escape(&page->body, text);
    add(page, "</strong></p>\n");
}

void pk_page_output(pk_page *page, const char *text) {
    close_open(page);
    add(page, "<pre>");
    escape(&page->body, text);
    add(page, "</pre>\n");
}

/* ---- tables ---- */

static bool has_headings(size_t n, const pk_column columns[]) {
    for (size_t i = 0; i < n; i++)
        if (columns[i].heading[0]) return true;
    return false;
}

static void headings(pk_strbuf *out, size_t n, const pk_column columns[]) {
    if (!has_headings(n, columns)) return;
    pk_strbuf_add_str(out, "<thead><tr>");
    for (size_t i = 0; i < n; i++) {
        pk_strbuf_addf(out, "<th scope=\"col\"%s>", columns[i].number ? " class=\"number\"" : "");
        escape(out, columns[i].heading);
        pk_strbuf_add_str(out, "</th>");
    }
    pk_strbuf_add_str(out, "</tr></thead>\n");
}

/* The caption stands before the table: a <caption> would be as narrow as the columns. */
static void table_head(pk_page *page, const char *caption, size_t n, const pk_column columns[]) {
    pk_strbuf *out = &page->body;
    pk_strbuf_add_str(out, "<div class=\"scroll\" tabindex=\"0\">");
    if (caption) {
        pk_strbuf_addf(out, "<p class=\"caption\" id=\"t%u\">", ++page->tables);
        escape(out, caption);
        pk_strbuf_add_str(out, "</p>\n");
    }
    pk_strbuf_addf(out, "<table class=\"%s\"", has_headings(n, columns) ? "grid" : "facts");
    if (caption) pk_strbuf_addf(out, " aria-labelledby=\"t%u\"", page->tables);
    pk_strbuf_add_str(out, ">\n");
    headings(out, n, columns);
    pk_strbuf_add_str(out, "<tbody>\n");
}

void pk_page_table_begin(pk_page *page, const char *caption, size_t n, const pk_column columns[]) {
    if (page->open == PK_OPEN_TABLE) pk_page_table_end(page);
    if (page->open != PK_OPEN_TABLES) {
        close_open(page);
        add(page, "<div class=\"tables\">\n");
    }
    table_head(page, caption, n, columns);
    page->open = PK_OPEN_TABLE;
    page->columns = n;
    page->column = 0;
    page->table = columns;
}

static void begin_cell(pk_page *page, pk_tint tint) {
    bool first = page->column == 0;
    const char *align = page->table[page->column].number ? "number" : "";
    add(page, first ? "<tr><th scope=\"row\"" : "<td");
    if (*align || tint)
        pk_strbuf_addf(&page->body, " class=\"%s%s%s\"", align, *align && tint ? " " : "",
                       tint_class(tint));
    add(page, ">");
}

static void end_cell(pk_page *page) {
    add(page, page->column == 0 ? "</th>" : "</td>");
    page->column++;
    if (page->column < page->columns) return;
    page->column = 0;
    add(page, "</tr>\n");
}

void pk_page_cell(pk_page *page, pk_tint tint, const char *fmt, ...) {
    if (page->open != PK_OPEN_TABLE) return;
    begin_cell(page, tint);
    va_list args;
    va_start(args, fmt);
    escape_format(&page->body, fmt, args);
    va_end(args);
    end_cell(page);
}

void pk_page_link_cell(pk_page *page, const pk_link *link) {
    if (page->open != PK_OPEN_TABLE) return;
    begin_cell(page, PK_TINT_NONE);
    add_link(&page->body, link);
    end_cell(page);
}

void pk_page_table_end(pk_page *page) {
    if (page->open != PK_OPEN_TABLE) return;
    while (page->column != 0) {
        begin_cell(page, PK_TINT_NONE);
        end_cell(page);
    }
    add(page, "</tbody>\n</table></div>\n");
    page->open = PK_OPEN_TABLES;
}

/* ---- figures ---- */

static void value_cell(pk_strbuf *out, const pk_axis *axis, const double values[], size_t i) {
    pk_strbuf_add_str(out, axis->categories ? "<td>" : "<td class=\"number\">");
    if (values) pk_axis_text(out, axis, values[i]);
    pk_strbuf_add_str(out, "</td>");
}

static void point_row(pk_strbuf *out, const pk_chart *chart, const pk_mark *mark, size_t i) {
    value_cell(out, &chart->x, mark->x, i);
    if (mark->x2) value_cell(out, &chart->x, mark->x2, i);
    value_cell(out, &chart->y, mark->y, i);
    if (mark->y2) value_cell(out, &chart->y, mark->y2, i);
}

static void box_row(pk_strbuf *out, const pk_chart *chart, const pk_mark *mark, size_t i) {
    const pk_box *box = &mark->boxes[i];
    const double five[] = {box->low, box->q1, box->middle, box->q3, box->high};
    value_cell(out, &chart->y, mark->y, i);
    for (size_t k = 0; k < 5; k++) value_cell(out, &chart->x, five, k);
}

static size_t columns_of(const pk_chart *chart, const pk_mark *mark, pk_column columns[6]) {
    const char *x = chart->x.label, *y = chart->y.label ? chart->y.label : "";
    static const char *const five[] = {"lower whisker", "lower quartile", "median",
                                       "upper quartile", "upper whisker"};
    size_t n = 0;
    if (mark->kind == PK_MARK_BOXES) {
        columns[n++] = (pk_column){*y ? y : "row", false};
        for (size_t i = 0; i < 5; i++) columns[n++] = (pk_column){five[i], true};
        return n;
    }
    if (mark->x2) columns[n++] = (pk_column){"from", true};
    columns[n++] = (pk_column){mark->x2 ? "to" : x, true};
    if (mark->y2) columns[n++] = (pk_column){"from", true};
    columns[n++] = (pk_column){mark->y2 ? "to" : *y ? y : "row", !chart->y.categories};
    return n;
}

static void values_of(pk_page *page, const pk_chart *chart, const pk_mark *mark) {
    pk_strbuf *out = &page->body;
    pk_column columns[6];
    size_t n = columns_of(chart, mark, columns);
    table_head(page, mark->name, n, columns);
    for (size_t i = 0; i < mark->n; i++) {
        pk_strbuf_add_str(out, "<tr>");
        if (mark->kind == PK_MARK_BOXES) box_row(out, chart, mark, i);
        else point_row(out, chart, mark, i);
        pk_strbuf_add_str(out, "</tr>\n");
    }
    pk_strbuf_add_str(out, "</tbody>\n</table></div>\n");
}

void pk_page_picture(pk_page *page, const pk_strbuf *markup, const char *caption) {
    close_open(page);
    add(page, "<figure class=\"picture\">\n<figcaption>");
    escape(&page->body, caption);
    add(page, "</figcaption>\n<div class=\"scroll\" tabindex=\"0\">\n");
    pk_strbuf_add(&page->body, markup->data, markup->length);
    if (!pk_strbuf_ok(markup)) page->body.failed = true;
    add(page, "</div>\n</figure>\n");
}

void pk_page_figure(pk_page *page, const pk_chart *chart, const char *caption) {
    if (page->open != PK_OPEN_FIGURES) {
        close_open(page);
        add(page, "<div class=\"figures\">\n");
        page->open = PK_OPEN_FIGURES;
    }
    char id[16];
    snprintf(id, sizeof id, "f%u", ++page->figures);
    add(page, "<figure>\n");
    pk_svg_chart(&page->body, chart, id);
    add(page, "<figcaption>");
    escape(&page->body, caption);
    add(page, "</figcaption>\n");
    size_t tables = 0;
    for (size_t m = 0; m < chart->n_marks; m++) {
        const pk_mark *mark = &chart->marks[m];
        if (!mark->tabled || mark->n == 0) continue;
        if (tables++ == 0) add(page, "<details><summary>Values</summary>\n");
        values_of(page, chart, mark);
    }
    if (tables) add(page, "</details>\n");
    add(page, "</figure>\n");
}

char *pk_page_time(char out[PK_PAGE_TIME_MAX], uint64_t unix_ns) {
    time_t seconds = (time_t)(unix_ns / PK_NS_PER_S);
    struct tm utc;
    if (unix_ns == 0 || !gmtime_r(&seconds, &utc) ||
        strftime(out, PK_PAGE_TIME_MAX, "%Y-%m-%d %H:%M:%S UTC", &utc) == 0)
        snprintf(out, PK_PAGE_TIME_MAX, "-");
    return out;
}
