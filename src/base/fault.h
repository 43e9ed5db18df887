/* The faults that travel to clients. Public: plugins use it too. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <supervisor/fault.h>

#endif
