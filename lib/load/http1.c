/* Two ways lead through a head. One that came whole, nearly all of them: http1_scan finds its lines
 * and they are read. One that came in pieces, or has something wrong in it, first goes byte by byte
 * through section_byte, as trailers do: that goes on where it stopped, so a head of single bytes
 * costs no more than its length, and it knows which byte was the first wrong one. */
#include "load/http1.h"

#include <string.h>
#include "base/hex.h"
#include "load/http1_scan.h"

typedef enum phase {
    IN_HEAD,
    IN_BODY, /* `need` bytes more */
    UNTIL_CLOSE,
    CHUNK_SIZE,
    CHUNK_BLANK, /* between the size and its extension or end */
    CHUNK_EXTENSION,
    CHUNK_SIZE_CR,
    CHUNK_DATA, /* `need` bytes more */
    CHUNK_DATA_END,
    CHUNK_DATA_CR,
    IN_TRAILER,
    COMPLETE,
    FAILED,
} phase;

/* Where in its line the next byte of a head or trailer stands. */
typedef enum line_state {
    LINE_STATUS,
    LINE_START,
    LINE_NAME,
    LINE_TEXT, /* a reason or a value: anything up to the end of the line */
    LINE_CR,
    LINE_LAST_CR, /* of the empty line */
} line_state;

/* What a head says. */
typedef struct head {
    uint16_t status;
    bool is_http10;
    bool close, keep_alive; /* Connection */
    bool has_length, bad_length;
    uint64_t length;
    bool has_coding;
    bool chunked_last;
    unsigned n_chunked;
} head;

enum {
    LF_MAX = PK_HTTP1_LINES_MAX + 2, /* with the status line and the empty line */
    STATUS_BYTES = 12,               /* "HTTP/1.1 200" */
    CHUNK_DIGITS_MAX = 16,
    CHUNK_SIZE_BITS = 63,
};

_Static_assert(sizeof(pk_http1) <= 64, "it sits in every connection");

/* ---- bytes ---- */

/* tchar of RFC 9110, section 5.6.2. */
static const bool is_token[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_status_class(char c) {
    return c >= '1' && c <= '5';
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Without case; `lower` is in lower case. Not strncasecmp, which asks the locale. */
static bool is_word(const char *text, size_t bytes, const char *lower, size_t lower_bytes) {
    if (bytes != lower_bytes) return false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c | 0x20);
        if (c != lower[i]) return false;
    }
    return true;
}
#define IS_WORD(text, bytes, lower) is_word(text, bytes, lower, sizeof(lower) - 1)

/* ---- what a whole head says ---- */

typedef struct item {
    const char *text;
    size_t bytes;
} item;

/* The next element of a comma list without the blanks around it (folds are blanks); it may be
 * empty. *at is NULL behind the last one. */
static item next_item(const char **at, const char *end) {
    const char *from = *at, *to = from;
    while (to < end && *to != ',') to++;
    *at = to < end ? to + 1 : NULL;
    while (from < to && (is_blank(*from) || *from == '\r' || *from == '\n')) from++;
    while (from < to && (is_blank(to[-1]) || to[-1] == '\r' || to[-1] == '\n')) to--;
    return (item){from, (size_t)(to - from)};
}

static void read_connection(head *h, const char *value, const char *end) {
    while (value) {
        item it = next_item(&value, end);
        if (IS_WORD(it.text, it.bytes, "close")) h->close = true;
        if (IS_WORD(it.text, it.bytes, "keep-alive")) h->keep_alive = true;
    }
}

/* At least one digit, nothing else, at most 63 bits. */
static bool read_length(item it, uint64_t *length) {
    uint64_t sum = 0;
    for (size_t i = 0; i < it.bytes; i++) {
        if (!is_digit(it.text[i])) return false;
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(it.text[i] - '0'), &sum) || sum > INT64_MAX)
            return false;
    }
    *length = sum;
    return it.bytes > 0;
}

static void read_lengths(head *h, const char *value, const char *end) {
    while (value) {
        uint64_t length;
        if (!read_length(next_item(&value, end), &length) ||
            (h->has_length && length != h->length)) {
            h->bad_length = true;
            length = 0;
        }
        h->has_length = true;
        h->length = length;
    }
}

static void read_codings(head *h, const char *value, const char *end) {
    h->has_coding = true;
    while (value) {
        item it = next_item(&value, end);
        if (it.bytes == 0) continue;
        h->chunked_last = IS_WORD(it.text, it.bytes, "chunked");
        h->n_chunked += h->chunked_last;
    }
}

/* The length of its name tells most fields from the three that matter. */
static void read_value(head *h, item name, const char *value, const char *end) {
    switch (name.bytes) {
    case sizeof "connection" - 1:
        if (IS_WORD(name.text, name.bytes, "connection")) read_connection(h, value, end);
        break;
    case sizeof "content-length" - 1:
        if (IS_WORD(name.text, name.bytes, "content-length")) read_lengths(h, value, end);
        break;
    case sizeof "transfer-encoding" - 1:
        if (IS_WORD(name.text, name.bytes, "transfer-encoding")) read_codings(h, value, end);
        break;
    default:
        break;
    }
}

/* Reads one field with its folded lines, from line i on. Returns the line behind it, 0 if it is
 * against the rules. */
static size_t read_field(head *h, const char *data, const uint32_t lf[], size_t i) {
    const char *name = data + lf[i - 1] + 1, *at = name;
    while (is_token[(unsigned char)*at]) at++;
    if (at == name || *at != ':') return 0;
    while (is_blank(data[lf[i] + 1])) i++;
    read_value(h, (item){name, (size_t)(at - name)}, at + 1, data + lf[i]);
    return i + 1;
}

static bool read_status_line(head *h, const char *line) {
    if (memcmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) || line[8] != ' ') return false;
    if (!is_status_class(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
    h->is_http10 = line[7] == '0';
    h->status = (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
    return line[12] == ' ' || line[12] == '\r' || line[12] == '\n';
}

/* Reads the head that pk_http1_scan found in data. Returns whether it keeps the rules. */
static bool read_head(head *h, const char *data, const uint32_t lf[], size_t n_lines) {
    *h = (head){0};
    if (lf[0] < STATUS_BYTES || !read_status_line(h, data)) return false;
    for (size_t i = 1; i < n_lines - 1;)
        if ((i = read_field(h, data, lf, i)) == 0) return false;
    return true;
}

/* ---- the steps ---- */

static pk_http1_step fail(pk_http1 *p, pk_load_error_class class_) {
    p->phase = FAILED;
    p->error = (uint8_t)class_;
    p->keep_alive = false;
    return PK_HTTP1_ERROR;
}

static pk_http1_step complete(pk_http1 *p) {
    p->phase = COMPLETE;
    return PK_HTTP1_DONE;
}

static void begin_section(pk_http1 *p, phase next, line_state state) {
    p->phase = (uint8_t)next;
    p->line_state = (uint8_t)state;
    p->n_lines = 0;
    p->section_bytes = 0;
}

static bool fits_status_line(size_t at, char c) {
    switch (at) {
    case 7:
    case 10:
    case 11:
        return is_digit(c);
    case 9:
        return is_status_class(c);
    default:
        return c == "HTTP/1.? "[at];
    }
}

/* One byte in the middle of a line, or ending it. Returns whether it may stand there. */
static bool text_byte(pk_http1 *p, char c) {
    p->line_state = c == '\n' ? LINE_START : c == '\r' ? LINE_CR : LINE_TEXT;
    return c != '\0';
}

static bool line_byte(pk_http1 *p, char c, uint32_t at) {
    switch ((line_state)p->line_state) {
    case LINE_STATUS:
        if (at < STATUS_BYTES) return fits_status_line(at, c);
        return (c == ' ' || c == '\r' || c == '\n') && text_byte(p, c);
    case LINE_START:
        p->line_state = c == '\r' ? LINE_LAST_CR : is_blank(c) ? LINE_TEXT : LINE_NAME;
        return c == '\r' || is_token[(unsigned char)c] || (is_blank(c) && p->n_lines > 1);
    case LINE_NAME:
        if (c == ':') p->line_state = LINE_TEXT;
        return c == ':' || is_token[(unsigned char)c];
    case LINE_TEXT:
        return text_byte(p, c);
    case LINE_CR:
        p->line_state = LINE_START;
        return c == '\n';
    case LINE_LAST_CR:
        break;
    }
    return false; /* the LF behind the last CR ends the section before it comes here */
}

/* The next byte of a head or trailer: DONE with the LF of the empty line. */
static pk_http1_step section_byte(pk_http1 *p, char c) {
    uint32_t at = p->section_bytes++;
    bool starts = p->line_state == LINE_START;
    if (c == '\n' && (starts || p->line_state == LINE_LAST_CR)) return PK_HTTP1_DONE;
    if (starts && c != '\r' && ++p->n_lines > PK_HTTP1_LINES_MAX)
        return fail(p, PK_LOAD_E_TOO_LARGE);
    if (!line_byte(p, c, at)) return fail(p, PK_LOAD_E_MALFORMED);
    if (p->section_bytes == PK_HTTP1_HEAD_BYTES_MAX) return fail(p, PK_LOAD_E_TOO_LARGE);
    return PK_HTTP1_MORE;
}

/* The final head is there: how the body ends and what becomes of the connection (RFC 9112, 6.3). */
static pk_http1_step begin_body(pk_http1 *p, const head *h) {
    p->status = h->status;
    p->keep_alive = !h->close && (!h->is_http10 || h->keep_alive);
    if (p->request_is_head || h->status == 204 || h->status == 304) return complete(p);
    if (p->request_is_connect && h->status / 100 == 2) { /* a tunnel from here on */
        p->keep_alive = false;
        return complete(p);
    }
    if (h->has_coding) {
        bool chunked = h->chunked_last && h->n_chunked == 1;
        p->suspicious = h->has_length || h->is_http10;
        if (p->suspicious || !chunked) p->keep_alive = false;
        begin_section(p, chunked ? CHUNK_SIZE : UNTIL_CLOSE, LINE_START);
        return PK_HTTP1_MORE;
    }
    if (h->has_length) {
        if (h->bad_length) return fail(p, PK_LOAD_E_MALFORMED);
        p->need = h->length;
        p->phase = IN_BODY;
        return p->need ? PK_HTTP1_MORE : complete(p);
    }
    p->keep_alive = false;
    p->phase = UNTIL_CLOSE;
    return PK_HTTP1_MORE;
}

static pk_http1_step end_head(pk_http1 *p, const head *h) {
    begin_section(p, IN_HEAD, LINE_STATUS);
    if (h->status >= 200) return begin_body(p, h);
    if (h->status == 101) return fail(p, PK_LOAD_E_MALFORMED);
    if (++p->n_interim > PK_HTTP1_INTERIM_MAX) return fail(p, PK_LOAD_E_TOO_LARGE);
    return PK_HTTP1_MORE;
}

/* Takes one head, or nothing if it is incomplete. */
static pk_http1_step feed_head(pk_http1 *p, const char *data, size_t bytes, size_t *took) {
    if (bytes > PK_HTTP1_HEAD_BYTES_MAX) bytes = PK_HTTP1_HEAD_BYTES_MAX;
    uint32_t lf[LF_MAX];
    head h;
    size_t n = p->section_bytes ? 0 : pk_http1_scan(data, bytes, lf, LF_MAX);
    if (n == 0 || !read_head(&h, data, lf, n)) {
        pk_http1_step step = PK_HTTP1_MORE;
        while (step == PK_HTTP1_MORE && p->section_bytes < bytes)
            step = section_byte(p, data[p->section_bytes]);
        if (step != PK_HTTP1_DONE) return step;
        n = pk_http1_scan(data, p->section_bytes, lf, LF_MAX);
        if (n == 0 || !read_head(&h, data, lf, n)) return fail(p, PK_LOAD_E_MALFORMED);
    }
    size_t head_bytes = lf[n - 1] + 1;
    p->head_bytes += head_bytes;
    *took = head_bytes;
    return end_head(p, &h);
}

/* Takes content, as much as is there and needed. */
static size_t take_body(pk_http1 *p, size_t bytes) {
    size_t n = bytes < p->need ? bytes : (size_t)p->need;
    p->body_bytes += n;
    p->need -= n;
    return n;
}

static pk_http1_step end_chunk_line(pk_http1 *p) {
    begin_section(p, p->need ? CHUNK_DATA : IN_TRAILER, LINE_START);
    return PK_HTTP1_MORE;
}

/* The next byte of a chunk's size line: size [blanks] [; extension] end. */
static pk_http1_step chunk_line_byte(pk_http1 *p, char c) {
    uint32_t at = p->section_bytes++;
    int digit = p->phase == CHUNK_SIZE ? pk_hex_digit(c) : -1;
    if (digit >= 0) {
        if (at >= CHUNK_DIGITS_MAX || p->need >> (CHUNK_SIZE_BITS - 4))
            return fail(p, PK_LOAD_E_MALFORMED);
        p->need = p->need << 4 | (uint64_t)digit;
        return PK_HTTP1_MORE;
    }
    if (at == 0) return fail(p, PK_LOAD_E_MALFORMED);
    if (c == '\n') return end_chunk_line(p);
    bool in_extension = p->phase == CHUNK_EXTENSION;
    if (p->phase == CHUNK_SIZE_CR || c == '\0') return fail(p, PK_LOAD_E_MALFORMED);
    if (c == '\r') p->phase = CHUNK_SIZE_CR;
    else if (c == ';') p->phase = CHUNK_EXTENSION;
    else if (is_blank(c) && !in_extension) p->phase = CHUNK_BLANK;
    else if (!in_extension) return fail(p, PK_LOAD_E_MALFORMED);
    if (p->section_bytes == PK_HTTP1_CHUNK_LINE_MAX) return fail(p, PK_LOAD_E_TOO_LARGE);
    return PK_HTTP1_MORE;
}

/* The line end behind a chunk's data. */
static pk_http1_step data_end_byte(pk_http1 *p, char c) {
    if (c == '\n') {
        begin_section(p, CHUNK_SIZE, LINE_START);
        return PK_HTTP1_MORE;
    }
    if (c != '\r' || p->phase == CHUNK_DATA_CR) return fail(p, PK_LOAD_E_MALFORMED);
    p->phase = CHUNK_DATA_CR;
    return PK_HTTP1_MORE;
}

static pk_http1_step framing_byte(pk_http1 *p, char c) {
    p->head_bytes++;
    if (p->phase == IN_TRAILER) {
        pk_http1_step step = section_byte(p, c);
        return step == PK_HTTP1_DONE ? complete(p) : step;
    }
    if (p->phase == CHUNK_DATA_END || p->phase == CHUNK_DATA_CR) return data_end_byte(p, c);
    return chunk_line_byte(p, c);
}

static pk_http1_step feed_chunks(pk_http1 *p, const char *data, size_t bytes, size_t *took) {
    pk_http1_step step = PK_HTTP1_MORE;
    size_t at = 0;
    while (step == PK_HTTP1_MORE && at < bytes) {
        if (p->phase == CHUNK_DATA) {
            at += take_body(p, bytes - at);
            if (p->need == 0) p->phase = CHUNK_DATA_END;
        } else {
            step = framing_byte(p, data[at++]);
        }
    }
    *took = at;
    return step;
}

/* ---- public ---- */

void pk_http1_begin(pk_http1 *parser, bool request_is_head, bool request_is_connect) {
    *parser =
        (pk_http1){.request_is_head = request_is_head, .request_is_connect = request_is_connect};
}

pk_http1_step pk_http1_feed(pk_http1 *parser, const char *data, size_t bytes, size_t *used) {
    pk_http1 *p = parser;
    size_t at = 0, took = 1;
    *used = 0;
    if (p->phase == COMPLETE) return PK_HTTP1_DONE;
    if (p->phase == FAILED) return PK_HTTP1_ERROR;
    pk_http1_step step = PK_HTTP1_MORE;
    while (step == PK_HTTP1_MORE && at < bytes && took > 0) {
        took = 0;
        switch ((phase)p->phase) {
        case IN_HEAD:
            step = feed_head(p, data + at, bytes - at, &took);
            break;
        case IN_BODY:
            took = take_body(p, bytes - at);
            if (p->need == 0) step = complete(p);
            break;
        case UNTIL_CLOSE:
            took = bytes - at;
            p->body_bytes += took;
            break;
        case COMPLETE:
            step = PK_HTTP1_DONE;
            break;
        case FAILED:
            step = PK_HTTP1_ERROR;
            break;
        default:
            step = feed_chunks(p, data + at, bytes - at, &took);
            break;
        }
        at += took;
    }
    if (step != PK_HTTP1_ERROR) *used = at;
    return step;
}

pk_http1_step pk_http1_end(pk_http1 *parser) {
    switch ((phase)parser->phase) {
    case UNTIL_CLOSE:
        return complete(parser);
    case COMPLETE:
        return PK_HTTP1_DONE;
    case FAILED:
        return PK_HTTP1_ERROR;
    case IN_HEAD:
        if (parser->head_bytes || parser->section_bytes) return fail(parser, PK_LOAD_E_RESET);
        return fail(parser, PK_LOAD_E_EMPTY);
    default:
        return fail(parser, PK_LOAD_E_TRUNCATED);
    }
}
