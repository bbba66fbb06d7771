/* One run of perf, watched by a thread of its own while another reads what it records: begins it
 * and the command together, ends both, keeps perf's messages apart from the command's. */
#ifndef PK_FLAME_PERF_SESSION_H
#define PK_FLAME_PERF_SESSION_H

#include "flame/recorder.h"

typedef struct pk_perf_session pk_perf_session;

/* Holds the command, starts perf on it, and watches from now on. What it finds goes to *recording,
 * which nobody else may touch until pk_perf_session_end. NULL: no such command, no perf. */
pk_perf_session *pk_perf_session_begin(const pk_record_options *options,
                                       const pk_interrupt *interrupt, pk_arena *arena,
                                       pk_recording *recording, pk_err *err) PK_MUST_CHECK;
/* Where the records come from; -1 with options->keep. */
int pk_perf_session_fd(const pk_perf_session *session);
/* The command's number; 0: there is none. */
pid_t pk_perf_session_command(const pk_perf_session *session);
/* The reader is at work: as long as this changes, perf is not given up. */
void pk_perf_session_progress(pk_perf_session *session, uint64_t bytes_read);
/* The reader has come to the end (NULL), or met an error, upon which perf is ended. Waits until
 * perf and the command have ended as the options say, fills *recording and frees the session. False
 * when perf failed (or the reader, with its error): recording->end is PK_RECORDING_RECORDER then,
 * unless nothing was ever recorded for lack of perf. *began: perf had begun to record. */
bool pk_perf_session_end(pk_perf_session *session, const pk_err *reader, bool *began,
                         pk_err *err) PK_MUST_CHECK;

#endif
