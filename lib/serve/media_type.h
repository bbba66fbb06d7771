/* Content-Type by the suffix of a file's name. */
#ifndef PK_SERVE_MEDIA_TYPE_H
#define PK_SERVE_MEDIA_TYPE_H

/* "text/html; charset=utf-8" for "a/b.HTML"; application/octet-stream for unknown suffixes.
 * Source: the IANA registry of media types; text is taken to be UTF-8. */
const char *pk_media_type(const char *path);

#endif
