/* libcurl's result codes in our words. */
#ifndef PK_LOAD_CURL_ERROR_H
#define PK_LOAD_CURL_ERROR_H

#include <curl/curl.h>
#include <stdbool.h>
#include "load/load.h"

/* os_errno: CURLINFO_OS_ERRNO; got_bytes: some of the response's head had come. *sys_errno: what
 * is worth showing with the class, or 0. */
pk_load_error_class pk_curl_error_class(CURLcode code, int os_errno, bool got_bytes,
                                        int *sys_errno);

/* The same from a handle whose transfer has just ended with this code. socket_errno: why its
 * socket could not be made, which libcurl does not tell; 0: it could. */
pk_load_error_class pk_curl_failure(CURL *easy, CURLcode code, int socket_errno, bool got_bytes,
                                    int *sys_errno);

#endif
