/* Sentences about a profile: what was lost, hidden, missing or changed, and what to do. */
#ifndef PK_FLAME_NOTES_H
#define PK_FLAME_NOTES_H

#include "flame/flame.h"
#include "flame/flame_text.h"

/* One sentence; fix may be NULL. Texts are copied into the profile's arena; one that does not fit
 * there any more is left out. */
void pk_flame_note_add(pk_flame_result *result, const char *fix, const char *text, ...)
    PK_PRINTF(3, 4);

/* An error that did not keep a profile from being made. */
void pk_flame_note_error(pk_flame_result *result, const pk_err *err);

/* All that the profile and the recording tell; kernel_hidden: addresses of the kernel could not be
 * read. Called once, when the profile is complete. */
void pk_flame_notes_make(const pk_flame_options *options, bool kernel_hidden,
                         pk_flame_result *result);

/* Of one text. */
void pk_flame_note_text(const char *path, const pk_flame_text_read *read, pk_flame_result *result);

#endif
