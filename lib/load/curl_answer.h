/* An answer as it comes through libcurl, read by our own parser as well.
 *
 * libcurl takes what other clients refuse: lengths that contradict each other, lines that are no
 * fields, a head that ends in the middle. For a measurement those must count as what they are,
 * whichever engine ran. So libcurl hands over each line of a head and each byte of a body as it
 * came (chunk framing too), and load/http1 says what it means. HTTP/1.x only. */
#ifndef PK_LOAD_CURL_ANSWER_H
#define PK_LOAD_CURL_ANSWER_H

#include "load/http1.h"

typedef struct pk_curl_answer {
    pk_http1 parser;
    pk_http1_step step;
    char *held; /* of a head that is not complete */
    size_t held_bytes, held_capacity;
} pk_curl_answer;

/* For the next answer; keeps the memory. Zeroed before its first use. */
void pk_curl_answer_begin(pk_curl_answer *answer, bool request_is_head, bool request_is_connect);
void pk_curl_answer_fini(pk_curl_answer *answer);

/* What came next. False: it is no right answer (parser.error), or there is no memory for it; the
 * transfer is to be stopped. Bytes behind the end make a complete answer suspicious. */
bool pk_curl_answer_take(pk_curl_answer *answer, const char *data, size_t bytes) PK_MUST_CHECK;

/* Has anything come? Lines of a head only once they are complete: libcurl keeps them until then. */
bool pk_curl_answer_has_begun(const pk_curl_answer *answer);
/* Bytes of heads and framing so far. */
uint64_t pk_curl_answer_head_bytes(const pk_curl_answer *answer);

#endif
