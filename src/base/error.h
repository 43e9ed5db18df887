/* What went wrong. Public: plugins use it too. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <supervisor/error.h>

#endif
