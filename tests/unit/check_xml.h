/* Is a text well-formed markup? Elements nest, attributes are quoted and given once, "&" begins an
 * entity that XML knows or a number, "<" stands for nothing else. Elements of HTML that have no end
 * are known; raw text in <style> is passed over. Enough for what we write, not a parser of all XML.
 */
#ifndef PK_TESTS_UNIT_CHECK_XML_H
#define PK_TESTS_UNIT_CHECK_XML_H

#include "check.h"

#include <ctype.h>

enum { XML_DEPTH_MAX = 64, XML_NAME_MAX = 32, XML_ATTRIBUTES_MAX = 24 };

typedef struct xml {
    const char *at;
    char open[XML_DEPTH_MAX][XML_NAME_MAX];
    int depth;
    const char *wrong; /* NULL: nothing so far */
} xml;

static inline void xml_fail(xml *x, const char *wrong) {
    if (!x->wrong) x->wrong = wrong;
}

static inline void xml_name(xml *x, char name[XML_NAME_MAX]) {
    size_t n = 0;
    while (isalnum((unsigned char)*x->at) || strchr("-_:", *x->at)) {
        if (!*x->at || n + 1 >= XML_NAME_MAX) break;
        name[n++] = *x->at++;
    }
    name[n] = '\0';
    if (n == 0) xml_fail(x, "no name");
}

static inline void xml_entity(xml *x) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strncmp(x->at, known[i], strlen(known[i])) == 0) {
            x->at += strlen(known[i]);
            return;
        }
    xml_fail(x, "a bare &");
}

/* The attributes of a tag, up to '>' or "/>". */
static inline void xml_attributes(xml *x) {
    char names[XML_ATTRIBUTES_MAX][XML_NAME_MAX];
    for (size_t n = 0; !x->wrong && *x->at == ' '; n++) {
        x->at++;
        if (n == XML_ATTRIBUTES_MAX) xml_fail(x, "too many attributes");
        if (x->wrong) return;
        xml_name(x, names[n]);
        for (size_t i = 0; i < n; i++)
            if (strcmp(names[i], names[n]) == 0) xml_fail(x, "an attribute twice");
        if (x->at[0] != '=' || x->at[1] != '"') xml_fail(x, "an attribute without a quoted value");
        if (x->wrong) return;
        for (x->at += 2; !x->wrong && *x->at != '"';) {
            if (*x->at == '&') xml_entity(x);
            else if (*x->at == '<' || !*x->at) xml_fail(x, "an attribute that does not end");
            else x->at++;
        }
        x->at++;
    }
}

static inline void xml_tag(xml *x) {
    char name[XML_NAME_MAX];
    x->at++;
    bool end = *x->at == '/';
    x->at += end;
    xml_name(x, name);
    if (end) {
        if (x->depth == 0 || strcmp(x->open[x->depth - 1], name) != 0)
            xml_fail(x, "an end that fits no beginning");
        else x->depth--;
    } else xml_attributes(x);
    if (x->wrong) return;
    bool empty = !end && *x->at == '/';
    x->at += empty;
    if (*x->at++ != '>') xml_fail(x, "a tag that does not end");
    if (end || empty || strcmp(name, "meta") == 0) return;
    if (x->depth == XML_DEPTH_MAX) xml_fail(x, "too deep");
    else snprintf(x->open[x->depth++], XML_NAME_MAX, "%s", name);
    if (strcmp(name, "style") != 0) return;
    const char *close = strstr(x->at, "</style>");
    if (close) x->at = close;
    else xml_fail(x, "a style that does not end");
}

/* NULL, or what is wrong. */
static inline const char *xml_problem(const char *text, const char **where) {
    xml x = {.at = text};
    const char *const heads[] = {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                                 "<!DOCTYPE html>\n"};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(x.at, heads[i], strlen(heads[i])) == 0) x.at += strlen(heads[i]);
    while (!x.wrong && *x.at) {
        if (*x.at == '<') xml_tag(&x);
        else if (*x.at == '&') xml_entity(&x);
        else x.at++;
    }
    if (x.depth > 0) xml_fail(&x, "an element that does not end");
    *where = x.at;
    return x.wrong;
}

#define assert_well_formed(text) check_well_formed((text), __FILE__, __LINE__)
static inline void check_well_formed(const char *text, const char *file, int line) {
    const char *where = text, *problem = xml_problem(text, &where);
    if (!problem) return;
    size_t before = where - text > 60 ? 60 : (size_t)(where - text);
    print_error("%s: ...%.*s <- here %.40s\n", problem, (int)before, where - before, where);
    _fail(file, line);
}

/* Nothing that a number can go wrong into. Words in texts are looked at too: keep them out of it.
 */
#define assert_no_nan(text) check_no_nan((text), __FILE__, __LINE__)
static inline void check_no_nan(const char *text, const char *file, int line) {
    const char *style = strstr(text, "</style>");
    static const char *const bad[] = {"nan", "NaN", "inf\"", "inf ", "-inf", "(null)", "e+"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *found = strstr(style ? style : text, bad[i]);
        if (!found) continue;
        print_error("\"%s\" in the output: %.60s\n", bad[i], found);
        _fail(file, line);
    }
}

static inline size_t count_of(const char *text, const char *what) {
    size_t count = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what)) count++;
    return count;
}

#endif
