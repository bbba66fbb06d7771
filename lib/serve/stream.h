/* Bodies that come in pieces: /stream, /drip, truncated and slow answers. No thread is held between
 * the pieces: the connection is suspended. */
#ifndef PK_SERVE_STREAM_H
#define PK_SERVE_STREAM_H

#include "serve/server.h"

typedef struct pk_stream_plan {
    uint64_t promised_bytes; /* Content-Length; PK_STREAM_CHUNKED: unknown, so in chunks */
    uint64_t pieces;         /* so many .. */
    uint64_t piece_bytes;    /* .. of so many bytes each */
    uint64_t rest_bytes;     /* added to the last piece */
    uint64_t every_ns;       /* from the begin of one piece to that of the next */
    uint64_t delay_ns;       /* before the first */
    bool truncate;           /* then close, as if broken */
} pk_stream_plan;
#define PK_STREAM_CHUNKED UINT64_MAX

/* Answers 200 with such a body of pattern bytes. */
enum MHD_Result pk_stream_reply(pk_conn *conn, const pk_stream_plan *plan);

/* When piece number i (from 0) is due, after the start; at most a century. Pure. */
uint64_t pk_stream_due_ns(const pk_stream_plan *plan, uint64_t i);

#endif
