/*
 * The two clocks. Intervals (startsecs, stopwaitsecs, back-off) are measured on the monotonic one, so that a step
 * of the wall clock neither ends nor prolongs them; what users read is wall-clock time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_us(void); /* microseconds since an arbitrary start; never goes back */
int64_t clock_wall_us(void);      /* microseconds since 1970-01-01 UTC */

#endif
