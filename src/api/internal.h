/* What the files of api/ share: the handlers that the table in api.c names, and the resolution of names. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/api.h"

/* status.c */
rpc_handler api_get_api_version, api_get_supervisor_version, api_get_identification, api_get_state, api_get_pid,
    api_get_process_info, api_get_all_process_info, api_shutdown, api_shutdown_with_status, api_restart, api_upgrade,
    api_send_remote_comm_event;

/* control.c */
rpc_handler api_start_process, api_start_process_group, api_start_all_processes, api_stop_process,
    api_stop_process_group, api_stop_all_processes, api_signal_process, api_signal_process_group,
    api_signal_all_processes, api_send_process_stdin, api_clear_process_logs, api_clear_all_process_logs;

/* logs.c */
rpc_handler api_read_log, api_clear_log, api_read_process_stdout_log, api_read_process_stderr_log,
    api_tail_process_stdout_log, api_tail_process_stderr_log;

/* configuration.c */
rpc_handler api_reload_config, api_add_process_group, api_remove_process_group, api_get_all_config_info;

/* names.c */

/* What a name stands for: one process, or a whole group ("group:*" and "group:"). */
struct api_target {
    struct process_group *group;
    struct process *process; /* NULL: the whole group */
};

/* "name", "group:name", "group:*". -1 with *err: BAD_NAME. */
int api_find_target(struct supervisor *supervisor, const char *name, struct api_target *target, struct error *err);

/* A name that must be one process. NULL with *err: BAD_NAME. */
struct process *api_find_process(struct supervisor *supervisor, const char *name, struct error *err);

/* NULL with *err: BAD_NAME. */
struct process_group *api_find_group(struct supervisor *supervisor, const char *name, struct error *err);

/* "name" when the group has the same name, else "group:name". To free. */
char *api_make_namespec(const struct process *process);

/* A parameter that may be text or a number, as text. To free. */
char *api_text_of(const struct rpc_value *value);

/*
 * What a handler returns for an error that came from below, which has the detail only: makes *err the whole fault
 * string, "BAD_NAME: detail".
 */
enum rpc_outcome api_fail(struct error *err);

/* The supervisor that a call is about. */
struct supervisor *api_supervisor(const struct rpc_call *call);

#endif
