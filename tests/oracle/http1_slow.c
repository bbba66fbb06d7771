#include "http1_slow.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static pk_http1_step error(http1_slow *s, pk_load_error_class class_) {
    s->state = SLOW_ERROR;
    s->error = class_;
    s->keep_alive = false;
    return PK_HTTP1_ERROR;
}

static pk_http1_step malformed(http1_slow *s) {
    return error(s, PK_LOAD_E_MALFORMED);
}

static pk_http1_step done(http1_slow *s) {
    s->state = SLOW_DONE;
    return PK_HTTP1_DONE;
}

static pk_http1_step go_on(http1_slow *s, slow_state next) {
    s->state = next;
    return PK_HTTP1_MORE;
}

static bool is_token_char(char c) {
    return c != '\0' && (isalnum((unsigned char)c) || strchr("!#$%&'*+-.^_`|~", c));
}

/* ---- fields ---- */

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t')) n--;
    text[n] = '\0';
    return text;
}

static void take_length(http1_slow *s, char *list) {
    for (char *part; (part = strsep(&list, ","));) {
        part = trim(part);
        bool digits = *part && strspn(part, "0123456789") == strlen(part);
        errno = 0;
        unsigned long long value = digits ? strtoull(part, NULL, 10) : 0;
        if (!digits || errno || value > INT64_MAX) s->bad_length = true;
        if (s->has_length && value != s->length) s->bad_length = true;
        s->has_length = true;
        s->length = value;
    }
}

static void take_connection(http1_slow *s, char *list) {
    for (char *part; (part = strsep(&list, ","));) {
        part = trim(part);
        if (strcasecmp(part, "close") == 0) s->close = true;
        if (strcasecmp(part, "keep-alive") == 0) s->keep_alive_word = true;
    }
}

/* The field that was read is complete: what follows is no fold of it. */
static void take_field(http1_slow *s) {
    s->name[s->name_bytes] = s->value[s->value_bytes] = '\0';
    if (s->in_trailer) return; /* trailers change nothing */
    if (strcasecmp(s->name, "Content-Length") == 0) take_length(s, s->value);
    if (strcasecmp(s->name, "Connection") == 0) take_connection(s, s->value);
    if (strcasecmp(s->name, "Transfer-Encoding") == 0) {
        s->has_coding = true;
        size_t before = strlen(s->codings);
        assert(before + s->value_bytes + sizeof "," <= sizeof s->codings);
        memcpy(s->codings + before, s->value, s->value_bytes);
        memcpy(s->codings + before + s->value_bytes, ",", sizeof ",");
    }
}

static bool is_chunked(http1_slow *s) {
    unsigned count = 0;
    bool last = false;
    char *list = s->codings;
    for (char *part; (part = strsep(&list, ","));) {
        part = trim(part);
        if (!*part) continue;
        last = strcasecmp(part, "chunked") == 0;
        if (last) count++;
    }
    return last && count == 1;
}

/* ---- the end of a head or trailer ---- */

static void begin_head(http1_slow *s) {
    s->state = SLOW_VERSION;
    s->in_trailer = false;
    s->section_bytes = s->section_lines = 0;
    s->minor = s->code = s->code_digits = 0;
    s->close = s->keep_alive_word = false;
    s->has_length = s->bad_length = s->has_coding = false;
    s->length = 0;
    s->codings[0] = '\0';
}

static pk_http1_step begin_chunk(http1_slow *s) {
    s->section_bytes = 0;
    s->left = 0;
    return go_on(s, SLOW_CHUNK_SIZE);
}

/* RFC 9112, section 6.3, in its order. */
static pk_http1_step final_head(http1_slow *s) {
    s->status = s->code;
    bool is_tunnel = s->request_is_connect && s->code >= 200 && s->code <= 299;
    if (s->close) s->keep_alive = false;
    else if (s->minor >= 1) s->keep_alive = true;
    else s->keep_alive = s->keep_alive_word;
    if (s->request_is_head || s->code == 204 || s->code == 304) return done(s);
    if (is_tunnel) {
        s->keep_alive = false;
        return done(s);
    }
    if (s->has_coding) {
        if (s->has_length || s->minor == 0) {
            s->suspicious = true;
            s->keep_alive = false;
        }
        if (is_chunked(s)) return begin_chunk(s);
        s->keep_alive = false;
        return go_on(s, SLOW_BODY_TO_CLOSE);
    }
    if (s->has_length) {
        if (s->bad_length) return malformed(s);
        s->left = s->length;
        return s->left == 0 ? done(s) : go_on(s, SLOW_BODY);
    }
    s->keep_alive = false;
    return go_on(s, SLOW_BODY_TO_CLOSE);
}

static pk_http1_step end_section(http1_slow *s) {
    s->section_bytes = 0;
    if (s->in_trailer) return done(s);
    if (s->section_lines > 0) take_field(s);
    if (s->code >= 200) return final_head(s);
    if (s->code == 101) return malformed(s);
    s->n_interim++;
    if (s->n_interim > PK_HTTP1_INTERIM_MAX) return error(s, PK_LOAD_E_TOO_LARGE);
    begin_head(s);
    return PK_HTTP1_MORE;
}

/* ---- bytes of a head or trailer ---- */

/* What may stand in a reason or value: anything but NUL; the line ends in LF or CR LF. */
static pk_http1_step text_byte(http1_slow *s, char c, slow_state text) {
    if (c == '\0') return malformed(s);
    if (c == '\r') return go_on(s, SLOW_LINE_CR);
    if (c == '\n') return go_on(s, SLOW_LINE_START);
    return go_on(s, text);
}

static pk_http1_step line_start_byte(http1_slow *s, char c) {
    if (c == '\n') return end_section(s);
    if (c == '\r') return go_on(s, SLOW_LAST_CR);
    s->section_lines++;
    if (s->section_lines > PK_HTTP1_LINES_MAX) return error(s, PK_LOAD_E_TOO_LARGE);
    if (c == ' ' || c == '\t') {
        if (s->section_lines == 1) return malformed(s); /* folds what? */
        s->value[s->value_bytes++] = ' ';
        return go_on(s, SLOW_VALUE);
    }
    if (!is_token_char(c)) return malformed(s);
    if (s->section_lines > 1) take_field(s);
    s->name_bytes = s->value_bytes = 0;
    s->name[s->name_bytes++] = c;
    return go_on(s, SLOW_NAME);
}

static pk_http1_step name_byte(http1_slow *s, char c) {
    if (c == ':') return go_on(s, SLOW_VALUE);
    if (!is_token_char(c)) return malformed(s);
    s->name[s->name_bytes++] = c;
    return PK_HTTP1_MORE;
}

static pk_http1_step value_byte(http1_slow *s, char c) {
    if (c != '\0' && c != '\r' && c != '\n') s->value[s->value_bytes++] = c;
    return text_byte(s, c, SLOW_VALUE);
}

static pk_http1_step code_byte(http1_slow *s, char c) {
    if (!isdigit((unsigned char)c)) return malformed(s);
    if (s->code_digits == 0 && (c < '1' || c > '5')) return malformed(s);
    s->code = 10 * s->code + (unsigned)(c - '0');
    s->code_digits++;
    return go_on(s, s->code_digits == 3 ? SLOW_BEHIND_CODE : SLOW_CODE);
}

static pk_http1_step section_byte(http1_slow *s, char c) {
    switch (s->state) {
    case SLOW_VERSION:
        if (c != "HTTP/1."[s->section_bytes - 1]) return malformed(s);
        return go_on(s, s->section_bytes == strlen("HTTP/1.") ? SLOW_MINOR : SLOW_VERSION);
    case SLOW_MINOR:
        if (!isdigit((unsigned char)c)) return malformed(s);
        s->minor = (unsigned)(c - '0');
        return go_on(s, SLOW_SPACE);
    case SLOW_SPACE:
        return c == ' ' ? go_on(s, SLOW_CODE) : malformed(s);
    case SLOW_CODE:
        return code_byte(s, c);
    case SLOW_BEHIND_CODE:
        return c == ' ' || c == '\r' || c == '\n' ? text_byte(s, c, SLOW_REASON) : malformed(s);
    case SLOW_REASON:
        return text_byte(s, c, SLOW_REASON);
    case SLOW_LINE_START:
        return line_start_byte(s, c);
    case SLOW_NAME:
        return name_byte(s, c);
    case SLOW_VALUE:
        return value_byte(s, c);
    case SLOW_LINE_CR:
        return c == '\n' ? go_on(s, SLOW_LINE_START) : malformed(s);
    default:
        assert(s->state == SLOW_LAST_CR);
        return c == '\n' ? end_section(s) : malformed(s);
    }
}

/* ---- chunks ---- */

static pk_http1_step end_chunk_line(http1_slow *s) {
    s->section_bytes = s->section_lines = 0;
    if (s->left > 0) return go_on(s, SLOW_DATA);
    s->in_trailer = true;
    return go_on(s, SLOW_LINE_START);
}

static pk_http1_step behind_size(http1_slow *s, char c) {
    if (c == '\n') return end_chunk_line(s);
    if (c == '\r') return go_on(s, SLOW_CHUNK_CR);
    if (c == ';') return go_on(s, SLOW_CHUNK_EXTENSION);
    if (c == ' ' || c == '\t') return go_on(s, SLOW_CHUNK_BLANK);
    return malformed(s);
}

static pk_http1_step size_byte(http1_slow *s, char c) {
    if (isxdigit((unsigned char)c)) {
        if (s->section_bytes > 16) return malformed(s);
        unsigned digit = isdigit((unsigned char)c)
                             ? (unsigned)(c - '0')
                             : (unsigned)(tolower((unsigned char)c) - 'a' + 10);
        unsigned __int128 size = (unsigned __int128)s->left * 16 + digit;
        if (size > INT64_MAX) return malformed(s);
        s->left = (uint64_t)size;
        return PK_HTTP1_MORE;
    }
    return s->section_bytes == 1 ? malformed(s) : behind_size(s, c); /* at least one digit */
}

static pk_http1_step chunk_byte(http1_slow *s, char c) {
    switch (s->state) {
    case SLOW_CHUNK_SIZE:
        return size_byte(s, c);
    case SLOW_CHUNK_BLANK:
        return behind_size(s, c);
    case SLOW_CHUNK_EXTENSION:
        if (c == '\0') return malformed(s);
        return c == '\n' || c == '\r' ? behind_size(s, c) : PK_HTTP1_MORE;
    case SLOW_CHUNK_CR:
        return c == '\n' ? end_chunk_line(s) : malformed(s);
    case SLOW_DATA_END:
        if (c == '\r') return go_on(s, SLOW_DATA_CR);
        return c == '\n' ? begin_chunk(s) : malformed(s);
    default:
        assert(s->state == SLOW_DATA_CR);
        return c == '\n' ? begin_chunk(s) : malformed(s);
    }
}

/* ---- public ---- */

void http1_slow_begin(http1_slow *s, bool request_is_head, bool request_is_connect) {
    s->body_bytes = s->head_bytes = s->bytes = 0;
    s->status = 0;
    s->error = PK_LOAD_NO_ERROR;
    s->keep_alive = s->suspicious = false;
    s->request_is_head = request_is_head;
    s->request_is_connect = request_is_connect;
    s->n_interim = 0;
    s->left = 0;
    begin_head(s);
}

static pk_http1_step body_byte(http1_slow *s) {
    s->body_bytes++;
    if (s->state == SLOW_BODY_TO_CLOSE || --s->left > 0) return PK_HTTP1_MORE;
    return s->state == SLOW_BODY ? done(s) : go_on(s, SLOW_DATA_END);
}

pk_http1_step http1_slow_byte(http1_slow *s, char c) {
    assert(s->state != SLOW_DONE && s->state != SLOW_ERROR);
    s->bytes++;
    if (s->state == SLOW_BODY || s->state == SLOW_BODY_TO_CLOSE || s->state == SLOW_DATA)
        return body_byte(s);
    s->head_bytes++;
    s->section_bytes++;
    bool in_chunk_line = s->state >= SLOW_CHUNK_SIZE && s->state <= SLOW_DATA_CR;
    pk_http1_step step = in_chunk_line ? chunk_byte(s, c) : section_byte(s, c);
    unsigned max = in_chunk_line ? PK_HTTP1_CHUNK_LINE_MAX : PK_HTTP1_HEAD_BYTES_MAX;
    /* A section that has ended counts from 0 again. */
    if (step == PK_HTTP1_MORE && s->section_bytes == max) return error(s, PK_LOAD_E_TOO_LARGE);
    return step;
}

pk_http1_step http1_slow_end(http1_slow *s) {
    if (s->state == SLOW_BODY_TO_CLOSE) return done(s);
    if (s->state == SLOW_DONE) return PK_HTTP1_DONE;
    if (s->state == SLOW_ERROR) return PK_HTTP1_ERROR;
    if (s->bytes == 0) return error(s, PK_LOAD_E_EMPTY);
    return error(s, s->status == 0 ? PK_LOAD_E_RESET : PK_LOAD_E_TRUNCATED);
}
