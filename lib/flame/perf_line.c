#include "flame/perf_line.h"

#include <string.h>

#include "base/digits.h"
#include "base/hex.h"

static const pk_piece unknown = {"[unknown]", 9};

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static pk_piece from(pk_piece text, size_t begin) {
    return (pk_piece){text.at + begin, text.bytes - begin};
}

static pk_piece upto(pk_piece text, size_t end) {
    return (pk_piece){text.at, end};
}

pk_piece pk_piece_trim_end(pk_piece text) {
    while (text.bytes > 0 && is_blank(text.at[text.bytes - 1])) text.bytes--;
    return text;
}

pk_piece pk_piece_trim(pk_piece text) {
    size_t i = 0;
    while (i < text.bytes && is_blank(text.at[i])) i++;
    return pk_piece_trim_end(from(text, i));
}

/* Takes the next word, which ends at a blank, off the text. */
static pk_piece word_of(pk_piece *text) {
    size_t begin = 0;
    while (begin < text->bytes && is_blank(text->at[begin])) begin++;
    size_t end = begin;
    while (end < text->bytes && !is_blank(text->at[end])) end++;
    pk_piece word = {text->at + begin, end - begin};
    *text = from(*text, end);
    return word;
}

static bool ends_with(pk_piece text, char c) {
    return text.bytes > 0 && text.at[text.bytes - 1] == c;
}

static bool begins_with(pk_piece text, const char *start) {
    size_t n = strlen(start);
    return text.bytes >= n && memcmp(text.at, start, n) == 0;
}

/* ---- frames ---- */

static bool is_hex(pk_piece text) {
    for (size_t i = 0; i < text.bytes; i++)
        if (pk_hex_digit(text.at[i]) < 0) return false;
    return true;
}

/* Where the bracket begins that closes at the end of the text, with a blank or nothing before it;
 * text.bytes: nowhere. A module's path may hold blanks and brackets, as "(/tmp/a.out (deleted))",
 * but if they do not match it begins behind the last blank. */
static size_t module_begin(pk_piece text) {
    size_t depth = 0;
    for (size_t i = text.bytes; i-- > 0;) {
        depth += text.at[i] == ')';
        if (text.at[i] != '(' || --depth > 0) continue;
        if (i == 0 || text.at[i - 1] == ' ') return i;
        break;
    }
    const char *blank = memrchr(text.at, ' ', text.bytes);
    size_t last = blank ? (size_t)(blank - text.at) + 1 : 0;
    return text.at[last] == '(' ? last : text.bytes;
}

static pk_piece without_offset(pk_piece name) {
    for (size_t i = name.bytes; i-- > 0;) {
        if (!begins_with(from(name, i), "+0x")) continue;
        return is_hex(from(name, i + 3)) ? upto(name, i) : name;
    }
    return name;
}

bool pk_perf_frame_line_read(pk_piece line, pk_perf_frame_line *into) {
    line = pk_piece_trim(line);
    const char *blank = memchr(line.at, ' ', line.bytes);
    if (!blank) return false;
    pk_piece address = upto(line, (size_t)(blank - line.at));
    pk_piece rest = from(line, address.bytes + 1), module = unknown;
    size_t begin = ends_with(rest, ')') ? module_begin(rest) : rest.bytes;
    bool placed = begin < rest.bytes;
    /* perf prints a blank each for what it was not asked for. */
    bool known = placed ? begin > 0 : rest.bytes > 0;
    if ((!placed || !known) && !is_hex(address)) return false;
    pk_piece name = pk_piece_trim(upto(rest, begin > 0 && placed ? begin - 1 : begin));
    if (placed) module = (pk_piece){rest.at + begin + 1, rest.bytes - begin - 2};
    if (!known) name = unknown;
    /* There is a place for the name, and nothing in it. */
    if (name.bytes == 0) name = (pk_piece){" ", 1};
    *into = (pk_perf_frame_line){address, without_offset(name), module};
    return true;
}

/* ---- events ---- */

/* "1234" or "1234/1234", of the program and of the thread; "-1" for one that was gone. */
static bool take_ids(pk_piece word, pk_piece *pid, pk_piece *tid) {
    size_t slash = SIZE_MAX;
    for (size_t i = 0; i < word.bytes; i++) {
        bool first = i == 0 || word.at[i - 1] == '/';
        if (word.at[i] == '/') slash = i;
        else if (!is_digit(word.at[i]) && !(first && word.at[i] == '-')) return false;
    }
    if (word.bytes == 0 || !is_digit(word.at[word.bytes - 1])) return false;
    *pid = slash == SIZE_MAX ? upto(word, 0) : upto(word, slash);
    *tid = slash == SIZE_MAX ? word : from(word, slash + 1);
    return true;
}

/* "33358.119750:", seconds. */
static bool take_time(pk_piece word, uint64_t *time_ns) {
    uint64_t seconds, fraction, ns;
    size_t n = pk_digits(word.at, word.bytes, &seconds);
    if (n == 0 || n >= word.bytes || word.at[n] != '.') return false;
    pk_piece rest = from(word, n + 1);
    n = pk_digits(rest.at, rest.bytes, &fraction);
    if (n == 0 || n > 9 || n + 1 != rest.bytes || rest.at[n] != ':') return false;
    for (; n < 9; n++) fraction *= 10;
    if (__builtin_mul_overflow(seconds, 1000000000u, &ns) ||
        __builtin_add_overflow(ns, fraction, &ns))
        return false;
    *time_ns = ns;
    return true;
}

static bool is_cpu(pk_piece word) {
    if (word.bytes < 3 || word.at[0] != '[' || !ends_with(word, ']')) return false;
    for (size_t i = 1; i + 1 < word.bytes; i++)
        if (!is_digit(word.at[i])) return false;
    return true;
}

/* "[cpu] time:" at the start of the text, which is cut behind them. */
static bool take_moment(pk_piece *text, pk_perf_event_line *line) {
    pk_piece rest = *text, word = word_of(&rest);
    if (is_cpu(word)) {
        *text = rest;
        word = word_of(&rest);
    }
    line->has_time = take_time(word, &line->time_ns);
    if (line->has_time) *text = rest;
    return line->has_time;
}

/* "period event:modifiers: payload" */
static void take_event(pk_piece text, pk_perf_event_line *line) {
    pk_piece rest = text, word = word_of(&rest);
    size_t n = pk_digits(word.at, word.bytes, &line->period);
    line->has_period = n > 0 && n == word.bytes;
    if (line->has_period) {
        text = rest;
        word = word_of(&rest);
    }
    line->other = begins_with(word, "PERF_RECORD_");
    if (!line->other && !ends_with(word, ':') && !memchr(word.at, ':', word.bytes)) {
        line->payload = pk_piece_trim(text);
        return;
    }
    while (ends_with(word, ':')) word.bytes--;
    line->event = word;
    line->payload = pk_piece_trim(rest);
}

/* The words of a line are tried as the thread's number until the time, if there is one, follows:
 * the name before it may hold numbers too. Otherwise the first number is taken. */
static bool take_thread(pk_piece line, pk_perf_event_line *into) {
    bool found = false;
    pk_piece rest = line, best_rest = {0};
    while (rest.bytes > 0) {
        pk_piece word = word_of(&rest), pid, tid;
        if (word.at == line.at || !take_ids(word, &pid, &tid)) continue;
        pk_piece behind = rest;
        pk_perf_event_line with = {
            .comm = pk_piece_trim(upto(line, (size_t)(word.at - line.at))), .pid = pid, .tid = tid};
        bool sure = take_moment(&behind, &with);
        if (sure || (!found && *word.at != '-')) {
            *into = with;
            best_rest = behind;
            found = true;
        }
        if (sure) break;
    }
    if (found) take_event(best_rest, into);
    return found;
}

/* Without a thread's number: "comm time: event:", "comm event:", "time:". */
static bool take_others(pk_piece line, pk_perf_event_line *into) {
    pk_piece rest = line;
    while (rest.bytes > 0) {
        pk_piece before = rest, word = word_of(&rest);
        if (!take_time(word, &into->time_ns)) continue;
        into->has_time = true;
        into->comm = pk_piece_trim(upto(line, (size_t)(before.at - line.at)));
        take_event(rest, into);
        return true;
    }
    const char *blank = memrchr(line.at, ' ', line.bytes);
    pk_piece last = from(line, blank ? (size_t)(blank - line.at) + 1 : 0);
    if (!ends_with(last, ':') || last.bytes < 2) return false;
    pk_piece comm = pk_piece_trim_end(upto(line, line.bytes - last.bytes));
    while (ends_with(last, ':')) last.bytes--;
    into->comm = pk_piece_trim(comm);
    into->event = last;
    return true;
}

pk_perf_event_sure pk_perf_event_line_read(pk_piece line, pk_perf_event_line *into) {
    *into = (pk_perf_event_line){0};
    if (take_thread(line, into)) return into->has_time ? PK_EVENT_CERTAIN : PK_EVENT_LIKELY;
    *into = (pk_perf_event_line){0};
    if (take_others(line, into)) return PK_EVENT_LIKELY;
    *into = (pk_perf_event_line){.comm = pk_piece_trim(line)};
    return PK_EVENT_NONE;
}
