/* A load result -> text (oha's report, section by section) or JSON (oha's keys and ours). */
#ifndef PK_LOAD_RENDER_H
#define PK_LOAD_RENDER_H

#include <stdio.h>
#include "load/load.h"

void pk_load_render_text(FILE *out, const pk_load_result *result, bool colour);
bool pk_load_render_json(FILE *out, const pk_load_result *result, pk_err *err) PK_MUST_CHECK;
/* "1.2 s / 3 s  12345 requests  ..." for the progress line. */
void pk_load_render_progress(char *out, size_t bytes, const pk_load_snapshot *snapshot);

#endif
