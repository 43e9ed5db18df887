#include "api/api.h"

#include "api/internal.h"

/* The lines that begin with @ are for clients that read the types from the help. */
#define NAME_HELP "\n@param string name Name of a process: name or group:name"
#define NAMES_HELP "\n@param string name Name of a process or a group: name, group:name or group:*"
#define GROUP_HELP "\n@param string name Name of a process group"
#define START_WAIT_HELP "\n@param boolean wait Answer only when it is RUNNING or has failed"
#define STOP_WAIT_HELP "\n@param boolean wait Answer only when it has ended"
#define SIGNAL_HELP "\n@param string signal Name or number of a signal: HUP, SIGHUP or 1"
#define RANGE_HELP                                                               \
    "\n@param int offset Where to begin; negative: so many bytes before the end" \
    "\n@param int length How many bytes; 0: all that follow"
#define TAIL_HELP                                     \
    "\n@param int offset Where the last answer ended" \
    "\n@param int length How many bytes at most"      \
    "\n@return array result The bytes, the offset behind them, and whether some were left out"
#define TRUE_HELP "\n@return boolean result True; anything else is a fault"
#define STATUSES_HELP "\n@return array result A struct of name, group, status and description for each process"

static const struct rpc_method methods[] = {
    {"supervisor.addProcessGroup", "boolean string", "name",
     "Bring a group of the newest configuration to life." GROUP_HELP TRUE_HELP, 0, api_add_process_group},
    {"supervisor.clearAllProcessLogs", "array", "", "Empty the logs of all processes." STATUSES_HELP, 0,
     api_clear_all_process_logs},
    {"supervisor.clearLog", "boolean", "", "Empty the activity log." TRUE_HELP, 0, api_clear_log},
    {"supervisor.clearProcessLog", "boolean string", "name",
     "Empty the logs of a process; the old name of clearProcessLogs." NAME_HELP TRUE_HELP, 0, api_clear_process_logs},
    {"supervisor.clearProcessLogs", "boolean string", "name", "Empty the logs of a process." NAME_HELP TRUE_HELP, 0,
     api_clear_process_logs},
    {"supervisor.getAPIVersion", "string", "",
     "The version of this interface, which changes only when the interface does.\n@return string version Version",
     RPC_READS, api_get_api_version},
    {"supervisor.getAllConfigInfo", "array", "",
     "The settings of all processes of the newest configuration.\n@return array result A struct for each process",
     RPC_READS, api_get_all_config_info},
    {"supervisor.getAllProcessInfo", "array", "",
     "What getProcessInfo tells, for all processes.\n@return array result A struct for each process", RPC_READS,
     api_get_all_process_info},
    {"supervisor.getIdentification", "string", "",
     "The configured identifier of this daemon.\n@return string identifier Identifier", RPC_READS,
     api_get_identification},
    {"supervisor.getPID", "int", "", "The process id of the daemon.\n@return int pid Process id", RPC_READS,
     api_get_pid},
    {"supervisor.getProcessInfo", "struct string", "name",
     "State, times, logs and description of a process." NAME_HELP "\n@return struct result What is known of it",
     RPC_READS, api_get_process_info},
    {"supervisor.getState", "struct", "", "The state of the daemon.\n@return struct result statecode and statename",
     RPC_READS, api_get_state},
    {"supervisor.getSupervisorVersion", "string", "", "The version of the daemon.\n@return string version Version",
     RPC_READS, api_get_supervisor_version},
    {"supervisor.getVersion", "string", "",
     "The version of this interface; the old name of getAPIVersion.\n@return string version Version", RPC_READS,
     api_get_api_version},
    {"supervisor.readLog", "string int int", "offset, length",
     "A piece of the activity log." RANGE_HELP "\n@return string result The bytes", RPC_READS, api_read_log},
    {"supervisor.readMainLog", "string int int", "offset, length",
     "A piece of the activity log; the old name of readLog." RANGE_HELP "\n@return string result The bytes", RPC_READS,
     api_read_log},
    {"supervisor.readProcessLog", "string string int int", "name, offset, length",
     "A piece of a process's stdout log; the old name of readProcessStdoutLog." NAME_HELP RANGE_HELP
     "\n@return string result The bytes",
     RPC_READS, api_read_process_stdout_log},
    {"supervisor.readProcessStderrLog", "string string int int", "name, offset, length",
     "A piece of a process's stderr log." NAME_HELP RANGE_HELP "\n@return string result The bytes", RPC_READS,
     api_read_process_stderr_log},
    {"supervisor.readProcessStdoutLog", "string string int int", "name, offset, length",
     "A piece of a process's stdout log." NAME_HELP RANGE_HELP "\n@return string result The bytes", RPC_READS,
     api_read_process_stdout_log},
    {"supervisor.reloadConfig", "array", "",
     "Read the configuration again and tell what differs from what runs; nothing is started or stopped."
     "\n@return array result One array of three: names of added, changed and removed groups",
     0, api_reload_config},
    {"supervisor.removeProcessGroup", "boolean string", "name",
     "Forget a group whose processes are all down." GROUP_HELP TRUE_HELP, 0, api_remove_process_group},
    {"supervisor.restart", "boolean", "", "Stop all processes, read the configuration again and start over." TRUE_HELP,
     0, api_restart},
    {"supervisor.sendProcessStdin", "boolean string string*", "name, chars",
     "Write text to the stdin of a process." NAME_HELP "\n@param string chars The text" TRUE_HELP, 0,
     api_send_process_stdin},
    {"supervisor.sendRemoteCommEvent", "boolean string* string*", "type, data",
     "Send a REMOTE_COMMUNICATION event to the listeners.\n@param string type Type of the event"
     "\n@param string data Body of the event" TRUE_HELP,
     RPC_ALSO_IN_SHUTDOWN, api_send_remote_comm_event},
    {"supervisor.shutdown", "boolean", "", "Stop all processes and end the daemon." TRUE_HELP, 0, api_shutdown},
    {"supervisor.shutdownWithStatus", "boolean int", "status",
     "Stop all processes and end the daemon with an exit status.\n@param int status From 0 to 255" TRUE_HELP, 0,
     api_shutdown_with_status},
    {"supervisor.signalAllProcesses", "array string*", "signal",
     "Send a signal to all processes." SIGNAL_HELP STATUSES_HELP, 0, api_signal_all_processes},
    {"supervisor.signalProcess", "boolean string string*", "name, signal",
     "Send a signal to a process." NAMES_HELP SIGNAL_HELP TRUE_HELP, 0, api_signal_process},
    {"supervisor.signalProcessGroup", "array string string*", "name, signal",
     "Send a signal to all processes of a group." GROUP_HELP SIGNAL_HELP STATUSES_HELP, 0, api_signal_process_group},
    {"supervisor.startAllProcesses", "array boolean", "wait=true",
     "Start all processes that are down." START_WAIT_HELP STATUSES_HELP, 0, api_start_all_processes},
    {"supervisor.startProcess", "boolean string boolean", "name, wait=true",
     "Start a process." NAMES_HELP START_WAIT_HELP TRUE_HELP, 0, api_start_process},
    {"supervisor.startProcessGroup", "array string boolean", "name, wait=true",
     "Start all processes of a group that are down." GROUP_HELP START_WAIT_HELP STATUSES_HELP, 0,
     api_start_process_group},
    {"supervisor.stopAllProcesses", "array boolean", "wait=true",
     "Stop all processes that are up." STOP_WAIT_HELP STATUSES_HELP, 0, api_stop_all_processes},
    {"supervisor.stopProcess", "boolean string boolean", "name, wait=true",
     "Stop a process." NAMES_HELP STOP_WAIT_HELP TRUE_HELP, 0, api_stop_process},
    {"supervisor.stopProcessGroup", "array string boolean", "name, wait=true",
     "Stop all processes of a group that are up." GROUP_HELP STOP_WAIT_HELP STATUSES_HELP, 0, api_stop_process_group},
    {"supervisor.tailProcessLog", "array string int int", "name, offset, length",
     "What came to a process's stdout log since the last answer; the old name of tailProcessStdoutLog." NAME_HELP
         TAIL_HELP,
     RPC_READS, api_tail_process_stdout_log},
    {"supervisor.tailProcessStderrLog", "array string int int", "name, offset, length",
     "What came to a process's stderr log since the last answer." NAME_HELP TAIL_HELP, RPC_READS,
     api_tail_process_stderr_log},
    {"supervisor.tailProcessStdoutLog", "array string int int", "name, offset, length",
     "What came to a process's stdout log since the last answer." NAME_HELP TAIL_HELP, RPC_READS,
     api_tail_process_stdout_log},
    {"supervisor.upgrade", "boolean", "",
     "Become the program that is installed by now: nothing is stopped, and every process goes on." TRUE_HELP, 0,
     api_upgrade},
};

bool api_is_stopping(void *context)
{
    const struct api_context *api = context;

    return api->supervisor->state != SUPERVISOR_RUNNING;
}

void api_add_methods(struct rpc_registry *registry, struct api_context *context)
{
    rpc_registry_add(registry, methods, sizeof methods / sizeof methods[0], context);
}
