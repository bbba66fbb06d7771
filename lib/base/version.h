/* The project's version, in one place. */
#ifndef PK_BASE_VERSION_H
#define PK_BASE_VERSION_H

#define PK_VERSION "0.1.0"

#endif
