/* Signals by name and number, as `stopsignal=` (manual 1.4.6) and signalProcess (manual 2.1.2) take them. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

/*
 * The number of a signal given as "TERM", "SIGTERM" (any case) or "15". -1 when there is no such signal;
 * a number need not have a name, but must lie between 1 and the highest signal of the system.
 */
int signal_by_name(const char *name);

/*
 * The name with its prefix, such as "SIGTERM"; "signal N" for numbers without a name (real-time signals). Good until
 * the next call.
 */
const char *signal_name(int number);

#endif
